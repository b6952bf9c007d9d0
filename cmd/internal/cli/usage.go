package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/results/launch"
)

// usageText is what a wrong command line is told: what is wrong, what to type, and
// where the rest is explained.
func usageText(cmd *cobra.Command, err error) string {
	p := pageOf(cmd)
	return fmt.Sprintf("partita: %s\nusage: %s\n`%s --help` explains.\n", printable(wrongUsage(cmd, err)), p.usage, p.name)
}

// wrongUsage says what is wrong with a command line.
func wrongUsage(cmd *cobra.Command, err error) string {
	p := pageOf(cmd)
	text := strings.TrimSpace(err.Error())
	if m := tooMany.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("want %s argument, %s are given", m[1], m[2])
	} else if m := noneWanted.FindStringSubmatch(text); m != nil && cmd.HasAvailableSubCommands() {
		text = fmt.Sprintf("unknown command %s of %s, want one of %s", m[1], p.name, strings.Join(commandNames(cmd), ", "))
	} else if m != nil {
		text = m[1] + ": want no argument"
	}
	if strings.HasPrefix(text, "unknown flag: ") && cmd != cmd.Root() && cmd.HasAvailableSubCommands() {
		text += fmt.Sprintf(" of %s itself, want one of its commands: %s", p.name, strings.Join(commandNames(cmd), ", "))
	}
	return text
}

// What cobra says of a wrong number of arguments.
var (
	tooMany    = regexp.MustCompile(`^accepts ((?:at most |between )?\d+(?: and \d+)?) arg\(s\), received (\d+)$`)
	noneWanted = regexp.MustCompile(`^unknown command ("[^"]*") for "[^"]* [^"]*"$`)
)

// flagError says of a flag that cobra refuses what to type instead.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if near := nearestFlag(cmd, name); near != "" {
			return fmt.Errorf("%w; did you mean %s?", err, near)
		}
	case errors.As(err, &invalid):
		cause := fmt.Sprint(errors.Unwrap(invalid))
		switch f := invalid.GetFlag(); f.Value.Type() {
		case "duration":
			cause = "want a time such as 30s, 500ms or 2m"
		case "int", "uint", "int64":
			cause = "want a whole number"
		case "float64":
			cause = "want a number"
		case "bool":
			cause = "want true or false"
		}
		return fmt.Errorf("--%s %q: %s", invalid.GetFlag().Name, invalid.GetValue(), cause)
	}
	return err
}

// nearestFlag is the flag of a command that a name is a slip of, or that it begins.
func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return nearestName("--"+name, names)
}

// nearestName lists the names that a word is a slip of, or that it begins; "" where
// there is none. How near is near is cobra's to say, as for commands.
func nearestName(word string, names []string) string {
	among := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, name := range names {
		among.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	return strings.Join(among.SuggestionsFor(word), " or ")
}

// commandNames are the commands and topics below a command.
func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			names = append(names, sub.Name())
		}
	}
	return names
}

// knownCommand refuses a word that is no command: a slip of one, or a file that a
// command was forgotten before.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	_, err := os.Stat(args[0])
	if near := nearestName(args[0], commandNames(cmd)); near != "" {
		text += fmt.Sprintf("; did you mean %s?", near)
	} else if err == nil {
		text += fmt.Sprintf("; did you mean `%s solve %s`?", cmd.CommandPath(), launch.Word(printable(args[0])))
	}
	return errors.New(text)
}
