package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partita/results/export"
	"partita/results/schema"
)

// newSchema prints the JSON Schema of a file that the program reads or writes.
func newSchema(env Environment) *cobra.Command {
	var out string
	var b strings.Builder
	for _, k := range schema.Kinds() {
		fmt.Fprintf(&b, "  %-10s %s\n", k.Name, k.About)
	}
	cmd := &cobra.Command{
		Use:   "schema NAME",
		Short: "Print the JSON Schema of a condition, a plan or a manifest",
		Long: `schema prints the JSON Schema (draft 2020-12) of a file, with what each field means
and its unit:

` + b.String() + `
Editors complete, explain and check a condition by it: write as its first line

  # yaml-language-server: $schema=condition.schema.json

with the path of the file that -o wrote. Programs check what they read of a plan.
The schemas are made from what the program itself reads and writes.`,
		Example: `  partita schema condition -o out/condition.schema.json
  partita schema plan | grep title`,
		ValidArgs: schemaNames(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(schemaNames(), args[0]) {
				given := ""
				if len(args) == 1 {
					given = fmt.Sprintf("%q: ", args[0])
				}
				return fmt.Errorf("%swant one of %s", given, strings.Join(schemaNames(), ", "))
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "write it into this `FILE` instead of stdout")
	cmd.RunE = action(func(_ *cobra.Command, args []string) error {
		k := schema.Kinds()[slices.Index(schemaNames(), args[0])]
		s, err := k.Make()
		if err != nil {
			return err
		}
		data, err := s.JSON()
		if err != nil {
			return err
		}
		if out == "" {
			if _, err := env.Out.Write(data); err != nil {
				return fmt.Errorf("writing to stdout: %w", err)
			}
			return nil
		}
		return export.WriteSet(filepath.Dir(out), []export.Stream{export.Whole(filepath.Base(out), data)})
	})
	return cmd
}

// schemaNames are the words that schema takes.
func schemaNames() []string {
	var names []string
	for _, k := range schema.Kinds() {
		names = append(names, k.Name)
	}
	return names
}
