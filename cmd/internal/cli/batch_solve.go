package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"partita/cmd/internal/batch"
	"partita/formulation"
	"partita/inputs"
	"partita/inputs/read"
	"partita/inputs/scenario"
	"partita/results"
	"partita/results/export"
)

// scenarioSolver solves scenarios one after the other. What they share is priced once.
type scenarioSolver struct {
	env      Environment
	settings scenario.Settings
	reader   *read.Reader
	session  *formulation.Session
	options  formulation.Options
}

func newScenarioSolver(env Environment, b *scenario.Batch, r *read.Reader) *scenarioSolver {
	search := searchFlags{backend: b.Settings.Backend, timeLimit: b.Settings.TimeLimit}
	options := search.options(env)
	options.Log = nil // of a thousand searches nobody reads the steps
	options.Confirm = b.Settings.ConfirmLimit
	if !b.Settings.Confirm && options.Backend == auto {
		options.Backend = "labels"
	}
	return &scenarioSolver{env: env, settings: b.Settings, reader: r, session: formulation.NewSession(), options: options}
}

// solve is a batch.Solver: whatever is wrong with a scenario is its outcome.
func (s *scenarioSolver) solve(ctx context.Context, sc *scenario.Scenario) (batch.Outcome, error) {
	out := batch.Outcome{Result: results.ScenarioResult{Name: sc.Name, Values: map[string]string{}}}
	for _, v := range sc.Values {
		out.Result.Values[v.Axis] = v.Label
	}
	report, condition, err := s.search(ctx, sc)
	if err == nil {
		err = s.judge(&out, condition, report)
	}
	if err != nil {
		failed(&out.Result, err)
	}
	return out, nil
}

// search reads the scenario and finds its plan. A panic is an error of this scenario
// alone; its trace goes to stderr, for it is not the same from run to run.
func (s *scenarioSolver) search(ctx context.Context, sc *scenario.Scenario) (r *results.Report, c *inputs.Condition, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(s.env.Err, "partita: scenario %s: internal failure, please report it with the condition: %v\n%s", sc.Name, cause, debug.Stack())
			err = fmt.Errorf("internal failure: %v", cause)
			s.session = formulation.NewSession() // what it knew may be half written
		}
	}()
	if c, err = sc.Condition(s.reader); err != nil {
		return nil, nil, err
	}
	r, err = s.session.Optimize(ctx, c, s.options)
	return r, c, err
}

// failed fills in the outcome of an error: of a condition that is wrong, a plan that
// failed verification, a program that failed.
func failed(r *results.ScenarioResult, err error) {
	var asked *formulation.AskedError
	r.Exit, r.Reason = codeOf(err), err.Error()
	if errors.As(err, &asked) {
		r.Exit = exitInvalidInput // the condition asks for what no plan can be judged by
	}
	switch r.Exit {
	case exitInvalidInput:
		r.Status = results.StatusInvalid
	case exitUnverified:
		r.Status = results.StatusUnverified
	case exitNothingFound:
		r.Status = results.StatusUnknown
	default:
		r.Exit, r.Status = exitInternal, results.StatusFailed
	}
}

// judge verifies a report and fills in the outcome: the figures where the plan meets
// its condition, the reasons where not, and the files.
func (s *scenarioSolver) judge(out *batch.Outcome, c *inputs.Condition, report *results.Report) error {
	if err := conclusive(report); err != nil {
		return err
	}
	if err := verified(c, report); err != nil {
		return err
	}
	flags := outputFlags{requireOptimal: s.settings.RequireOptimal}
	r := &out.Result
	r.Status, r.Exit = report.Status, flags.code(report)
	if !report.Feasible {
		r.Reason = strings.Join(report.Reasons, "\n")
		if r.Exit == exitNothingFound {
			r.Status = results.StatusUnknown // the closest plan found is no plan
		}
	}
	if report.Plan == nil {
		return nil
	}
	for i := range report.Plan.Phases {
		report.Plan.Phases[i].Solve.TimeMS = 0 // a clock decides it: left out
	}
	if u := report.Plan.Disaggregated; u != nil {
		u.Solve.TimeMS = 0
	}
	if phase := report.Plan.Whole(); report.Feasible {
		r.Objective, r.ObjectiveUnit = &phase.Solve.Objective, phase.Solve.ObjectiveUnit
		r.Gap, r.AgreedBy = phase.Solve.Gap, phase.Solve.AgreedBy
		r.GPUs, r.Metrics = &phase.GPUs, phase.Metrics
		if report.Plan.Disaggregated == nil { // else there are two, in the plan
			r.Strategy = &phase.Strategy
		}
		r.Comparison = report.Plan.Comparison
		if report.Status != results.StatusOptimal {
			r.Reason = "not proved optimal within the limit"
		}
	}
	return s.files(out, report)
}

// files adds the files that the settings ask for.
func (s *scenarioSolver) files(out *batch.Outcome, report *results.Report) error {
	if s.settings.Plans == scenario.PlansNone || s.settings.Plans == scenario.PlansFound && !report.Feasible {
		return nil
	}
	name, data, err := export.PlanFile(report)
	if err != nil {
		return err
	}
	out.Files = append(out.Files, batch.Content{Name: name, Data: data})
	if report.Feasible {
		out.Result.Plan = batch.PathOf(out.Result.Name, name)
	} else {
		out.Result.ClosestPlan = batch.PathOf(out.Result.Name, name)
	}
	if s.settings.Reports {
		out.Files = append(out.Files, batch.Content{Name: "report.md", Data: export.Report(report)})
		out.Result.Report = batch.PathOf(out.Result.Name, "report.md")
	}
	return nil
}
