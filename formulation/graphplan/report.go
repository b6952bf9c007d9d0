package graphplan

import (
	"fmt"
	"math"
	"slices"
	"time"

	"partita/inputs"
	"partita/results"
)

// report makes the report of a search: the plan, what was proved, what binds.
func (s *search) report(took time.Duration) (*results.Report, error) {
	rep := results.NewReport(s.c)
	rep.Warnings = append(rep.Warnings, s.costs.Warnings()...)
	if s.c.Goal.Margin == nil && len(s.c.Goal.Requirements) > 0 {
		rep.Assumptions = append(rep.Assumptions, results.Assumption{What: "margin of requirements", Value: fmt.Sprintf("%g %%", 100*s.margin()), Because: "10 % where the efficiencies are ours, 0 where the graph has the times or the condition its utilisation"})
	}
	if s.best == nil {
		if s.outer.Open == 0 {
			rep.Status = results.StatusInfeasible
			rep.Reasons = append(rep.Reasons, s.tooLarge())
		}
		return rep, nil
	}
	phase := s.phase(took)
	rep.Plan = &results.Plan{
		FormatVersion: results.FormatVersion, Condition: s.c.Name, Phases: []results.PhasePlan{*phase},
		Statements: rep.Statements, Assumptions: rep.Assumptions, Warnings: rep.Warnings,
		Comparison: s.compare(), Deployment: results.DeploymentOf(s.c),
	}
	rep.Feasible = !slices.ContainsFunc(phase.Requirements, func(q results.RequirementResult) bool { return !q.Met })
	proved := phase.Solve.Status == string(results.StatusOptimal)
	switch {
	case rep.Feasible && proved:
		rep.Status = results.StatusOptimal
	case rep.Feasible:
		rep.Status = results.StatusFeasible
	case s.refuted(phase):
		rep.Status = results.StatusInfeasible
	default:
		rep.Status = results.StatusFeasible
	}
	if !rep.Feasible {
		for i := range phase.Requirements {
			if q := &phase.Requirements[i]; !q.Met {
				rep.Reasons = append(rep.Reasons, missedText(q))
			}
		}
	}
	rep.Binding = s.binding(phase)
	return rep, nil
}

// refuted reports whether no plan can meet every requirement: the bound of the search does
// not either. A price is the same for all plans that use every GPU.
func (s *search) refuted(phase *results.PhasePlan) bool {
	most := 1e3 / s.bound // samples/s
	for i := range phase.Requirements {
		q := &phase.Requirements[i]
		switch {
		case q.Met:
		case q.Name == string(inputs.CostUSDPerHour):
			return !s.c.Goal.AllowIdle
		case s.outer.Open == 0 || most*(1-s.margin()) < q.Want*(1-equalShare):
			return true
		}
	}
	return false
}

// tooLarge says why no placement exists.
func (s *search) tooLarge() string {
	var need, have, most int64
	for v := range s.graph.Nodes {
		need += s.graph.Nodes[v].MemoryBytes
	}
	for k, n := range s.given() {
		have += int64(n) * s.costs.Capacity(k)
		most = max(most, s.costs.Capacity(k))
	}
	text := fmt.Sprintf("no placement of the graph exists on these GPUs: its nodes take %s, %s hold %s", inputs.FormatBytes(need), counted(s.total, "GPU"), inputs.FormatBytes(have))
	u := unitsOf(s.problem(choice{replicas: 1, gpus: s.given()}))
	largest, of := int64(0), 0
	for i, nodes := range u.nodes {
		var bytes int64
		for _, v := range nodes {
			bytes += s.graph.Nodes[v].MemoryBytes
		}
		if bytes > largest {
			largest, of = bytes, i
		}
	}
	if largest > most {
		text += fmt.Sprintf("; %s alone takes %s of the %s of the largest GPU", s.graph.Nodes[u.nodes[of][0]].Label(), inputs.FormatBytes(largest), inputs.FormatBytes(most))
	}
	return text
}

