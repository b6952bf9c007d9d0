package path

import "fmt"

// Rule names a condition of the problem that a path can violate.
type Rule string

// The rules, in the order in which Evaluate checks them.
const (
	RuleContinuity Rule = "continuity" // the stages follow on from each other, first boundary to last
	RuleOption     Rule = "option"     // each stage runs an option of the class of its interval
	RuleResource   Rule = "resource"   // capacity, used up where exact
	RulePacking    Rule = "packing"    // groups fit into bins, totals
	RuleLimit      Rule = "limit"      // F_p ≤ Limit_p
	RuleCap        Rule = "cap"        // second combination of the metrics
	RuleBalance    Rule = "balance"    // min Time[1]·Den ≥ Num·max Time[1]
	RuleStages     Rule = "stages"     // number of arcs
)

// Infraction is the error of Evaluate: the first rule that a path violates. Index
// is the stage, resource, packing or phase it speaks of, -1 where there is only one.
type Infraction struct {
	Rule      Rule
	Index     int
	Want, Got int64
}

// Error says what is violated and by how much, in the units of the problem.
func (e *Infraction) Error() string {
	switch e.Rule {
	case RuleContinuity:
		return fmt.Sprintf("stage %d starts at boundary %d: %d expected", e.Index, e.Got, e.Want)
	case RuleOption:
		return fmt.Sprintf("stage %d runs option %d of class %d, which its interval does not offer", e.Index, e.Got, e.Want)
	case RuleResource:
		return fmt.Sprintf("resource %d: %d units used, capacity %d", e.Index, e.Got, e.Want)
	case RulePacking:
		if e.Want >= 0 {
			return fmt.Sprintf("packing %d: %d units used, exactly %d required", e.Index, e.Got, e.Want)
		}
		return fmt.Sprintf("packing %d: the groups do not fit into the bins", e.Index)
	case RuleLimit:
		return fmt.Sprintf("phase %d: metric %d is over the limit %d", e.Index, e.Got, e.Want)
	case RuleCap:
		return fmt.Sprintf("the capped combination of the metrics is %d, over %d", e.Got, e.Want)
	case RuleBalance:
		return fmt.Sprintf("balance: shortest stage time × Den is %d, below longest × Num, %d", e.Got, e.Want)
	default:
		bound := "at most"
		if e.Got < e.Want {
			bound = "at least"
		}
		return fmt.Sprintf("%d stages, %s %d allowed", e.Got, bound, e.Want)
	}
}

// Evaluate is the exact value of a path. The error is an *Infraction that names the
// first condition the path violates; the value is then zero.
func (p *Problem) Evaluate(stages []Stage) (Value, error) {
	if bad := p.structure(stages); bad != nil {
		return Value{}, bad
	}
	v := p.Value(stages)
	if bad := p.infraction(stages, v); bad != nil {
		return Value{}, bad
	}
	return v, nil
}

// structure checks that the stages are a path and run options that exist.
func (p *Problem) structure(stages []Stage) *Infraction {
	at := 0
	for i, s := range stages {
		if s.From != at || s.To <= s.From || s.To >= p.Boundaries {
			return &Infraction{RuleContinuity, i, int64(at), int64(s.From)}
		}
		at = s.To
		class := p.ClassOf(s.From, s.To)
		if class < 0 || class != s.Class || s.Option < 0 || int(s.Option) >= len(p.Options[class]) {
			return &Infraction{RuleOption, i, int64(s.Class), int64(s.Option)}
		}
	}
	if at != p.Boundaries-1 {
		return &Infraction{RuleContinuity, len(stages), int64(p.Boundaries - 1), int64(at)}
	}
	return nil
}

// infraction checks everything but the structure, given the metrics of the path.
func (p *Problem) infraction(stages []Stage, v Value) *Infraction {
	used := p.Used(stages)
	for r, res := range p.Resources {
		if used[r] > res.Capacity || res.Exact && used[r] != res.Capacity {
			return &Infraction{RuleResource, r, int64(res.Capacity), int64(used[r])}
		}
	}
	for i, k := range p.Packings {
		units, total := make([]int, len(k.Resources)), 0
		for j, r := range k.Resources {
			units[j] = used[r]
			total += used[r]
		}
		if k.Total >= 0 && total != k.Total {
			return &Infraction{RulePacking, i, int64(k.Total), int64(total)}
		}
		if !k.Fits(units) {
			return &Infraction{RulePacking, i, -1, int64(total)}
		}
	}
	for f, limit := range p.Limit {
		if v.Metric[f] > limit {
			return &Infraction{RuleLimit, f, limit, v.Metric[f]}
		}
	}
	if p.Cap != nil {
		if sum := p.Cap.Of(v.Metric); sum > p.Cap.Max {
			return &Infraction{RuleCap, -1, p.Cap.Max, sum}
		}
	}
	if p.BalanceNum > 0 {
		if got, want := v.Low[1]*p.BalanceDen, v.Peak[1]*p.BalanceNum; got < want {
			return &Infraction{RuleBalance, -1, want, got}
		}
	}
	switch n := len(stages); {
	case p.MaxStages > 0 && n > p.MaxStages:
		return &Infraction{RuleStages, -1, int64(p.MaxStages), int64(n)}
	case n < p.MinStages:
		return &Infraction{RuleStages, -1, int64(p.MinStages), int64(n)}
	}
	return nil
}

// admitsStages reports whether a path may have so many arcs.
func (p *Problem) admitsStages(n int) bool {
	return n >= p.MinStages && (p.MaxStages == 0 || n <= p.MaxStages)
}

// Of is Σ Weight_p·F_p, the left side of the cap.
func (c *Cap) Of(metric [2]int64) int64 {
	return c.Weight[0]*metric[0] + c.Weight[1]*metric[1]
}

// Used counts the units that the stages take from each resource.
func (p *Problem) Used(stages []Stage) []int {
	used := make([]int, len(p.Resources))
	for _, s := range stages {
		o := p.option(s)
		used[o.Resource] += int(o.Units)
	}
	return used
}

// Value is the metrics of the stages in their order, sends included, whether or not
// the path is allowed. Class and Option of each stage must exist.
func (p *Problem) Value(stages []Stage) Value {
	var v Value
	for i, s := range stages {
		o := p.option(s)
		time := o.Time
		if i+1 < len(stages) && p.Send != nil {
			send := p.Send[o.Group][p.option(stages[i+1]).Group]
			time[0] += send[0]
			time[1] += send[1]
		}
		for f := range time {
			v.Sum[f] += time[f]
			v.Peak[f] = max(v.Peak[f], time[f])
			if i == 0 || time[f] < v.Low[f] {
				v.Low[f] = time[f]
			}
		}
		v.Fee += o.Fee
	}
	v.Objective = v.Fee
	for f, phase := range p.Phases {
		v.Metric[f] = phase.Metric(v.Sum[f], v.Peak[f])
		v.Objective += p.Weight[f] * v.Metric[f]
	}
	return v
}

func (p *Problem) option(s Stage) *Option { return &p.Options[s.Class][s.Option] }
