package formulation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// ExplainTime is how long an explanation may take where no limit is stated, and three
// times as long as one beside a report. Most take a tenth of a second; with several pools
// a single question can take minutes.
const ExplainTime = 30 * time.Second

// Explain says why no plan meets a condition: a set of demands that clash, minimal and
// checked to be so, and for each of them the nearest value for which a plan exists.
// Where a plan exists it says how far each demand could be tightened, and what binds.
// What a clock cut short is said, never guessed.
//
// The exact search of Optimize decides every question: each is whether some plan meets
// a changed condition.
func Explain(ctx context.Context, c *inputs.Condition, opts Options) (*results.Explanation, error) {
	if err := noGraph(c, "explain", "`partita solve` says which requirement is missed and by how much"); err != nil {
		return nil, err
	}
	if err := noTraining(c, "explain", "`partita solve` says which requirement is missed and by how much"); err != nil {
		return nil, err
	}
	if err := pipelinesAlone(c, "explain"); err != nil {
		return nil, err
	}
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	if err := checkAsked(c); err != nil {
		return nil, err
	}
	e := newExplainer(c, opts)
	e.opts.log("whether a plan exists")
	x, err := e.first(ctx)
	if err != nil {
		return nil, err
	}
	if !x.known {
		return &results.Explanation{Unknown: true, Conflict: []results.Clash{}, Nearest: []results.Nearest{}}, nil
	}
	ctx, cancel := limited(ctx, ExplainTime)
	defer cancel()
	if x.yes {
		return e.feasible(ctx, x)
	}
	return e.infeasible(ctx)
}

// first decides whether solve would find a plan that meets everything. Where no plan can
// be placed on all GPUs that are stated, solve takes as many as one can be placed on; from
// then on that many have to work, or where nothing can be placed, any.
func (e *explainer) first(ctx context.Context) (answer, error) {
	all := asStated(e.demands)
	x, err := e.ask(ctx, all)
	if _, asked := mustWork(e.base); err != nil || x.yes || !x.known || !asked {
		return e.noted(all, x), err
	}
	r, err := e.runOn(all, e.boxOf(all), variant{more: -1})
	if err != nil {
		return x, err
	}
	asked := r.goal.layoutsOf()
	fits, err := r.placeable(ctx, asked)
	if err != nil || fits {
		return e.noted(all, x), err
	}
	counts, ok, err := r.workable(ctx, asked)
	if err != nil || !ok {
		return answer{}, err
	}
	e.usable = 1
	if len(counts.list) > 0 {
		if !r.goal.perGPU {
			l := counts.list[0].layouts[0]
			e.usable = l.Used() * l.Replicas
		}
		adm, err := r.admitted(ctx, counts)
		x = answer{yes: adm.plan != nil, known: adm.settled, admission: adm, run: r, batch: e.base.Workload.Batch, input: e.base.Workload.Input.Max, variant: variant{more: -1}}
		if err != nil || x.yes {
			return x, err
		}
	}
	return e.noted(all, x), nil
}

// noted keeps an answer.
func (e *explainer) noted(a asks, x answer) answer {
	e.answers[e.key(a)] = x
	return x
}

// explanation is Explain for a condition that is proved to be infeasible; nil where time
// runs out before that is seen again.
func explanation(ctx context.Context, c *inputs.Condition, opts Options) (*results.Explanation, error) {
	ctx, cancel := limited(ctx, ExplainTime/3)
	defer cancel()
	e := newExplainer(c, opts)
	if x, err := e.first(ctx); err != nil || x.yes || !x.known {
		return nil, err
	}
	return e.infeasible(ctx)
}

// explain adds an explanation to a report. The nearest values of requirements that the
// closest plan misses become those of the explanation: it lets a default balance give
// way, as solve does.
func explain(rep *results.Report, x *results.Explanation) {
	rep.Explanation = x
	if rep.Plan == nil {
		return
	}
	rep.Plan.Explanation = x
	for _, n := range x.Nearest {
		for i := range rep.Plan.Phases {
			for j := range rep.Plan.Phases[i].Requirements {
				q := &rep.Plan.Phases[i].Requirements[j]
				if q.Name != n.Requirement || q.Met || n.Nearest == nil || len(n.AlsoRelaxed) > 0 {
					continue
				}
				before := missed(*q)
				v := *n.Nearest
				q.Nearest = &v
				for k, reason := range rep.Reasons {
					if reason == before {
						rep.Reasons[k] = missed(*q)
					}
				}
			}
		}
	}
}

