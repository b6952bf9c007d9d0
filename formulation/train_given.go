package formulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/formulation/training"
	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/results"
)

// trainingGiven is one call of Evaluate on a strategy of a training step.
type trainingGiven struct {
	*evaluation
	costs *cost.Calculator
	l     *training.Layout     // nil: there is none
	told  *training.Evaluation // of it
}

// evaluateTraining is Evaluate for a training step.
func evaluateTraining(ctx context.Context, c *inputs.Condition, given Given, opts Options) (*results.Evaluation, error) {
	if (given.Strategy == nil) == (given.Plan == nil) {
		return nil, ErrNothingGiven
	}
	if err := checkTrainingAsked(c); err != nil {
		return nil, err
	}
	e := &trainingGiven{evaluation: newGivenEvaluation(c, given, opts)}
	if s := given.Strategy; s != nil {
		e.out.Given = trainingWords(s)
	}
	var err error
	if e.costs, err = cost.New(e.c); err != nil {
		return nil, err
	}
	e.out.Warnings = append(append(e.out.Warnings, e.c.Warnings...), e.costs.Warnings()...)
	// The limit is for the searches.
	limited, cancel := ctx, context.CancelFunc(func() {})
	if opts.TimeLimit > 0 {
		limited, cancel = context.WithTimeout(ctx, opts.TimeLimit)
	}
	defer cancel()
	if err := e.layout(limited); err != nil {
		return nil, err
	}
	if e.l != nil {
		if e.told, err = training.Evaluate(limited, e.c, e.l, trainingOptions(e.c, opts)); err != nil {
			return nil, err
		}
		if err := e.judge(); err != nil {
			return nil, err
		}
		if err := e.against(e.told.Optimum); err != nil {
			return nil, err
		}
	} else {
		best, err := training.Solve(limited, e.c, trainingOptions(e.c, opts))
		if err != nil {
			return nil, err
		}
		if err := e.against(best); err != nil {
			return nil, err
		}
	}
	if err := e.changes(limited); err != nil {
		return nil, err
	}
	return e.out, e.askEngines()
}

// trainingWords are the degrees of a strategy, and what only training has.
func trainingWords(s *inputs.Strategy) string {
	text := inWords(s)
	if s.VirtualStages > 0 {
		text += fmt.Sprintf(", %s", counted(s.VirtualStages, "virtual stage"))
	}
	if s.ZeRO != nil {
		text += fmt.Sprintf(", ZeRO %d", *s.ZeRO)
	}
	if s.SequenceParallel != nil {
		text += map[bool]string{true: ", sequence parallel", false: ", not sequence parallel"}[*s.SequenceParallel]
	}
	if len(s.Recompute) > 0 {
		text += ", recompute "
		for i, r := range s.Recompute {
			if i > 0 {
				text += "/"
			}
			text += string(r)
		}
	}
	return text
}

// layout is the layout of what was given, with what the strategy does not say filled in.
func (e *trainingGiven) layout(ctx context.Context) (err error) {
	if p := e.given.Plan; p != nil {
		e.out.Given = "the stages of a plan"
		if e.l, err = layoutOfPlan(e.c, p); err != nil {
			e.problem(e.source, nil, "", "%s", err)
			return nil
		}
		e.out.Given = trainingLine(e.l)
		return nil
	}
	s := *e.given.Strategy
	if s.SP > 1 && s.SequenceParallel == nil {
		yes := true
		s.SequenceParallel = &yes
	}
	if s.MicroBatchSize == 0 && s.MicroBatches > 0 {
		s.MicroBatchSize = e.c.Workload.Batch / max(1, s.MicroBatches*max(s.DP, s.Replicas, 1))
	}
	e.needed = max(s.DP, s.Replicas, 1) * max(s.PP, 1) * s.TP.At(0) * s.CP.At(0)
	if e.needed > mostGivenGPUs {
		e.problem(e.at(""), nil, "", "the degrees make more than %d GPUs", mostGivenGPUs)
		return nil
	}
	s.Pools = s.Pools[:min(len(s.Pools), max(s.PP, 1))] // further rounds are on the same ones
	if e.asksTwice(&s) {
		return nil
	}
	l, _, why, err := training.Complete(ctx, e.c, &s, trainingOptions(e.c, e.opts))
	for _, w := range why {
		e.problem(e.at(""), nil, "", "%s", w)
	}
	if err == nil && l != nil {
		e.l = l
		e.filledIn(&s)
	}
	return err
}

