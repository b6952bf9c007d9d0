package cli

import (
	"io"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/term"
)

// Environment is what a run takes from outside. Tests give their own.
type Environment struct {
	In       io.Reader
	Out      io.Writer
	Err      io.Writer
	Environ  []string // "KEY=value", as os.Environ
	Now      func() time.Time
	Terminal bool   // Err is a terminal: progress may be shown
	Asks     bool   // In is a terminal too: questions may be asked
	Version  string // of the program
	// OutTerminal: Out is a terminal. Columns is how wide it is, 0 where it is none;
	// ErrColumns is the same of Err.
	OutTerminal bool
	Columns     int
	ErrColumns  int
	color       *colorFlag // of the command line
}

// System is the environment of the process.
func System() Environment {
	return Environment{
		In:       os.Stdin,
		Out:      os.Stdout,
		Err:      os.Stderr,
		Environ:  os.Environ(),
		Now:      time.Now,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())),
		Asks:     term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
		Version:  buildVersion(),

		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		Columns:     columnsOfTerminal(os.Stdout),
		ErrColumns:  columnsOfTerminal(os.Stderr),
	}
}

// buildVersion is the module version, with the revision where the build recorded one.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	if version == "" {
		version = "(devel)"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && version == "(devel)" {
			version += " " + s.Value[:12]
		}
	}
	return version
}