// phase is the plan with its figures and its proof.
func (s *search) phase(took time.Duration) *results.PhasePlan {
	a := s.best
	p := &results.PhasePlan{Phase: s.c.Workload.Phase, Stages: s.stages(a), Requirements: []results.RequirementResult{}}
	one := results.PerStage{1}
	p.Strategy = results.Strategy{Replicas: a.choice.replicas, PP: len(a.stages), TP: one, EP: one, CP: one, DPAttention: one, ETP: one}
	for _, st := range a.stages {
		p.Strategy.Layers = append(p.Strategy.Layers, len(st.Nodes))
	}
	n := s.total
	p.GPUs = results.GPUCount{Available: &n, Used: len(p.Stages), Parts: len(p.Stages), Match: len(p.Stages) == n}
	if !s.usesAll(a) {
		p.GPUs.Why = fmt.Sprintf("no placement on all %d was found: the graph has %s that can lie apart", n, counted(s.parts, "part"))
	}
	p.Balance = results.BalanceOf(p.Stages)
	perS := 1e3 / a.perSample()
	p.Metrics.SamplesPerS = &perS
	if v := s.latency(a); !math.IsNaN(v) {
		p.Metrics.SampleLatencyMS = &v
	}
	if usd := s.usdPerHour(p.Stages); usd > 0 {
		p.Metrics.USDPerHour = &usd
	}
	p.Requirements = append(p.Requirements, s.requirements(p)...)
	p.Solve = s.solve(took)
	return p
}

func (s *search) solve(took time.Duration) results.Solve {
	value := s.best.perSample()
	out := results.Solve{
		Status: "feasible", Objective: value, ObjectiveUnit: "ms per sample", Backend: "ideals",
		TimeMS: math.Ceil(took.Seconds()) * 1e3, AgreedBy: []string{}, Outer: s.outer,
	}
	bound := min(s.bound, value)
	if !math.IsInf(bound, 0) && bound > 0 {
		gap := (value - bound) / value
		out.BestBound, out.Gap = &bound, &gap
	}
	switch {
	case s.outer.Open == 0 && s.usesAll(s.best) && value >= s.bound*(1-equalShare):
		out.Status, out.AgreedBy = string(results.StatusOptimal), []string{"ideals"}
		exact, none := value, 0.0
		out.BestBound, out.Gap = &exact, &none
	case s.interrupted():
		out.Status = "interrupted"
	case s.ctxErr != nil:
		out.Status = "time_limit"
	}
	best := value
	out.Certificate = results.Certificate{
		Objective:    "throughput: ms of the deployment a sample, the largest load of a GPU over the number of replicas (G3)",
		Quantisation: map[string]float64{}, Balance: "not asked of an operator graph: the largest load is the least there is",
		GPUCount: "as given, all used", LeftOut: s.leftOut(),
		Passes: []results.CertificatePass{{Purpose: "throughput", Best: &best, Outer: s.outer, Choices: s.lines}},
	}
	if s.c.Goal.AllowIdle {
		out.Certificate.GPUCount = "as given, idle ones allowed"
	}
	return out
}

// leftOut names what the proof does not range over.
func (s *search) leftOut() []string {
	out := []string{
		"stages that are no interval of some order of the graph (non-contiguous placements)",
		"nodes without time and with one neighbour apart from it",
		"an operator on several GPUs (tensor parallelism): a stage is one GPU",
		"replicas that differ from each other",
		"sends that overlap with work: the load of a GPU is their sum",
	}
	if s.graph.Training() {
		out = append(out, "replicas of a training graph: their gradients would have to be summed")
	}
	if slices.ContainsFunc(s.lines, func(l results.OuterChoice) bool { return l.Replicas > 1 }) || len(s.hosts) > 1 {
		out = append(out, "sends inside a host where a replica spans hosts: all are priced as the network")
	}
	return out
}

// margin is the share by which a requirement must be beaten: as stated, else 0 where the
// file has the times or the condition the utilisation, else a tenth.
func (s *search) margin() float64 {
	switch {
	case s.c.Goal.Margin != nil:
		return *s.c.Goal.Margin
	case s.costs.OwnConstants():
		return 0.10
	}
	return 0
}

// usdPerHour is the price of the GPUs of some stages; 0 where one is not known.
func (s *search) usdPerHour(stages []results.Stage) float64 {
	price := map[string]float64{}
	for k := range s.c.Cluster.Pools {
		price[s.c.Cluster.Pools[k].Name] = s.c.Cluster.Pools[k].USDPerHour
	}
	sum := 0.0
	for i := range stages {
		usd := price[stages[i].Pool]
		if usd <= 0 {
			return 0
		}
		sum += usd * float64(len(stages[i].GPUs))
	}
	return sum
}