// asksTwice tells where the strategy says another number of GPUs than its degrees make.
func (e *trainingGiven) asksTwice(s *inputs.Strategy) bool {
	dp := max(s.DP, s.Replicas)
	if s.GPUs == 0 || dp == 0 || s.GPUs == e.needed {
		return false
	}
	e.takes(e.at("gpus"), e.needed, s.GPUs, "the strategy states "+fmt.Sprint(s.GPUs), "GPUs")
	return true
}

// filledIn lists what was decided of a strategy that does not say it.
func (e *trainingGiven) filledIn(s *inputs.Strategy) {
	t, l := e.c.Workload.Training, e.l
	add := func(stated bool, what, value string) {
		if !stated {
			e.assume(what, value, "the strategy does not say it; the best beside what it says")
		}
	}
	if max(s.DP, s.Replicas) == 0 {
		e.assume("data parallelism", fmt.Sprint(l.DP), "it is not stated; so many replicas fill the GPUs given")
	}
	add(len(s.Layers) > 0 || l.PP() == 1, "layers of each rank", joined(layersByRank(l), "/"))
	add(s.MicroBatchSize > 0 || t.MicroBatch > 0, "micro-batch", counted(l.MicroBatch, "sequence"))
	add(s.VirtualStages > 0 || t.VirtualStages > 0 || l.PP() == 1, "virtual stages", fmt.Sprint(l.Virtual))
	add(s.ZeRO != nil || t.ZeRO != nil, "ZeRO", fmt.Sprint(l.ZeRO))
	add(s.SequenceParallel != nil || t.SequenceParallel != nil || l.TP == 1, "sequence parallel", map[bool]string{true: "yes", false: "no"}[l.SP])
	add(len(s.Recompute) > 0 || len(t.Recompute) > 0, "recompute", l.Recomputes().Words())
}

// layoutOfPlan is the layout that the stages of a plan show.
func layoutOfPlan(c *inputs.Condition, p *results.Plan) (*training.Layout, error) {
	if len(p.Phases) != 1 || p.Phases[0].Phase != inputs.Training || p.Phases[0].Strategy.VirtualStages < 1 || len(p.Phases[0].Stages) == 0 {
		return nil, errors.New("the plan is not of a training step")
	}
	ph := &p.Phases[0]
	st, first := &ph.Strategy, &ph.Stages[0]
	l := &training.Layout{DP: 1, TP: first.TP, CP: first.CP, EP: first.EP, ETP: first.ETP, Virtual: st.VirtualStages, MicroBatch: st.MicroBatchSequences}
	if st.ZeRO != nil {
		l.ZeRO = *st.ZeRO
	}
	if st.SequenceParallel != nil {
		l.SP = *st.SequenceParallel
	}
	for i := range ph.Stages {
		s := &ph.Stages[i]
		l.DP = max(l.DP, s.Replica+1)
		if s.Replica > 0 {
			continue
		}
		if s.Index != len(l.Stages) {
			return nil, fmt.Errorf("stages of replica 0 are not in order: stage %d stands at place %d", s.Index, len(l.Stages))
		}
		k := slices.IndexFunc(c.Cluster.Pools, func(p inputs.Pool) bool { return p.Name == s.Pool })
		if k < 0 {
			return nil, fmt.Errorf("stage %d is on the pool %q, which the condition does not have", s.Index, s.Pool)
		}
		l.Stages = append(l.Stages, training.Stage{First: s.FirstLayer, Last: s.LastLayer, Pool: k, Recompute: s.Recompute})
	}
	return l, nil
}

