package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
	"partita/results/export"
	"partita/solver"
)

// restore reads a solution back: the plan, verified, and its objective.
func (m *modelFlags) restore(ctx context.Context, env Environment, c *inputs.Condition) error {
	data, err := os.ReadFile(m.mapFile)
	if err != nil {
		return withCode(exitInvalidInput, err)
	}
	var about modelMap
	if err := json.Unmarshal(data, &about); err != nil {
		return withCode(exitInvalidInput, fmt.Errorf("%s: not a map that was written with a model: %w", m.mapFile, err))
	}
	if about.FormatVersion != results.FormatVersion || len(about.Candidates) == 0 && about.Spec.Replicas == 0 {
		return withCode(exitInvalidInput, fmt.Errorf("%s: not a map that was written with a model of this version of the program", m.mapFile))
	}
	if about.Condition != c.Name {
		return withCode(exitInvalidInput, fmt.Errorf("%s: written from the condition %q, this is %q", m.mapFile, about.Condition, c.Name))
	}
	s, err := m.solution(env, &about)
	if err != nil {
		return withCode(exitInvalidInput, fmt.Errorf("%s: %w", m.decode, err))
	}
	if s.Infeasible {
		return withCode(exitInfeasible, errors.New(unsolvable(&about)))
	}
	chosen, err := about.chosen(s)
	if err != nil {
		return withCode(exitInvalidInput, fmt.Errorf("%s: %w", m.decode, err))
	}
	model, err := formulation.Reformulate(c, about.Spec)
	if err != nil {
		return withCode(exitInvalidInput, fmt.Errorf("%s: no model of this condition: %w", m.mapFile, err))
	}
	r, err := model.Restore(ctx, chosen)
	var broken *formulation.NotAPlanError
	switch {
	case errors.As(err, &broken):
		return withCode(exitUnverified, fmt.Errorf("%s: %w", m.decode, err))
	case err != nil:
		return withCode(exitInvalidInput, fmt.Errorf("%s: %w: the condition is not the one that the model was written from", m.mapFile, err))
	}
	if err := verified(c, r.Report); err != nil {
		return err
	}
	return m.tellRestored(env, &about, r)
}

// solution reads the file of --decode.
func (m *modelFlags) solution(env Environment, about *modelMap) (*solver.Solution, error) {
	in := env.In
	if m.decode != "-" {
		f, err := os.Open(m.decode)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	names := make(map[string]bool, len(about.Candidates))
	for _, c := range about.Candidates {
		names[c.Name] = true
	}
	return solver.ReadSolution(in, func(name string) bool { return names[name] })
}

// unsolvable says what it means that a solver found the model without solution.
func unsolvable(about *modelMap) string {
	text := "the solver says that the model has no solution"
	for _, f := range about.Files {
		if f.AtMost != nil && about.Optimum != nil && *f.AtMost < *about.Optimum {
			text += fmt.Sprintf(": of %s (J ≤ %d) that is right, and proves that no plan of this outer choice is better than J = %d", f.File, *f.AtMost, *about.Optimum)
			break
		}
	}
	return text
}

// chosen are the candidates whose variables are 1.
func (about *modelMap) chosen(s *solver.Solution) ([]formulation.Candidate, error) {
	var out []formulation.Candidate
	numbered := about.Format == formatCNF || about.Format == formatOPB
	if numbered && s.Numbered == nil || !numbered && s.Named == nil {
		return nil, fmt.Errorf("the map is of a model in %s, the solution is not of one", about.Format)
	}
	for _, c := range about.Candidates {
		if numbered {
			if s.Numbered[c.Number] {
				out = append(out, c.Candidate)
			}
			continue
		}
		const whole = 1e-5 // what solvers in floating point call an integer
		v := s.Named[c.Name]
		if math.Abs(v-math.Round(v)) > whole || v < -whole || v > 1+whole {
			return nil, fmt.Errorf("%s is %g: neither 0 nor 1", c.Name, v)
		}
		if v > 0.5 {
			out = append(out, c.Candidate)
		}
	}
	return out, nil
}

// restoredLine is what --decode --json prints.
type restoredLine struct {
	Ticks         int64            `json:"ticks"`
	Objective     float64          `json:"objective"`
	ObjectiveUnit string           `json:"objective_unit"`
	Optimum       *int64           `json:"optimum,omitempty"`
	GapPercent    *float64         `json:"gap_percent,omitempty"`
	Verified      bool             `json:"verified"`
	Plan          json.RawMessage  `json:"plan"`
	Manifest      *export.Manifest `json:"manifest,omitempty"`
}

func (m *modelFlags) tellRestored(env Environment, about *modelMap, r *formulation.Restored) error {
	line := restoredLine{Ticks: r.Ticks, Objective: r.Value, ObjectiveUnit: about.ObjectiveUnit, Optimum: about.modelHead.Optimum, Verified: true}
	verdict := "no optimum is known"
	if o := line.Optimum; o != nil && *o > 0 {
		gap := 100 * float64(r.Ticks-*o) / float64(*o)
		line.GapPercent = &gap
		switch {
		case r.Ticks == *o && about.Status == results.StatusOptimal:
			verdict = "the proved optimum of the condition"
		case r.Ticks < *o && about.Status == results.StatusOptimal:
			return fmt.Errorf("the plan is worth J = %d and passes every check, but J = %d was proved to be the optimum: one of them is wrong, please report it with the condition", r.Ticks, *o)
		default:
			verdict = fmt.Sprintf("%+.4g %% against J = %d, the best known of the condition", gap, *o)
		}
	}
	if m.out != "" {
		manifest, err := export.Write(m.out, r.Report)
		if err != nil {
			return fmt.Errorf("writing the artifacts: %w", err)
		}
		line.Manifest = &manifest
	}
	if m.json {
		data, err := export.PlanJSON(r.Report.Plan)
		if err != nil {
			return err
		}
		line.Plan = data
		return toStdout(env, line)
	}
	if err := export.SummaryOn(env.Out, r.Report, env.screen()); err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	_, err := fmt.Fprintf(env.Out, "\nJ = %d ticks, %.6g in %s: %s\n", r.Ticks, r.Value, about.ObjectiveUnit, verdict)
	if err == nil && line.Manifest != nil {
		_, err = fmt.Fprintf(env.Out, "results in %s\n", absolute(m.out))
	}
	return err
}
