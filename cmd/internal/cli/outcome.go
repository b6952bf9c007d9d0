package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"partita/inputs"
	"partita/results"
	"partita/results/export"
	"partita/results/verify"
)

// outputFlags say where the artifacts go and what a run may call a success.
type outputFlags struct {
	dir            string
	json           bool
	requireOptimal bool
}

func (o *outputFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&o.dir, "out", "o", "", "folder for the artifacts (default partita-out/NAME of the condition)")
	flags.BoolVar(&o.json, "json", false, "print the manifest as one JSON line instead of the summary")
	flags.BoolVar(&o.requireOptimal, "require-optimal", false, "exit 7 where the plan is not proved optimal")
}

// finish verifies a report, writes its artifacts, prints the result and returns
// the exit code as an error. A plan that fails verification is never written.
func (o *outputFlags) finish(env Environment, c *inputs.Condition, r *results.Report) error {
	if err := conclusive(r); err != nil {
		return err
	}
	if err := verified(c, r); err != nil {
		return err
	}
	dir := o.dir
	if dir == "" {
		dir = filepath.Join("partita-out", folderName(c.Name))
	}
	manifest, err := during(env, "writing the files", func() (export.Manifest, error) { return export.Write(dir, r) })
	if err != nil {
		return fmt.Errorf("writing the artifacts: %w", err)
	}
	if o.json {
		if err := tellWhy(env, r.Explanation); err != nil {
			return fmt.Errorf("writing to stderr: %w", err)
		}
		err = json.NewEncoder(env.Out).Encode(manifest)
	} else {
		err = o.summary(env, dir, r, manifest)
	}
	if err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return endWith(o.code(r))
}

// summary prints the plan for a terminal and where the rest is.
func (o *outputFlags) summary(env Environment, dir string, r *results.Report, m export.Manifest) error {
	if err := export.SummaryOn(env.Out, r, env.screen()); err != nil {
		return err
	}
	if err := export.StartsOn(env.Out, env.screen(), m, r.Plan); err != nil {
		return err
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "\nresults in %s\n", absolute)
	return err
}

// code is the exit code of a report that was verified and written.
func (o *outputFlags) code(r *results.Report) int {
	switch {
	case !r.Feasible && r.Status != results.StatusInfeasible:
		return exitNothingFound // the closest plan found is written, but nothing is proved
	case !r.Feasible:
		return exitInfeasible
	case o.requireOptimal && r.Status != results.StatusOptimal:
		return exitNotOptimal
	default:
		return exitFound
	}
}

// verified has the plan repeat what its search came to, recomputes it independently and
// records the checklist in it. The error of a plan that fails carries exit code 6 and every failed check.
func verified(c *inputs.Condition, r *results.Report) error {
	if r.Plan == nil {
		return nil
	}
	r.Plan = r.WithOutcome()
	v, err := verify.CheckWith(r.Plan, c, verify.Options{Closest: !r.Feasible})
	if err != nil {
		return withCode(exitUnverified, fmt.Errorf("the plan could not be verified, nothing written: %w", err))
	}
	r.Plan.Verification = v
	what := "the plan"
	for i := range r.Plan.WhatIf {
		w := &r.Plan.WhatIf[i]
		if !v.OK || w.Plan == nil {
			continue
		}
		if v, err = verify.Check(w.Plan, w.Condition); err != nil {
			return withCode(exitUnverified, fmt.Errorf("the plan with %s could not be verified, nothing written: %w", w.Change, err))
		}
		what = "the plan with " + w.Change
	}
	if v.OK {
		return nil
	}
	return unverified(what+" failed verification, nothing written; this is a defect of the search, please report it with the condition", v)
}

// unverified is the error of a verification that fails: what failed, and every check that
// did.
func unverified(what string, v *results.Verification) error {
	var b strings.Builder
	b.WriteString(what + ":")
	for _, check := range verify.Violations(v) {
		fmt.Fprintf(&b, "\n  %s: want %s, got %s", check.Rule, check.Want, check.Got)
	}
	return withCode(exitUnverified, errors.New(b.String()))
}

// folderName makes a condition's name safe as one folder: letters, digits, dot,
// dash and underscore stay, runs of anything else become one dash.
func folderName(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_':
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	safe := strings.Trim(b.String(), "-.")
	if safe == "" {
		return "condition"
	}
	return safe
}

// check refuses an output that is a file before a long search starts.
func (o *outputFlags) check() error {
	if o.dir == "" {
		return nil
	}
	if info, err := os.Stat(o.dir); err == nil && !info.IsDir() {
		return withCode(exitUsage, fmt.Errorf("-o %s: it is a file, want a folder", o.dir))
	}
	return nil
}