// judge takes over what was told of the layout, and its figures where it can be priced.
func (e *trainingGiven) judge() error {
	for _, p := range e.told.Problems {
		if p.Where == "strategy" || p.Where == "" {
			p.Where = e.at("")
		}
		if p.Unit == "GPUs" { // that are given and not used
			p.Unit = "GPUs idle"
		}
		e.out.Problems = append(e.out.Problems, p)
	}
	if e.l.Virtual > 0 && len(e.l.Stages)%e.l.Virtual == 0 {
		e.needed = e.l.GPUs()
	}
	if e.told.Step == nil {
		return nil
	}
	p := &trainingPlan{c: e.c, costs: e.costs, l: e.l, step: e.told.Step}
	ph, err := p.phase()
	if err != nil { // told among the problems where tensor groups do not lie inside nodes
		if len(e.out.Problems) == 0 {
			e.problem(e.at("tp"), nil, "", "%s", err)
		}
		return nil
	}
	ph.Requirements = requirementsOf(e.costs, e.c, ph, nil)
	for _, q := range unmet(ph.Requirements) {
		short := shortOf(q, Margin(e.c))
		e.problem(q.Place, &short, q.Unit, "%s", given(q, Margin(e.c)))
	}
	ph.Solve = results.Solve{Status: "feasible", Objective: p.step.Seconds, ObjectiveUnit: "seconds per step", Backend: "given", AgreedBy: []string{}}
	ph.Solve.Certificate.Quantisation = map[string]float64{}
	e.fillOut(ph, p)
	e.out.Feasible = len(e.out.Problems) == 0
	return nil
}

// fillOut repeats a phase in the fields of an evaluation.
func (e *trainingGiven) fillOut(ph *results.PhasePlan, p *trainingPlan) {
	o, l := e.out, p.l
	o.Phase, o.Strategy, o.Balance, o.Metrics, o.Requirements = ph, &ph.Strategy, &ph.Balance, ph.Metrics, ph.Requirements
	value := ph.Solve.Objective
	o.Objective, o.ObjectiveUnit = &value, ph.Solve.ObjectiveUnit
	var held, capacity float64
	m := float64(l.MicroBatches(e.c.Workload.Batch))
	for i := range ph.Stages {
		s := &ph.Stages[i]
		if s.Replica > 0 {
			break
		}
		full, busy := s.MemoryGiB/s.CapacityGiB, m*p.step.Ranks[*s.Rank].MicroBatch/p.step.Seconds
		if *s.Chunk == 0 {
			held, capacity = held+s.MemoryGiB, capacity+s.CapacityGiB
		}
		o.Stages = append(o.Stages, results.EvaluatedStage{Stage: *s, Utilisation: results.Utilisation{Memory: &full, Busy: &busy}})
	}
	full := held / capacity
	o.Utilisation = results.Utilisation{Compute: ph.Metrics.MFU, Memory: &full}
	each := l.DP * l.CP * l.TP
	o.Mapping = append(o.Mapping, fmt.Sprintf("%s on %s each: tensor groups of %d inside a node, then context, then data-parallel ranks", counted(l.PP(), "pipeline rank"), counted(each, "GPU"), l.TP))
	if l.EP > 1 {
		o.Mapping = append(o.Mapping, fmt.Sprintf("experts over %s at a time, %d times on the GPUs of a rank", counted(l.EP*l.ETP, "GPU"), each/(l.EP*l.ETP)))
	}
}

// against says what the strategy is held against, and how far it is from that.
func (e *trainingGiven) against(best *training.Solution) error {
	e.out.GPUsNeeded = e.needed
	o := &results.Optimum{Status: best.Status}
	e.out.Optimum = o
	if best.Layout == nil {
		return nil
	}
	o.Strategy, o.GPUs = trainingLine(best.Layout), best.Layout.GPUs()
	costs, err := cost.New(best.Condition) // which has more GPUs where none fits those given
	if err != nil {
		return err
	}
	p, err := newTrainingPlan(best.Condition, costs, best.Layout)
	if err != nil {
		return fmt.Errorf("the best layout cannot be priced: %w", err)
	}
	ph := &results.PhasePlan{}
	p.metrics(ph)
	o.Metrics = ph.Metrics
	if best.Feasible {
		v := best.Solve.Objective
		o.Objective = &v
	}
	if !best.Feasible || e.told == nil || e.told.Step == nil {
		return nil
	}
	if e.out.Objective != nil {
		v := best.Value(e.l, e.told.Step.Seconds)
		e.out.Objective, e.out.ObjectiveUnit = &v, best.Solve.ObjectiveUnit
	}
	if !e.out.Feasible {
		return nil
	}
	gap, in := best.Gap(e.l, e.told.Step.Seconds)
	o.GapPercent, e.out.GapIn = &gap, in
	if best.Status == results.StatusOptimal {
		e.out.OptimumGapPercent = &gap
	}
	if gap < 0 {
		e.out.OutsideSearch = append(e.out.OutsideSearch, unsearched)
	}
	return nil
}

