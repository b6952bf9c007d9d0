package formulation_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
)

// changes turn a condition into one that differs in a single fact. Whatever a session
// keeps must hang on every fact that it was made from.
var changes = []struct {
	name string
	make func(d draw, c *inputs.Condition)
}{
	{"nothing", func(draw, *inputs.Condition) {}},
	{"batch", func(d draw, c *inputs.Condition) { c.Workload.Batch = 1 + d.IntN(6) }},
	{"input", func(d draw, c *inputs.Condition) { c.Workload.Input.Max += 1 + d.IntN(2000) }},
	{"shortest input", func(d draw, c *inputs.Condition) { c.Workload.Input.Min = 1 + d.IntN(c.Workload.Input.Min) }},
	{"output", func(d draw, c *inputs.Condition) {
		if c.Workload.Phase != inputs.Prefill {
			c.Workload.Output.Max += 1 + d.IntN(300)
		}
	}},
	{"phase", func(d draw, c *inputs.Condition) { c.Workload = d.workload() }},
	{"objective", func(d draw, c *inputs.Condition) {
		c.Goal.Objective = pick(d, inputs.Balanced, inputs.Latency, inputs.Throughput, inputs.GPUs, inputs.Cost)
	}},
	{"weights", func(d draw, c *inputs.Condition) { c.Goal.LatencyWeight, c.Goal.ThroughputWeight = d.Float64(), 1 }},
	{"balance", func(d draw, c *inputs.Condition) { c.Goal.Balance = ptr(pick(d, 0.05, 0.3, 1)) }},
	{"margin", func(d draw, c *inputs.Condition) { c.Goal.Margin = ptr(pick(d, 0, 0.1)) }},
	{"idle", func(_ draw, c *inputs.Condition) { c.Goal.AllowIdle = !c.Goal.AllowIdle }},
	{"requirement", func(d draw, c *inputs.Condition) {
		c.Goal.Requirements = []inputs.Requirement{{Kind: pick(d, inputs.EndToEnd, inputs.TokensPerSecond, inputs.CostUSDPerHour), Value: 1 + 1000*d.Float64()}}
	}},
	{"no requirement", func(_ draw, c *inputs.Condition) { c.Goal.Requirements = nil }},
	{"memory", func(d draw, c *inputs.Condition) { c.Cluster.Pools[0].MemoryBytes += int64(d.IntN(1 << 30)) }},
	{"utilisation", func(d draw, c *inputs.Condition) { c.Cluster.Pools[0].Utilization = pick(d, 0.8, 0.95) }},
	{"bandwidth", func(d draw, c *inputs.Condition) { c.Cluster.Pools[0].Accelerator.MemoryBandwidth *= 0.5 + d.Float64() }},
	{"peak", func(d draw, c *inputs.Condition) {
		c.Cluster.Pools[0].Accelerator.FLOPS = map[inputs.DType]float64{inputs.BF16: 1e14 * (0.5 + d.Float64())}
	}},
	{"efficiency", func(d draw, c *inputs.Condition) {
		c.Cluster.Pools[0].Accelerator.Efficiency = &inputs.Efficiency{Compute: 0.3 + d.Float64()/2, Bandwidth: 0.7}
	}},
	{"link", func(d draw, c *inputs.Condition) { c.Cluster.Pools[0].Intra.BytesPerSecond *= 0.5 + d.Float64() }},
	{"network", func(d draw, c *inputs.Condition) { c.Cluster.Network.BytesPerSecond *= 0.5 + d.Float64() }},
	{"price", func(d draw, c *inputs.Condition) { c.Cluster.Pools[0].USDPerHour = 1 + d.Float64() }},
	{"host names", func(_ draw, c *inputs.Condition) {
		for i := range c.Cluster.Pools[0].Nodes {
			c.Cluster.Pools[0].Nodes[i].Host += "x"
		}
	}},
	{"number of GPUs", func(_ draw, c *inputs.Condition) {
		if p := &c.Cluster.Pools[0]; len(p.Nodes) > 1 {
			p.Count.Max -= len(p.Nodes[0].GPUs)
			p.Count.Min = p.Count.Max
			p.Nodes = p.Nodes[1:]
		}
	}},
	{"cluster", func(d draw, c *inputs.Condition) { c.Cluster = d.cluster(&c.Model, &c.Workload) }},
	{"layers", func(_ draw, c *inputs.Condition) {
		c.Model.Layers = append(c.Model.Layers[:len(c.Model.Layers):len(c.Model.Layers)], 0)
	}},
	{"hidden width", func(_ draw, c *inputs.Condition) { c.Model.Hidden += 512 }},
	{"vocabulary", func(_ draw, c *inputs.Condition) { c.Model.Vocab += 1000 }},
	{"format", func(d draw, c *inputs.Condition) {
		c.Model.Weights, c.Model.KV = pick(d, inputs.BF16, inputs.FP8), pick(d, inputs.BF16, inputs.FP8)
	}},
	{"kind", func(d draw, c *inputs.Condition) {
		c.Model.Kinds = append([]inputs.LayerKind(nil), c.Model.Kinds...)
		c.Model.Kinds[0].FFN.Intermediate += 512
	}},
	{"rules", func(d draw, c *inputs.Condition) {
		c.Rules = nil
		for i := range 1 + d.IntN(2) {
			l := d.law()
			c.Rules = append(c.Rules, inputs.Rule{Name: string(rune('a' + i)), Expr: l.expr, Phase: l.phase})
		}
	}},
	{"a rule on the workload", func(d draw, c *inputs.Condition) {
		c.Rules = []inputs.Rule{{Name: "w", Expr: pick(d, "tp <= batch", "input_tokens > 3000 || tp == 1", "layers * batch >= 6")}}
	}},
	{"no rules", func(_ draw, c *inputs.Condition) { c.Rules = nil }},
	{"scale", func(d draw, c *inputs.Condition) { c.Model.FFNScale = pick(d, 1, 1.01) }},
}

