package formulation

import (
	"fmt"
	"slices"
	"strings"

	"partita/formulation/stagegraph"
	"partita/inputs/knowledge"
	"partita/results"
)

// engines says of every engine that is known whether it could start the strategy: by the
// rules of its pack, held against the stages as they are mapped. Whether the strategy fits
// is told elsewhere.
func (e *evaluation) engines() error {
	list, err := knowledge.Engines()
	if err != nil {
		return err
	}
	for _, x := range list {
		out := results.Engine{Engine: x.Name, Why: "the strategy does not map onto the GPUs"}
		if e.trial != nil {
			if out.Launchable, out.Why, err = e.launch(x); err != nil {
				return err
			}
		}
		e.out.Engines = append(e.out.Engines, out)
	}
	return nil
}

// launch is the verdict of an engine's rules. Where nobody stated the layers of the
// stages, the engine may cut them its own way.
func (e *evaluation) launch(x knowledge.Engine) (bool, string, error) {
	t := e.trial
	facts := func(parts []stagegraph.Part) knowledge.Plan {
		return t.bench.space.Facts(t.sub.replicas, t.choice.Micro, t.choice.Groups, parts)
	}
	broken, err := knowledge.CheckEngine(x.Name, e.c, facts(t.sub.parts))
	if err != nil {
		return false, "", err
	}
	kept := fmt.Sprintf("keeps the %s of %s", counted(len(x.Rules), "rule"), x.Title)
	if s := e.given.Strategy; len(broken) > 0 && s != nil && len(s.Layers) == 0 {
		again, err := knowledge.CheckEngine(x.Name, e.c, facts(longerFirst(t.sub.parts)))
		if err == nil && len(again) == 0 {
			return true, kept + ", with the longer stages first", nil
		}
	}
	if len(broken) == 0 {
		return e.written(x, kept)
	}
	var why []string
	for _, v := range broken {
		text := v.Rule.Because
		if text == "" {
			text = fmt.Sprintf("%q, %s", v.Rule.Name, v.Rule.Expr)
		}
		why = append(why, fmt.Sprintf("%s (%s)", text, v.Values))
	}
	return false, strings.Join(why, "; "), nil
}

// written is the verdict of what writes an engine's commands: it may have limits that no rule
// tells. It is asked of a strategy that fits, for it needs each GPU by name.
func (e *evaluation) written(x knowledge.Engine, kept string) (bool, string, error) {
	if e.opts.Launch == nil || !e.out.Feasible || e.out.Phase == nil {
		return true, kept, nil
	}
	reasons, err := e.opts.Launch(x.Name, &results.Plan{
		FormatVersion: results.FormatVersion, Condition: e.c.Name, Phases: []results.PhasePlan{*e.out.Phase}, Deployment: results.DeploymentOf(e.c),
	})
	if err != nil {
		return false, "", fmt.Errorf("launch files for %s: %w", x.Title, err)
	}
	if len(reasons) > 0 {
		return false, strings.Join(reasons, "; "), nil
	}
	return true, kept, nil
}

// longerFirst is a pipeline with as many layers on its stages, the most on the first.
func longerFirst(parts []stagegraph.Part) []stagegraph.Part {
	var layers []int
	for _, pt := range parts {
		layers = append(layers, pt.Last-pt.First+1)
	}
	slices.Sort(layers)
	slices.Reverse(layers)
	out := slices.Clone(parts)
	at := 0
	for i := range out {
		out[i].First, out[i].Last = at, at+layers[i]-1
		at += layers[i]
	}
	return out
}
