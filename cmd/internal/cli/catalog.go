package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/inputs/catalog"
	"partita/inputs/read"
	"partita/results/export"
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

// listing is one list of the catalogue: what it can be narrowed by, sorted by and shown
// in.
type listing[T any] struct {
	what string // "accelerator"
	all  func(*catalog.Catalog) []T
	// find is an entry by any of its names, near names where there is none, and the
	// other entries that the same words could mean.
	find    func(known *catalog.Catalog, name string) (entry T, found bool, near, variants []string)
	detail  func(env Environment, known *catalog.Catalog, entry T, variants []string) error
	json    func(known *catalog.Catalog, entry T) any
	columns func(known *catalog.Catalog) []column[T]
	shown   []string // keys of the columns of a table; CSV has all
	// filters registers the filters; admits tells which entries they leave, with an error
	// where one names what no entry has.
	filters func(flags *pflag.FlagSet)
	admits  func(known *catalog.Catalog) (func(T) bool, error)
}

// column is one figure of an entry.
type column[T any] struct {
	key    string // what --columns, --sort and the CSV call it
	header string // of a table
	cell   func(T) string
	raw    func(T) string  // for CSV: the figure without its unit
	figure func(T) float64 // to sort by; nil sorts by raw
}

// shownFlags say which entries are shown, and how.
type shownFlags struct {
	columns namesFlag
	sort    string
	csv     bool
	json    bool
}

// command is the command that shows the list, or one entry of it.
func (l *listing[T]) command(env Environment, use, long string) *cobra.Command {
	var show shownFlags
	var packs conditionFlags
	cmd := &cobra.Command{
		Use:   use + " [NAME]",
		Short: "List the " + l.what + "s, or show one with its provenance",
		Long:  long,
		Args:  cobra.MaximumNArgs(1),
	}
	l.filters(cmd.Flags())
	filters := map[string]bool{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { filters[f.Name] = true })
	cmd.Flags().Var(&knowledgeFlag{c: &packs}, "knowledge", "packs whose entries count too: a file or a folder (repeatable)")
	cmd.Flags().StringVar(&show.sort, "sort", "name", "sort by this `COLUMN`, the least first; -COLUMN the other way round")
	cmd.Flags().Var(&show.columns, "columns", "show these `COLUMNS`, by comma: "+strings.Join(l.keys(nil), ", "))
	cmd.Flags().BoolVar(&show.csv, "csv", false, "print CSV with a header line, all columns unless --columns chooses")
	cmd.Flags().BoolVar(&show.json, "json", false, "print one JSON line an entry")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		known, err := read.Catalog(packs.overrides)
		if err != nil {
			return ofFlagsAlone(err)
		}
		if show.csv && show.json {
			return withCode(exitUsage, errors.New("--csv or --json, not both"))
		}
		if len(args) == 0 {
			return l.list(env, known, &show)
		}
		narrowed := ""
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if filters[f.Name] || f.Name == "sort" {
				narrowed = f.Name
			}
		})
		if narrowed != "" {
			return withCode(exitUsage, fmt.Errorf("--%s is for the list; leave it out to show %q alone", narrowed, args[0]))
		}
		return l.one(env, known, args[0], &show)
	})
	return cmd
}

// one shows an entry by name.
func (l *listing[T]) one(env Environment, known *catalog.Catalog, name string, show *shownFlags) error {
	entry, found, near, variants := l.find(known, name)
	switch {
	case !found:
		text := fmt.Sprintf("no %s %q in the catalogue", l.what, name)
		if len(near) > 0 {
			text += "; did you mean " + strings.Join(near, ", ") + "?"
		}
		return withCode(exitUsage, errors.New(text))
	case show.json || show.csv || len(show.columns.names) > 0:
		return l.print(env, known, []T{entry}, show)
	}
	return l.detail(env, known, entry, variants)
}

// list shows the entries that the filters leave.
func (l *listing[T]) list(env Environment, known *catalog.Catalog, show *shownFlags) error {
	admits, err := l.admits(known)
	if err != nil {
		return withCode(exitUsage, err)
	}
	list := slices.DeleteFunc(l.all(known), func(entry T) bool { return !admits(entry) })
	if err := l.sort(known, list, show.sort); err != nil {
		return withCode(exitUsage, err)
	}
	if len(list) == 0 && !show.csv && !show.json {
		_, err := fmt.Fprintf(env.Err, "no %s passes all filters\n", l.what)
		return err
	}
	return l.print(env, known, list, show)
}

func (l *listing[T]) sort(known *catalog.Catalog, list []T, by string) error {
	key, down := strings.CutPrefix(by, "-")
	columns := l.columns(known)
	at := slices.IndexFunc(columns, func(c column[T]) bool { return c.key == key })
	if at < 0 {
		return fmt.Errorf("--sort %q: want one of %s", by, strings.Join(l.keys(known), ", "))
	}
	c := columns[at]
	slices.SortStableFunc(list, func(a, b T) int {
		order := strings.Compare(strings.ToLower(c.raw(a)), strings.ToLower(c.raw(b)))
		if c.figure != nil {
			order = 0
			if x, y := c.figure(a), c.figure(b); x < y {
				order = -1
			} else if x > y {
				order = 1
			}
		}
		if down {
			return -order
		}
		return order
	})
	return nil
}

func (l *listing[T]) print(env Environment, known *catalog.Catalog, list []T, show *shownFlags) error {
	if show.json {
		return eachJSON(env.Out, list, func(entry T) any { return l.json(known, entry) })
	}
	names := show.columns.names
	if len(names) == 0 {
		if names = l.shown; show.csv {
			names = l.keys(known)
		}
	}
	if err := show.columns.check("columns", l.keys(known)); err != nil {
		return withCode(exitUsage, err)
	}
	var columns []column[T]
	for _, name := range names {
		for _, c := range l.columns(known) {
			if strings.EqualFold(c.key, name) {
				columns = append(columns, c)
			}
		}
	}
	if show.csv {
		return printCSV(env.Out, list, columns)
	}
	var header []string
	for _, c := range columns {
		title := c.header
		if c.figure != nil {
			title += "#"
		}
		header = append(header, title)
	}
	var rows [][]string
	for _, entry := range list {
		var row []string
		for _, c := range columns {
			row = append(row, c.cell(entry))
		}
		rows = append(rows, row)
	}
	return export.TableText(env.Out, header, rows, env.screen())
}

func printCSV[T any](w io.Writer, list []T, columns []column[T]) error {
	out := csv.NewWriter(w)
	var line []string
	for _, c := range columns {
		line = append(line, c.key)
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for _, entry := range list {
		line = line[:0]
		for _, c := range columns {
			line = append(line, c.raw(entry))
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// keys are the names of the columns; they do not depend on what is known.
func (l *listing[T]) keys(known *catalog.Catalog) []string {
	var out []string
	for _, c := range l.columns(known) {
		out = append(out, c.key)
	}
	return out
}
