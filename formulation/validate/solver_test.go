package validate

import (
	"fmt"
	"strings"
	"testing"

	"partita/formulation"
	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/read"
	"partita/results"
)

// A question whose layouts the search is left with, by a rule, is answered by it as by
// prediction: the time of a request by the least latency, a rate of each GPU by the most
// throughput of GPUs without number. What the program is asked for is a search; that it
// takes the layout with the best price is what a score of prices says of it.
func TestTheSolverAnswersAlike(t *testing.T) {
	rows := publishedRows(t)
	bench, err := NewBench(rows)
	if err != nil {
		t.Fatal(err)
	}
	found, err := bench.price(t.Context(), nil, func(r *measured.Row) bool {
		return r.Group != "" && (r.Metric == "e2e_s_median" || r.Metric == "total_tok_s_per_gpu")
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := read.NewReader("")
	if err != nil {
		t.Fatal(err)
	}
	asked, alike := 0, 0
	for i, c := range choices(rows, found) {
		if c.mode != closed || i%13 != 0 || c.quantity != wholeRequest && !(c.quantity == totalRate && c.perGPU) {
			continue
		}
		var from *deployment // of one of the rows, which differ in their layouts alone
		for k := range rows {
			if o := &found[k]; o.mapped && rows[k].Group == c.group && rows[k].Metric == c.metric && o.load == c.load {
				from = &o.deployment
			}
		}
		best, least, all := -1, 0.0, true
		for k := range c.options {
			d := *from
			d.layout, d.gpus, d.nodes = c.options[k].layout, c.options[k].gpus(), 0
			p, err := newPricer(reader, d).price(step{inputs.Mixed, c.requests, c.input, c.output})
			if err != nil {
				t.Fatal(err)
			}
			if all = all && p.why == "" && p.Fits; !all {
				break
			}
			if w := worthOf(&p.Metrics, c.quantity); best < 0 || w < least {
				best, least = k, w
			}
		}
		if !all {
			continue // requests wait for room: no plan is made so
		}
		asked++
		plan := chosenBySolver(t, reader, *from, &c)
		if w := worthOf(&plan.Metrics, c.quantity); w > least*1.001 || w < least*0.999 {
			t.Errorf("%s, %s: the search found %+v at %g, prices say %+v at %g", c.group, c.metric, layoutOfPlan(plan), w, c.options[best].layout, least)
		}
		if layoutOfPlan(plan) == c.options[c.answer()].layout {
			alike++
		}
	}
	t.Logf("%d questions, %d answered alike", asked, alike)
	if asked < 10 || alike < asked*9/10 {
		t.Errorf("%d of %d questions answered as the score has it", alike, asked)
	}
}

// worthOf is what a question is about, less is better.
func worthOf(m *results.Metrics, q quantity) float64 {
	if q.more() {
		return 1 / *m.TokensPerSPerGPU
	}
	return *m.E2EMS
}

// chosenBySolver is the optimum among the layouts of a question.
func chosenBySolver(t *testing.T, reader *read.Reader, d deployment, c *choice) *results.PhasePlan {
	t.Helper()
	var one []string
	for k := range c.options {
		l := &c.options[k].layout
		d.gpus = max(d.gpus, l.gpus())
		one = append(one, fmt.Sprintf("(tp == %d && cp == %d && dp == %d && ep == %d && pp == %d && replicas == %d)", l.tp, l.cp, l.dpa, l.ep, l.pp, l.replicas))
	}
	d.nodes = 0
	s, err := newPricer(reader, d).state(step{inputs.Mixed, c.requests, c.input, c.output})
	if err != nil || s.why != "" {
		t.Fatal(err, s.why)
	}
	s.Rules = append(s.Rules, inputs.Rule{Name: "measured", Expr: strings.Join(one, " || ")})
	s.Goal.AllowIdle = true
	if s.Goal.Objective = inputs.Latency; c.quantity.more() {
		s.Goal.Objective = inputs.Throughput
		s.Cluster.Pools[0].Count, s.Cluster.Pools[0].Nodes = inputs.Count{Min: 1}, nil
	}
	rep, err := formulation.Optimize(t.Context(), s.Condition, formulation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Status != results.StatusOptimal || !rep.Feasible {
		t.Fatalf("%s: %s", c.group, rep.Status)
	}
	return &rep.Plan.Phases[0]
}

func layoutOfPlan(p *results.PhasePlan) layout {
	x := &p.Stages[0]
	return layout{p.Strategy.Replicas, p.Strategy.PP, x.TP, x.CP, x.DPAttention, x.EP, x.ETP}
}
