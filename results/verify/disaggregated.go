package verify

import (
	"fmt"
	"math"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// apart reports whether the condition asks for prefill and decode on GPUs of their own.
func apart(c *inputs.Condition) bool { return c.Goal.Placement == inputs.Disaggregated }

// checkApart verifies two deployments: each by itself as one that serves its phase on its
// GPUs, then that no GPU serves both, the transfer between them, the rate that both keep,
// and what was asked of the whole.
func checkApart(p *results.Plan, c *inputs.Condition, o Options) (*results.Verification, error) {
	list := &checklist{}
	planHeader(list, p, c)
	v := &results.Verification{}
	u := p.Disaggregated
	if u != nil && len(p.Phases) == 2 && p.Phases[0].Phase == inputs.Prefill && p.Phases[1].Phase == inputs.Decode {
		whole := *c
		calc, err := cost.New(&whole)
		if err != nil {
			return nil, fmt.Errorf("verification cannot price the condition %q: %w", c.Name, err)
		}
		both := wholeOf(p, c, o, list)
		var sides [2]*audit
		for i := range p.Phases {
			if sides[i], err = sideOf(p, i, c, o, both); err != nil {
				return nil, err
			}
			for _, x := range sides[i].list.checks {
				x.Rule = string(p.Phases[i].Phase) + ": " + x.Rule
				list.checks = append(list.checks, x)
			}
		}
		both.together(p, calc, sides)
		v.Parts, v.GPUs = both.parts, both.used
	}
	v.Checks = list.checks
	v.OK = len(Violations(v)) == 0
	return v, nil
}

// wholeOf is the audit of both sides taken together: their GPUs, counted, and the figures
// of the deployment.
func wholeOf(p *results.Plan, c *inputs.Condition, o Options, list *checklist) *audit {
	u := p.Disaggregated
	ph := &results.PhasePlan{
		Phase: inputs.Mixed, Stages: slices.Concat(p.Phases[0].Stages, p.Phases[1].Stages), GPUs: u.GPUs, Metrics: u.Metrics, Solve: u.Solve,
		Requirements: slices.Concat(p.Phases[0].Requirements, p.Phases[1].Requirements),
	}
	a := newAudit(ph, c, nil, o, list)
	a.checkPools()
	a.checkIDs()
	a.checkUnique()
	a.checkCounts()
	return a
}

// sideOf verifies one side on a condition of its own: its phase, its GPUs alone, what is
// in flight there, and no requirement, for these are of the whole.
func sideOf(p *results.Plan, i int, c *inputs.Condition, o Options, both *audit) (*audit, error) {
	ph := p.Phases[i]
	ph.Requirements = nil
	side := *c
	side.Workload.Phase = ph.Phase
	if ph.Phase == inputs.Prefill {
		side.Workload.Batch = p.Disaggregated.PrefillBatch
	}
	side.Goal.Requirements, side.Goal.AllowIdle = nil, false
	side.Cluster.Pools = both.poolsOf(&ph)
	if len(side.Cluster.Pools) == 0 {
		side.Cluster.Pools = c.Cluster.Pools // no stage names a GPU: the rules say so
	}
	prices, err := newPrices(&side)
	if err != nil {
		return nil, fmt.Errorf("verification cannot price the %s side of the condition %q: %w", ph.Phase, c.Name, err)
	}
	o.Closest = false // only requirements and counts of the whole may be missed
	a := newAudit(&ph, &side, prices, o, &checklist{})
	a.warnings = p.Warnings
	a.run()
	return a, nil
}

// poolsOf are the pools of the condition with the GPUs alone that stages of a side name.
func (a *audit) poolsOf(ph *results.PhasePlan) []inputs.Pool {
	var out []inputs.Pool
	for k, pool := range a.cond.Cluster.Pools {
		named := map[string]bool{}
		var made []inputs.Node
		for i := range ph.Stages {
			if ph.Stages[i].Pool != pool.Name {
				continue
			}
			for _, id := range ph.Stages[i].GPUs {
				d, err := a.find(id, k)
				if err != nil || named[id] {
					continue
				}
				named[id] = true
				at := slices.IndexFunc(made, func(n inputs.Node) bool { return n.Host == d.host })
				if at < 0 {
					made = append(made, inputs.Node{Host: d.host})
					at = len(made) - 1
				}
				made[at].GPUs = append(made[at].GPUs, id)
			}
		}
		if len(pool.Nodes) > 0 { // in the order of the condition
			made = nil
			for _, n := range pool.Nodes {
				left := slices.DeleteFunc(slices.Clone(n.GPUs), func(id string) bool { return !named[id] })
				if len(left) > 0 {
					made = append(made, inputs.Node{Host: n.Host, GPUs: left})
				}
			}
		}
		if len(named) == 0 {
			continue
		}
		pool.Nodes, pool.Count = made, inputs.Count{Min: len(named), Max: len(named)}
		pool.GPUsPerNode = 0
		for _, n := range made {
			pool.GPUsPerNode = max(pool.GPUsPerNode, len(n.GPUs))
		}
		out = append(out, pool)
	}
	return out
}

// handover is what sending the cache of a prompt takes, recomputed.
type handover struct {
	link             string
	latency, perByte float64 // seconds
	share            float64 // of a prompt's cache on the GPU that holds most of it
	busiest          float64 // the same over the replicas of its side: of a prompt's cache, for each prompt
}

// handoverOf recomputes (D2): every rank holds its layers' KV heads, rounded up, and ranks
// of a context-parallel group a part of the tokens.
func (a *audit) handoverOf(p *results.Plan, calc *cost.Calculator) handover {
	h := handover{link: "network"}
	heads, layers := calc.KVHeads(), len(a.cond.Model.Layers)
	hosts := map[string]bool{}
	pools := [2]map[int]bool{{}, {}}
	for i := range p.Phases {
		ph := &p.Phases[i]
		largest := 0.0
		for j := range ph.Stages {
			s := &ph.Stages[j]
			units := float64((s.LastLayer-s.FirstLayer+1)*ceil(heads, max(1, s.TP))) / float64(max(1, s.CP))
			largest = max(largest, units/float64(layers*heads))
			k := a.pools[s.Pool]
			pools[i][k] = true
			for _, id := range s.GPUs {
				if d, err := a.find(id, k); err == nil {
					hosts[d.host] = true
				}
			}
		}
		h.share = max(h.share, largest)
		h.busiest = max(h.busiest, largest/float64(max(1, ph.Strategy.Replicas)))
	}
	if len(hosts) == 1 {
		h.link = "node"
	}
	for from := range pools[0] {
		for to := range pools[1] {
			latency, perByte := calc.Handover(from, to, len(hosts) == 1)
			h.latency, h.perByte = max(h.latency, latency), max(h.perByte, perByte)
		}
	}
	return h
}

// together recomputes what both sides come to (D1), and holds it against what was asked.
func (a *audit) together(p *results.Plan, calc *cost.Calculator, sides [2]*audit) {
	for i, s := range sides {
		if a.broken == "" && s.broken != "" {
			a.broken = string(p.Phases[i].Phase) + ": " + s.broken
		}
	}
	if a.broken != "" {
		a.notRecomputed(ruleHandover, ruleRates, "metrics")
		for i := range a.cond.Goal.Requirements {
			a.notRecomputed(ruleRequirement(string(a.cond.Goal.Requirements[i].Kind)))
		}
		return
	}
	w, u := &a.cond.Workload, p.Disaggregated
	counts := make([]int, len(a.cond.Model.Kinds))
	for _, kind := range a.cond.Model.Layers {
		counts[kind]++
	}
	longest, mean := calc.PromptKV(counts, w.Input.Max), calc.PromptKV(counts, w.Input.Mid())
	h := a.handoverOf(p, calc)
	first, second := sides[0].found, sides[1].found
	in, out := float64(w.Input.Mid()), float64(w.Output.Mid())
	transfer := h.latency + h.perByte*longest*h.share
	prefill, decode, link := first.tokens/in, second.output/out, 1/(h.perByte*mean*h.busiest)
	rate := min(prefill, decode, link)

	t := tally{rule: ruleHandover, want: "link, bytes and time of a prompt's KV cache as recomputed, at a rate that the link carries"}
	if u.Transfer.Link != h.link {
		t.fail(0, "link %q: want %q", u.Transfer.Link, h.link)
	}
	t.equal("prompt_gib", longest/gib, u.Transfer.PromptGiB)
	t.equal("gpu_gib", longest*h.share/gib, u.Transfer.GPUGiB)
	t.equal("time_ms", transfer*1e3, u.Transfer.TimeMS)
	t.equal("utilisation", rate/link, u.Transfer.Utilisation)
	if !(u.RequestsPerS <= link*(1+tolerance)) {
		t.fail(1, "%s requests/s over a link that carries %s", number(u.RequestsPerS), number(link))
	}
	t.report(a.list, fmt.Sprintf("%s ms over the %s, %s %% of the time", number(transfer*1e3), h.link, number(100*rate/link)))

	t = tally{rule: ruleRates, want: "requests/s of either side and of the link as recomputed, the deployment's the least of them"}
	t.equal("prefill_requests_per_s", prefill, u.PrefillRequestsPerS)
	t.equal("decode_requests_per_s", decode, u.DecodeRequestsPerS)
	t.equal("transfer_requests_per_s", link, u.TransferRequestsPerS)
	t.equal("requests_per_s", rate, u.RequestsPerS)
	limits := map[string]float64{"prefill": prefill, "decode": decode, "transfer": link}
	if limit, ok := limits[u.LimitedBy]; !ok || !equal(limit, rate) {
		t.fail(0, "limited_by %q, which is not the least", u.LimitedBy)
	}
	t.report(a.list, fmt.Sprintf("%s requests/s, limited by %s", number(rate), u.LimitedBy))

	f := figures{ttft: first.ttft + transfer, tpot: second.tpot, round: math.NaN(), samples: math.NaN(), kernel: math.NaN(), usdPerHour: math.NaN(), usdPerMillion: math.NaN()}
	f.e2e = f.ttft + (out-1)*f.tpot
	f.output, f.tokens = rate*out, rate*(in+out)
	used := float64(a.used)
	f.tokensPerGPU, f.outputPerGPU = f.tokens/used, f.output/used
	if usd, known := a.price1h(); known {
		f.usdPerHour, f.usdPerMillion = usd, usd/(f.tokens*3600)*1e6
	}
	a.checkMetrics(f)
	a.checkRequirements(f)
	a.checkSolve()
}

// equal fails where a stated figure is not the recomputed one.
func (t *tally) equal(name string, want, got float64) {
	if !equal(want, got) {
		w, g := pair(want, got)
		t.fail(difference(want, got), "%s: want %s, got %s", name, w, g)
	}
}