// unsearched is why a layout can be better than the optimum.
const unsearched = "the way its layers are cut, or degrees that the certificate of `partita solve` leaves out"

// changes tries single changes of what the strategy says, with the rest as it is, and keeps
// those that help, the best first.
func (e *trainingGiven) changes(ctx context.Context) error {
	if e.l == nil || e.out.Phase == nil {
		return nil
	}
	for _, x := range trainingChanges(e.c, e.l) {
		if ctx.Err() != nil {
			break
		}
		e.out.ChangesTried++
		l, fits, why, err := training.Complete(ctx, e.c, x.s, trainingOptions(e.c, e.opts))
		if err != nil {
			return err
		}
		if l == nil || !fits || len(why) > 0 {
			continue
		}
		if err := e.offer(l, x.kind, x.text); err != nil {
			return err
		}
	}
	slices.SortStableFunc(e.out.Changes, func(a, b results.Change) int { return cmp.Compare(gainOf(&b), gainOf(&a)) })
	return nil
}

func gainOf(c *results.Change) float64 {
	if c.GainPercent == nil {
		return 0
	}
	return *c.GainPercent
}

// offer keeps a changed layout that is faster, or feasible where the strategy is not.
func (e *trainingGiven) offer(l *training.Layout, kind, text string) error {
	p, err := newTrainingPlan(e.c, e.costs, l)
	if err != nil {
		return nil // it does not map: no help
	}
	ph, err := p.phase()
	if err != nil {
		return nil
	}
	ph.Requirements = requirementsOf(e.costs, e.c, ph, nil)
	c := results.Change{Change: text, Kind: kind, Feasible: len(unmet(ph.Requirements)) == 0 && (ph.GPUs.Match || e.c.Goal.AllowIdle), Strategy: trainingLine(l), GPUs: l.GPUs(), Metrics: ph.Metrics}
	gain := 100 * (1 - p.step.Seconds/e.told.Step.Seconds)
	switch {
	case e.out.Feasible && gain > 0.05 && c.Feasible:
		c.GainPercent = &gain
	case !e.out.Feasible && c.Feasible:
	default:
		return nil
	}
	if best := e.told.Optimum; best.Layout != nil && best.Feasible && c.Feasible {
		gap, _ := best.Gap(l, p.step.Seconds)
		if c.OptimumGapPercent = &gap; gap < 0 {
			c.OutsideSearch = unsearched
		}
	}
	if !slices.ContainsFunc(e.out.Changes, func(o results.Change) bool { return o.Strategy == c.Strategy }) {
		e.out.Changes = append(e.out.Changes, c)
	}
	return nil
}

// trainingChange is a strategy that differs in one thing.
type trainingChange struct {
	kind, text string
	s          *inputs.Strategy
}

