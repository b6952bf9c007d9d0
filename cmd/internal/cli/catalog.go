package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partita/inputs"
	"partita/inputs/catalog"
)

func newCatalog(env Environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "Show the accelerators and models that are known by name",
		Long: `catalog shows what a condition can call by name, with the provenance of every
entry. A condition may describe what is not listed in its own figures.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("catalog: want gpus or models")
		},
	}
	cmd.AddCommand(newCatalogGPUs(env), newCatalogModels(env))
	return cmd
}

func newCatalogGPUs(env Environment) *cobra.Command {
	return catalogCommand(env, "gpus", "accelerators", func(known *catalog.Catalog, w io.Writer, name string, asJSON bool) error {
		list := known.Accelerators()
		if name != "" {
			found, ok := known.Accelerator(name)
			if !ok {
				return unknownName("accelerator", name, known.SuggestAccelerator(name))
			}
			list = []inputs.Accelerator{found}
		}
		switch {
		case asJSON:
			return eachJSON(w, list, func(a inputs.Accelerator) any { return acceleratorJSON(known, a) })
		case name != "":
			return acceleratorDetail(w, known, list[0])
		default:
			return acceleratorTable(w, list)
		}
	})
}

func newCatalogModels(env Environment) *cobra.Command {
	return catalogCommand(env, "models", "models", func(known *catalog.Catalog, w io.Writer, name string, asJSON bool) error {
		list := known.Models()
		if name != "" {
			found, ok := known.Model(name)
			if !ok {
				return unknownName("model", name, known.SuggestModel(name))
			}
			list = []inputs.Model{found}
		}
		switch {
		case asJSON:
			return eachJSON(w, list, func(m inputs.Model) any { return modelJSON(known, m) })
		case name != "":
			return modelDetail(w, known, list[0])
		default:
			return modelTable(w, list)
		}
	})
}

// catalogCommand is one list of the catalogue, or one entry of it where named.
func catalogCommand(env Environment, use, what string, show func(*catalog.Catalog, io.Writer, string, bool) error) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   use + " [NAME]",
		Short: "List the " + what + ", or show one with its provenance",
		Args:  cobra.MaximumNArgs(1),
		RunE: action(func(_ *cobra.Command, args []string) error {
			known, err := catalog.Load()
			if err != nil {
				return fmt.Errorf("the built-in catalogue: %w", err)
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			return show(known, env.Out, name, asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line an entry")
	return cmd
}

func unknownName(kind, name string, near []string) error {
	text := fmt.Sprintf("no %s %q in the catalogue", kind, name)
	if len(near) > 0 {
		text += "; did you mean " + strings.Join(near, ", ") + "?"
	}
	return withCode(exitUsage, errors.New(text))
}
