package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"partita/formulation"
	"partita/inputs"
	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/sat"
)

// backend is one of the exact solvers a search can be asked to use.
type backend struct {
	name    string
	about   string
	missing error // why it cannot be used in this build; nil where it can
}

// backends lists them in the order of the documents.
func backends() []backend {
	var noLPSolve error
	if !lpsolve.Available() {
		noLPSolve = errors.New("this build has no lp_solve; 'make deps build' installs and builds it in, docs/installation.md says how by hand")
	}
	return []backend{
		{name: "labels", about: "label setting on the stage graph"},
		{name: "ilp", about: "integer programs with lp_solve", missing: noLPSolve},
		{name: "sat", about: "Boolean satisfiability with gini"},
	}
}

// auto lets the program choose: labels, confirmed by another backend.
const auto = "auto"

// searchFlags steer the search.
type searchFlags struct {
	backend   string
	timeLimit time.Duration
	verbose   bool
}

func (s *searchFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&s.backend, "backend", auto, "exact solver: auto, labels, ilp or sat (partita version says which are built in)")
	flags.DurationVar(&s.timeLimit, "time-limit", 0, "stop the search after this time with the best plan so far, its bound and gap: 30s (0: no limit)")
	flags.BoolVarP(&s.verbose, "verbose", "v", false, "log the parts of the search to stderr, a line each")
}

// check refuses what the command line asks for and this build cannot do.
func (s *searchFlags) check() error {
	if s.timeLimit < 0 {
		return fmt.Errorf("--time-limit %v: want a positive duration such as 30s", s.timeLimit)
	}
	if s.backend == auto {
		return nil
	}
	names := []string{auto}
	for _, b := range backends() {
		if b.name != s.backend {
			names = append(names, b.name)
			continue
		}
		if b.missing != nil {
			return fmt.Errorf("--backend %s: %w", b.name, b.missing)
		}
		return nil
	}
	return fmt.Errorf("--backend %q: %w", s.backend, oneOf(s.backend, names))
}

// condition is the condition of a command line that asks for what this build can do.
func (s *searchFlags) condition(env Environment, c *conditionFlags, paths []string) (*inputs.Condition, error) {
	if err := s.check(); err != nil {
		return nil, withCode(exitUsage, err)
	}
	return c.load(env, paths)
}

// options are the search's options with the backends of this build; the log goes to
// stderr where it is asked for.
func (s *searchFlags) options(env Environment) formulation.Options {
	opts := formulation.Options{
		Backend:   s.backend,
		TimeLimit: s.timeLimit,
		SAT:       func() (solver.Backend, error) { return sat.New(), nil },
	}
	if lpsolve.Available() {
		opts.ILP = func() (solver.Backend, error) { return lpsolve.New() }
	}
	if s.verbose {
		opts.Log = func(line string) { fmt.Fprintln(env.Err, printable(line)) }
	}
	return opts
}
