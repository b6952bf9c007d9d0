package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"partita/results/export"
)

// newManual is the hidden command that writes the manual pages, for `make man`.
func newManual(env Environment) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "manual",
		Short:   "Write the manual pages of all commands and topics",
		Long:    "manual writes partita.1, a page for each command, and a page of section 7 for\neach help topic.",
		Example: "  partita manual -o out/man",
		Args:    cobra.NoArgs,
		Hidden:  true,
	}
	cmd.Flags().StringVarP(&dir, "out", "o", "man", "folder for the pages")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		var walk func(cmd *cobra.Command) error
		walk = func(cmd *cobra.Command) error {
			if cmd.Hidden || cmd.Name() == "help" {
				return nil
			}
			section := 1
			if cmd.IsAdditionalHelpTopicCommand() {
				section = 7
			}
			name := fmt.Sprintf("%s.%d", strings.ReplaceAll(cmd.CommandPath(), " ", "-"), section)
			if err := export.File(filepath.Join(dir, name), []byte(pageOf(cmd).roff(section)), true); err != nil {
				return err
			}
			for _, sub := range cmd.Commands() {
				if err := walk(sub); err != nil {
					return err
				}
			}
			return nil
		}
		if err := walk(cmd.Root()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.Out, "wrote the manual pages to %s\n", printable(dir))
		return err
	})
	return cmd
}

// roff is the page in the man macros.
func (p page) roff(section int) string {
	var b strings.Builder
	name := strings.ReplaceAll(strings.Replace(p.name, " help ", " ", 1), " ", "-")
	fmt.Fprintf(&b, ".TH %s %d\n.SH NAME\n%s \\- %s\n", escapeRoff(strings.ToUpper(name)), section, escapeRoff(name), escapeRoff(p.short))
	if p.usage != "" {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", escapeRoff(p.usage))
	}
	if p.long != "" {
		b.WriteString(".SH DESCRIPTION\n" + roffText(p.long))
	}
	for _, l := range p.commands {
		b.WriteString(".SH " + escapeRoff(strings.ToUpper(l.title)) + "\n")
		for _, e := range l.entries {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", escapeRoff(e[0]), escapeRoff(e[1]))
		}
	}
	if len(p.flags) > 0 {
		b.WriteString(".SH OPTIONS\n")
	}
	for _, g := range p.flags {
		fmt.Fprintf(&b, ".SS %s\n", escapeRoff(g.title))
		for _, f := range g.flags {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", escapeRoff(flagName(f)), escapeRoff(flagText(f)))
		}
	}
	if p.examples != "" {
		b.WriteString(".SH EXAMPLES\n" + roffText(p.examples))
	}
	if len(p.exits) > 0 {
		b.WriteString(".SH EXIT STATUS\n")
		for _, e := range p.exits {
			fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", e.Code, escapeRoff(e.Meaning))
		}
	}
	if len(p.see) > 0 {
		b.WriteString(".SH SEE ALSO\n" + escapeRoff(strings.Join(p.see, ", ")) + "\n")
	}
	return b.String()
}

// roffText is running text, with what is set off by spaces left as it is.
func roffText(text string) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, " "):
			b.WriteString(".PP\n.nf\n" + escapeRoff(strings.Trim(paragraph, "\n")) + "\n.fi\n")
			continue
		case i > 0:
			b.WriteString(".PP\n")
		}
		b.WriteString(escapeRoff(paragraph) + "\n")
	}
	return b.String()
}

// escapeRoff makes a text stand for itself: a backslash, a hyphen that is copied from
// a command line, a control character at the start of a line, letters beyond ASCII.
func escapeRoff(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			b.WriteString(`\&`)
		}
		for _, r := range line {
			switch {
			case r == '\\':
				b.WriteString(`\e`)
			case r == '-':
				b.WriteString(`\-`)
			case r == '\u00a0':
				b.WriteString(`\ `)
			case r > '~':
				fmt.Fprintf(&b, `\[u%04X]`, r)
			default:
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}