// requirements holds the plan against what was asked.
func (s *search) requirements(p *results.PhasePlan) []results.RequirementResult {
	var out []results.RequirementResult
	for _, q := range s.c.Goal.Requirements {
		x := results.RequirementResult{Name: string(q.Kind), Want: q.Value, Place: q.Place.String()}
		margin := s.margin()
		switch q.Kind {
		case inputs.SamplesPerS:
			x.Unit, x.Got = "samples/s", *p.Metrics.SamplesPerS
		case inputs.CostUSDPerHour:
			x.Unit, margin = "USD/h", 0
			if p.Metrics.USDPerHour != nil {
				x.Got = *p.Metrics.USDPerHour
			}
		}
		upper := q.Kind.Upper()
		x.Met = x.Got*(1-margin) >= x.Want*(1-equalShare)
		if upper {
			x.Met = x.Got <= x.Want*(1-margin)*(1+equalShare)
		}
		asked := 100 * margin
		x.MarginPercent, x.AskedMarginPercent = results.MarginPercent(upper, x.Want, x.Got), &asked
		if !x.Met {
			nearest := x.Got
			if !upper {
				nearest = x.Got * (1 - margin)
			}
			x.Nearest = &nearest
		}
		out = append(out, x)
	}
	return out
}

// missed says which requirement a placement misses; "" where it meets all.
func (s *search) missed(a *attempt) string {
	for _, q := range s.c.Goal.Requirements {
		if got := 1e3 / a.perSample(); q.Kind == inputs.SamplesPerS && got*(1-s.margin()) < q.Value*(1-equalShare) {
			return fmt.Sprintf("%.4g samples/s, %.4g asked", got, q.Value/(1-s.margin()))
		}
	}
	return ""
}

// missedText says in a sentence what is short and by how much.
func missedText(q *results.RequirementResult) string {
	side, by := "short", 100*(q.Want-q.Got)/q.Want
	if inputs.RequirementKind(q.Name).Upper() {
		side, by = "over", 100*(q.Got-q.Want)/q.Want
	}
	if by < 0 {
		return fmt.Sprintf("%s: %.4g %s is asked with a margin, the closest plan reaches %.4g %s", q.Name, q.Want, q.Unit, q.Got, q.Unit)
	}
	return fmt.Sprintf("%s: %.4g %s is asked, the closest plan reaches %.4g %s, %.3g %% %s", q.Name, q.Want, q.Unit, q.Got, q.Unit, by, side)
}

// binding says what holds the optimum back: the GPU with the largest load, and the node
// that is most of it.
func (s *search) binding(p *results.PhasePlan) []string {
	a := s.best
	worst := 0
	for i, load := range a.loads {
		if load > a.loads[worst] {
			worst = i
		}
	}
	st := a.stages[worst]
	longest := st.Nodes[0]
	times := a.problem.Classes[st.Class].Time
	for _, v := range st.Nodes {
		if times[v] > times[longest] {
			longest = v
		}
	}
	x := &p.Stages[worst]
	out := []string{fmt.Sprintf("throughput: stage %d on %s has the largest load, %.4g ms: %.4g ms of work, %.4g ms of sends and receives",
		worst, x.Pool, x.TimeMS, x.WorkMS, x.TransferMS)}
	if times[longest] > 0.5*x.TimeMS {
		out = append(out, fmt.Sprintf("%s alone takes %.4g ms of it", s.graph.Nodes[longest].Label(), times[longest]))
	}
	fullest := 0
	for i := range p.Stages {
		if p.Stages[i].MemoryGiB*p.Stages[fullest].CapacityGiB > p.Stages[fullest].MemoryGiB*p.Stages[i].CapacityGiB {
			fullest = i
		}
	}
	f := &p.Stages[fullest]
	return append(out, fmt.Sprintf("memory: stage %d on %s fills its GPU most, %.3g of %.3g GiB", f.Index, f.Pool, f.MemoryGiB, f.CapacityGiB))
}
