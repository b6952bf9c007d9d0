package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/export"
)

// varyFlags say which field varies.
type varyFlags struct {
	sweep       *read.Sweep
	text        string
	resolution  float64
	everyChange bool
}

// defaultResolution is how near the ends of a change are brought: finer than any
// prediction is right.
const defaultResolution = 0.01

func (v *varyFlags) register(flags *pflag.FlagSet) {
	flags.Var(v, "vary", "the best plan at each value of a field: `PATH=LOW..HIGH`, @N values, :log or :linear; or PATH=A,B,C")
	v.resolution = defaultResolution
	flags.Var((*shareFlag)(&v.resolution), "resolution", "with --vary: how near a change of strategy is located, as a share of the value")
	flags.BoolVar(&v.everyChange, "every-change", false, "with --vary: a change of layers, micro-batches or decode groups counts too")
}

func (v *varyFlags) String() string { return v.text }
func (v *varyFlags) Type() string   { return "path=values" }

func (v *varyFlags) Set(text string) error {
	if v.sweep != nil {
		return errors.New("one field can vary at a time; partita batch takes several")
	}
	s, err := read.ParseSweep(text)
	if err != nil {
		return err
	}
	v.sweep, v.text = s, text
	return nil
}

func (v *varyFlags) check() error {
	if v.sweep == nil && (v.everyChange || v.resolution != defaultResolution) {
		return errors.New("--resolution and --every-change: want --vary with them")
	}
	return nil
}

// shareFlag is a share above 0 and below 1: 1%, 0.01.
type shareFlag float64

func (s *shareFlag) String() string { return inputs.FormatShare(float64(*s)) }
func (s *shareFlag) Type() string   { return "share" }

func (s *shareFlag) Set(text string) error {
	v, err := inputs.ParseShare(text)
	if err != nil || v <= 0 || v >= 1 {
		return errors.New("want a share above 0 and below 1, such as 1% or 0.01")
	}
	*s = shareFlag(v)
	return nil
}

// runVary finds and shows the best plan at each value.
func (f *paretoFlags) runVary(ctx context.Context, env Environment, args []string) error {
	s := f.vary.sweep
	reader, err := read.NewReader("")
	if err != nil {
		return err
	}
	base := f.condition.overrides
	v := formulation.Variable{Path: s.Path, EveryChange: f.vary.everyChange}
	for _, x := range s.Values {
		v.Values = append(v.Values, formulation.VariableValue{Text: x.Text, Number: x.Number})
	}
	if s.Quantity() {
		v.Between = func(a, b formulation.VariableValue) (formulation.VariableValue, bool) {
			mid, ok := s.Between(read.SweepValue{Text: a.Text, Number: a.Number}, read.SweepValue{Text: b.Text, Number: b.Number}, f.vary.resolution)
			return formulation.VariableValue{Text: mid.Text, Number: mid.Number}, ok
		}
	}
	v.Read = func(x formulation.VariableValue) (*inputs.Condition, error) {
		c, err := reader.Load(read.Options{
			Paths: args, Stdin: env.In, Env: env.Environ, Model: f.condition.model,
			Overrides: append(base[:len(base):len(base)], read.Override{Key: s.Path, Value: x.Text}),
		})
		if err == nil && f.free {
			c = withoutRequirements(c)
		}
		return c, err
	}
	out, err := watched(env, &f.search, func(opts formulation.Options) (*results.Variation, error) { return formulation.Vary(ctx, v, opts) })
	if err != nil {
		return ofFlagsAlone(err)
	}
	out.Quantity, out.Log, out.Unit, out.Resolution = s.Quantity(), s.Log, s.Unit, f.vary.resolution
	for i := range out.Points {
		p := &out.Points[i]
		if p.Plan == nil {
			continue
		}
		if err := verifiedPoint(p.Given, p.Plan, s.Path+" = "+p.Value); err != nil {
			return err
		}
	}
	return f.printVariation(env, out)
}

func (f *paretoFlags) printVariation(env Environment, out *results.Variation) error {
	var paths []string
	if f.out.dir != "" {
		var err error
		if paths, err = export.WriteVariation(f.out.dir, out); err != nil {
			return fmt.Errorf("writing the variation: %w", err)
		}
	}
	var err error
	switch {
	case f.out.json:
		err = json.NewEncoder(env.Out).Encode(out)
	case f.csv:
		var data []byte
		if data, err = export.VariationCSV(out); err == nil {
			_, err = env.Out.Write(data)
		}
	default:
		if err = export.VariationText(env.Out, out, env.screen()); err == nil {
			err = f.named(env, paths)
		}
	}
	if err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return endWith(f.variationCode(out))
}

// variationCode is the exit code: found where any value has a plan.
func (f *paretoFlags) variationCode(out *results.Variation) int {
	found, open, proved := false, false, true
	for i := range out.Points {
		found = found || out.Points[i].Plan != nil
		open = open || out.Points[i].Status == results.StatusUnknown
		proved = proved && (out.Points[i].Status == results.StatusOptimal || out.Points[i].Status == results.StatusInfeasible)
	}
	switch {
	case !found && open:
		return exitNothingFound
	case !found:
		return exitInfeasible
	case f.out.requireOptimal && !proved:
		return exitNotOptimal
	}
	return exitFound
}