// limited is a context that ends: questions take a share of the time that is left.
func limited(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// explainer answers what clashes in a condition.
type explainer struct {
	base    *inputs.Condition
	opts    Options
	demands []demand
	known   stagegraph.Cache
	answers map[string]answer // by asks
	// usable is how many GPUs have to work where no plan can be placed on all; 0: all.
	usable int
	// settling: nearest values are looked for, and each is to be one for which solve itself
	// finds a plan, also where it falls back on fewer GPUs.
	settling bool
}

func newExplainer(c *inputs.Condition, opts Options) *explainer {
	opts.Backend = backendLabels
	return &explainer{base: c, opts: opts, demands: demandsOf(c), answers: map[string]answer{}}
}

// infeasible explains a condition that no plan meets.
func (e *explainer) infeasible(ctx context.Context) (*results.Explanation, error) {
	all := asStated(e.demands)
	sets, minimal, err := e.conflicts(ctx, all)
	if err != nil {
		return nil, err
	}
	out := &results.Explanation{Minimal: minimal, Conflict: []results.Clash{}, Nearest: []results.Nearest{}, Scope: e.scope()}
	e.settling = e.usable > 0
	for i, set := range sets {
		c, err := e.describe(ctx, all, set)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			out.Conflict, out.Nearest = c.Conflict, c.Nearest
			continue
		}
		out.Further = append(out.Further, *c)
	}
	return out, nil
}

// describe is a conflict in sentences, with the way out by each of its demands.
func (e *explainer) describe(ctx context.Context, all asks, set []int) (*results.Conflict, error) {
	c := &results.Conflict{Conflict: []results.Clash{}, Nearest: []results.Nearest{}}
	set = e.told(set)
	for k, i := range set {
		d := &e.demands[i]
		e.opts.log("the nearest value of " + d.name)
		share, cancel := part(ctx, len(set)-k)
		rest, relaxed, err := e.rest(share, all, set, i)
		var ways []results.Nearest
		if err == nil {
			ways, err = e.nearestOf(share, rest, i)
		}
		cancel()
		if err != nil {
			return nil, err
		}
		for k := range ways {
			w := &ways[k]
			w.Sentence = e.sentence(d, set, w)
			if w.AlsoRelaxed = relaxed; len(relaxed) > 0 {
				w.Sentence += ", with " + enumerated(relaxed) + " left out too"
			}
		}
		c.Conflict = append(c.Conflict, results.Clash{Requirement: d.name, File: d.place.File, Line: d.place.Line, Sentence: e.clash(d, ways)})
		c.Nearest = append(c.Nearest, ways...)
	}
	return c, nil
}

// told is a conflict in the order of a sentence: requirements as stated, then what they
// are to be met on, the GPUs first.
func (e *explainer) told(set []int) []int {
	set = slices.Clone(set)
	slices.SortFunc(set, func(i, j int) int {
		a, b := e.demands[i].kind == asksRequirement, e.demands[j].kind == asksRequirement
		switch {
		case a && b:
			return i - j
		case a != b:
			return int(bit(b) - bit(a))
		}
		return j - i
	})
	return set
}

// scope says how far demands were relaxed in the search for a conflict.
func (e *explainer) scope() []string {
	var out []string
	seen := map[demandKind]bool{}
	for _, d := range e.demands {
		if seen[d.kind] {
			continue
		}
		seen[d.kind] = true
		switch d.kind {
		case asksCount:
			if len(e.base.Cluster.Pools) > 1 {
				out = append(out, fmt.Sprintf("more GPUs: of one kind, up to %d times as many, in nodes of at least %d", manyTimes, defaultNode))
			} else {
				out = append(out, fmt.Sprintf("more GPUs: of the same kind, up to %d, in nodes of at least %d", mostUnlimited, defaultNode))
			}
		case asksNodes:
			out = append(out, fmt.Sprintf("larger nodes: up to %d GPUs", widerNode(e.base, d.index)))
		case asksHeads:
			out = append(out, fmt.Sprintf("heads that do not divide: padded to multiples of %v", padsOf(e.base)))
		case asksInput:
			s := "shorter prompts: down to 1 token"
			if e.countsPrompts(asStated(e.demands)) {
				s += ", while no tokens a second are asked, which are of prompts as long as stated"
			}
			out = append(out, s)
		case asksBatch:
			out = append(out, "fewer sequences: down to 1 in flight")
		case asksBalance: // evenInside
			out = append(out, "even stages: tried at the ends and in the middle of shorter prompts and fewer sequences, not proved between")
		}
	}
	for _, p := range e.base.Cluster.Pools {
		if p.Count.Unlimited() {
			out = append(out, fmt.Sprintf("GPUs of %s without limit: up to %d were tried", p.Name, mostUnlimited))
		}
	}
	return out
}
