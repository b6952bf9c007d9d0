package cli

import (
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"partita/results/export"
)

// Widths that texts are laid out for: a terminal's own between these, that of the
// classic terminal where there is none.
const (
	narrowestScreen = 60
	widestScreen    = 120
	plainScreen     = 80
)

// colorModes are the values of --color.
func colorModes() []string { return []string{"auto", "always", "never"} }

// colorFlag is --color, one for all commands.
type colorFlag struct{ mode string }

func (f *colorFlag) String() string { return f.mode }
func (f *colorFlag) Type() string   { return "when" }

func (f *colorFlag) Set(v string) error {
	if err := oneOf(v, colorModes()); err != nil {
		return err
	}
	f.mode = v
	return nil
}

// register adds the flag to the program, for all commands.
func (f *colorFlag) register(flags *pflag.FlagSet) {
	f.mode = "auto"
	flags.Var(f, "color", "colours, `WHEN`: auto (on a terminal, unless NO_COLOR is set), always or never")
}

// screen is what a result on stdout is laid out for.
func (e *Environment) screen() export.Screen {
	return export.Screen{Width: columnsOf(e.Columns), Color: e.colored(e.OutTerminal)}
}

// errorScreen is the same for stderr.
func (e *Environment) errorScreen() export.Screen {
	return export.Screen{Width: columnsOf(e.ErrColumns), Color: e.colored(e.Terminal)}
}

// columnsOf is the width of a text on a terminal; 0 columns: no terminal.
func columnsOf(columns int) int {
	if columns <= 0 {
		return plainScreen
	}
	return min(max(columns, narrowestScreen), widestScreen)
}

// colored decides on colours: --color, then NO_COLOR (https://no-color.org), then
// CLICOLOR_FORCE and FORCE_COLOR, then whether it is a terminal that can.
func (e *Environment) colored(terminal bool) bool {
	if e.color != nil && e.color.mode != "auto" {
		return e.color.mode == "always"
	}
	for _, name := range []string{"CLICOLOR_FORCE", "FORCE_COLOR"} {
		if v := e.variable(name); v != "" && v != "0" && v != "false" {
			terminal = true
			break
		} else if v != "" && name == "FORCE_COLOR" {
			terminal = false
		}
	}
	return terminal && e.variable("NO_COLOR") == "" && e.variable("TERM") != "dumb" && e.variable("CLICOLOR") != "0"
}

// variable is the last value of a variable of the environment, "" where it is not set.
func (e *Environment) variable(name string) string {
	value := ""
	for _, pair := range e.Environ {
		if v, found := strings.CutPrefix(pair, name+"="); found {
			value = v
		}
	}
	return value
}

// columnsOfTerminal is the width of a terminal, 0 where a file is none.
func columnsOfTerminal(f *os.File) int {
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