// trainingChanges are single changes of a layout: each leaves everything else stated, but
// the cut of the layers, which follows.
func trainingChanges(c *inputs.Condition, l *training.Layout) []trainingChange {
	var out []trainingChange
	t := c.Workload.Training
	add := func(kind, text string, change func(s *inputs.Strategy)) {
		zero, sp := l.ZeRO, l.SP
		s := &inputs.Strategy{PP: l.PP(), DP: l.DP, TP: inputs.Degrees{l.TP}, CP: inputs.Degrees{l.CP}, EP: inputs.Degrees{l.EP}, ETP: inputs.Degrees{l.ETP},
			VirtualStages: l.Virtual, MicroBatchSize: l.MicroBatch, ZeRO: &zero, SequenceParallel: &sp}
		for k := range l.Stages {
			s.Recompute = append(s.Recompute, l.Stages[k].Recompute)
		}
		if one := s.Recompute[0]; !slices.ContainsFunc(s.Recompute, func(r inputs.Recompute) bool { return r != one }) {
			s.Recompute = s.Recompute[:1]
		}
		change(s)
		out = append(out, trainingChange{kind, text, s})
	}
	add("layers", "layers cut by what they take", func(*inputs.Strategy) {})
	add("steps", "recompute as it is best, stage by stage", func(s *inputs.Strategy) { s.Recompute = nil })
	if t.MicroBatch == 0 {
		for _, n := range []int{l.MicroBatch / 2, l.MicroBatch * 2} {
			if n > 0 {
				add("steps", fmt.Sprintf("micro-batches of %s", counted(n, "sequence")), func(s *inputs.Strategy) { s.MicroBatchSize = n })
			}
		}
	}
	if t.VirtualStages == 0 && l.PP() > 1 {
		add("steps", "virtual stages as many as are best", func(s *inputs.Strategy) { s.VirtualStages, s.Recompute = 0, oneOf(s.Recompute) })
	}
	if t.ZeRO == nil {
		for z := range 4 {
			if z != l.ZeRO {
				add("split", fmt.Sprintf("ZeRO %d", z), func(s *inputs.Strategy) { s.ZeRO = &z })
			}
		}
	}
	if t.SequenceParallel == nil && l.TP > 1 && !l.SP {
		yes := true
		add("split", "sequence parallelism", func(s *inputs.Strategy) { s.SequenceParallel = &yes })
	}
	free := func(s *inputs.Strategy) {
		s.SequenceParallel, s.Recompute, s.VirtualStages = nil, oneOf(s.Recompute), 0
	}
	for _, x := range []struct {
		from, to string
		ok       bool
		change   func(s *inputs.Strategy)
	}{
		{"tensor", "data", l.TP%2 == 0, func(s *inputs.Strategy) { s.TP[0] /= 2; s.DP *= 2 }},
		{"data", "tensor", l.DP%2 == 0, func(s *inputs.Strategy) { s.TP[0] *= 2; s.DP /= 2 }},
		{"pipeline", "data", l.PP()%2 == 0, func(s *inputs.Strategy) { s.PP /= 2; s.DP *= 2 }},
		{"data", "pipeline", l.DP%2 == 0, func(s *inputs.Strategy) { s.PP *= 2; s.DP /= 2 }},
		{"tensor", "pipeline", l.TP%2 == 0, func(s *inputs.Strategy) { s.TP[0] /= 2; s.PP *= 2 }},
		{"pipeline", "tensor", l.PP()%2 == 0, func(s *inputs.Strategy) { s.TP[0] *= 2; s.PP /= 2 }},
		{"data", "context", l.DP%2 == 0, func(s *inputs.Strategy) { s.CP[0] *= 2; s.DP /= 2 }},
		{"context", "data", l.CP%2 == 0, func(s *inputs.Strategy) { s.CP[0] /= 2; s.DP *= 2 }},
	} {
		if x.ok {
			add("split", fmt.Sprintf("half of the %s parallelism as %s parallelism", x.from, x.to), func(s *inputs.Strategy) { x.change(s); free(s) })
		}
	}
	if c.Model.HasExperts() {
		for _, n := range []int{l.EP / 2, l.EP * 2} {
			if n > 0 {
				add("split", fmt.Sprintf("EP %d", n), func(s *inputs.Strategy) { s.EP[0] = n })
			}
		}
	}
	return out
}

// oneOf is a recompute that all stages have; nothing where they differ.
func oneOf(list []inputs.Recompute) []inputs.Recompute {
	if len(list) == 1 {
		return list
	}
	return nil
}

// askEngines says of every engine why it does not start the strategy, or that it does.
func (e *trainingGiven) askEngines() error {
	list, err := knowledge.Engines()
	if err != nil {
		return err
	}
	for _, x := range list {
		out := results.Engine{Engine: x.Name, Why: "the strategy does not map onto the GPUs, or does not fit them"}
		if e.opts.Launch != nil && e.out.Feasible && e.out.Phase != nil {
			if out.Launchable, out.Why, err = e.written(x, "its commands start it"); err != nil {
				return err
			}
		}
		e.out.Engines = append(e.out.Engines, out)
	}
	return nil
}