// copied is a condition that shares nothing which changes write to.
func copied(c *inputs.Condition) *inputs.Condition {
	x := *c
	x.Cluster.Pools = append([]inputs.Pool(nil), c.Cluster.Pools...)
	for k := range x.Cluster.Pools {
		x.Cluster.Pools[k].Nodes = append([]inputs.Node(nil), c.Cluster.Pools[k].Nodes...)
	}
	return &x
}

// reported is a report as files hold it, the clock aside, or the error.
func reported(t *rapid.T, optimize func(context.Context, *inputs.Condition, formulation.Options) (*results.Report, error), c *inputs.Condition) string {
	rep, err := optimize(t.Context(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		return err.Error()
	}
	if rep.Plan != nil {
		rep.Plan.Phases[0].Solve.TimeMS = 0
	}
	out, err := json.MarshalIndent(rep, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A session that has solved any conditions reports on the next one as a search that
// begins from nothing does, to the last byte.
func TestSessionChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDraw(rapid.Uint64Range(0, 1<<20).Draw(t, "seed"))
		s := formulation.NewSession()
		c := d.condition()
		for k := range c.Cluster.Pools { // plans on more GPUs than there are take long to refute
			c.Cluster.Pools[k].MemoryBytes += 1 << 30
		}
		history := []*inputs.Condition{c}
		for range 5 {
			change := rapid.SampledFrom(changes).Draw(t, "change")
			c = copied(rapid.SampledFrom(history).Draw(t, "of")) // back and forth: what was kept is asked for again
			change.make(d, c)
			history = append(history, c)
			if diff := cmp.Diff(reported(t, formulation.Optimize, c), reported(t, s.Optimize, c)); diff != "" {
				t.Fatalf("after a change of %s a session reports otherwise than a fresh search (-fresh +session):\n%s\n%s", change.name, diff, describe(c))
			}
		}
	})
}
