package verify

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"partita/inputs"
	"partita/results"
)

// deploymentCheck: what the plan repeats of the condition, for those who draw or start it
// without the condition, is what the condition says.
func deploymentCheck(p *results.Plan, c *inputs.Condition) results.Check {
	const want = "as the condition says"
	got := "the plan repeats nothing"
	if p.Deployment != nil {
		d, err := unlikeness(results.DeploymentOf(c), p.Deployment)
		switch {
		case err != nil:
			got = "cannot be compared: " + err.Error()
		case d != "":
			got = d
		default:
			got = want
		}
	}
	return results.Check{Rule: ruleDeployment, OK: got == want, Want: want, Got: got}
}

// outcomeCheck: a saved plan calls itself optimal, or proved to be the closest, only where
// its solve does, and meets the condition where it says so.
func outcomeCheck(p *results.Plan) results.Check {
	o := p.Outcome
	c := results.Check{Rule: ruleOutcome, Want: "optimal only with an optimal solve; infeasible only of a closest plan"}
	c.Got = fmt.Sprintf("feasible %t, status %s", o.Feasible, o.Status)
	proved, met := len(p.Phases) > 0, true
	for i := range p.Phases {
		proved = proved && p.Phases[i].Solve.Status == string(results.StatusOptimal)
		for _, q := range p.Phases[i].Requirements {
			met = met && q.Met
		}
		c.Got += ", solve " + p.Phases[i].Solve.Status
	}
	if u := p.Disaggregated; u != nil {
		proved = proved && u.Solve.Status == string(results.StatusOptimal)
		c.Got += ", solve of the split " + u.Solve.Status
	}
	switch o.Status {
	case results.StatusOptimal:
		c.OK = o.Feasible && met && proved
	case results.StatusInfeasible:
		c.OK = !o.Feasible
	case results.StatusFeasible:
		c.OK = !o.Feasible || met
	}
	return c
}

// unlikeness names the first thing in which two values differ as JSON; "" where they
// agree.
func unlikeness(want, got any) (string, error) {
	if reflect.DeepEqual(want, got) {
		return "", nil
	}
	a, err := generic(want)
	if err != nil {
		return "", err
	}
	b, err := generic(got)
	if err != nil {
		return "", err
	}
	return firstDifference("", a, b), nil
}

// generic is a value as maps, lists and scalars.
func generic(v any) (out any, err error) {
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	return out, err
}

func firstDifference(path string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		keys := map[string]bool{}
		for k := range w {
			keys[k] = true
		}
		for k := range g {
			keys[k] = true
		}
		var sorted []string
		for k := range keys {
			sorted = append(sorted, k)
		}
		slices.Sort(sorted)
		for _, k := range sorted {
			if d := firstDifference(path+"."+k, w[k], g[k]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			if d := firstDifference(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); d != "" {
				return d
			}
		}
		return ""
	default:
		if want == got {
			return ""
		}
	}
	const most = 60 // of a value, in bytes: a list of GPUs may be long
	short := func(v any) string {
		text := fmt.Sprint(v)
		if len(text) > most {
			text = text[:most] + "…"
		}
		return text
	}
	return fmt.Sprintf("deployment%s is %s, the condition has %s", path, short(got), short(want))
}
