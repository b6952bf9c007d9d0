package formulation_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"partita/formulation"
	"partita/formulation/cost"
	"partita/inputs"
)

// sidePlan is a plan of one side as the oracle prices it.
type sidePlan struct {
	ttft, round, period, share float64 // share: of the prompt's cache on its heaviest rank
	ratio                      float64 // shortest over longest stage
	replicas                   int
	wide                       bool
}

// apartOracle prices every pair of plans of a tiny condition: all splits of its GPUs,
// every plan of either side. It shares the price of an operator with the search.
type apartOracle struct {
	c     *inputs.Condition
	calc  *cost.Calculator
	known map[string][]sidePlan
}

// pairOf is a pair of plans with what requirements and objectives speak of.
type pairOf struct {
	ttft, tpot, e2e, tokens, output, price, ratio float64
	gpus                                          int
	wide                                          bool
}

// rented are nodes for GPUs of an open number from a node on, as full as they can be.
func rented(p *inputs.Pool, node, gpu, gpus int) []inputs.Node {
	var out []inputs.Node
	for ; gpus > 0; node, gpu = node+1, 0 {
		n := inputs.Node{Host: fmt.Sprintf("%s-%d", p.Name, node)}
		for ; len(n.GPUs) < min(gpus, p.GPUsPerNode); gpu++ {
			n.GPUs = append(n.GPUs, fmt.Sprintf("%s/%d", n.Host, gpu))
		}
		gpus -= len(n.GPUs)
		out = append(out, n)
	}
	return out
}

// side is the condition of one side with GPUs of nodes of each pool, and false where it
// has no GPUs.
func (o *apartOracle) side(phase inputs.Phase, nodes [][]inputs.Node, batch int) (*inputs.Condition, bool) {
	c := *o.c
	c.Workload.Phase, c.Workload.Batch = phase, batch
	c.Cluster.Pools = nil
	for k := range nodes {
		p, n := o.c.Cluster.Pools[k], gpusOf(nodes[k])
		if n == 0 {
			continue
		}
		p.Nodes, p.Count, p.GPUsPerNode = nodes[k], inputs.Count{Min: n, Max: n}, 0
		for _, x := range p.Nodes {
			p.GPUsPerNode = max(p.GPUsPerNode, len(x.GPUs))
		}
		c.Cluster.Pools = append(c.Cluster.Pools, p)
	}
	return &c, len(c.Cluster.Pools) > 0
}

func gpusOf(nodes []inputs.Node) int {
	n := 0
	for _, x := range nodes {
		n += len(x.GPUs)
	}
	return n
}

// plans lists the plans of a side that use all its GPUs and that none beats in every figure.
func (o *apartOracle) plans(t *testing.T, phase inputs.Phase, nodes [][]inputs.Node) []sidePlan {
	key := fmt.Sprint(phase, nodes)
	if list, ok := o.known[key]; ok {
		return list
	}
	total := 0
	for _, list := range nodes {
		total += gpusOf(list)
	}
	batches := map[int]bool{o.c.Workload.Batch: true}
	if phase == inputs.Prefill {
		clear(batches)
		for r := 1; r <= total; r++ {
			for n := 1; r*n <= o.c.Workload.Batch; n *= 2 {
				batches[r*n] = true
			}
		}
	}
	var out []sidePlan
	for batch := 1; batch <= o.c.Workload.Batch; batch++ {
		c, ok := o.side(phase, nodes, batch)
		if !ok || !batches[batch] {
			continue
		}
		in, err := newOracle(c, 0)
		if err != nil {
			t.Fatal(err)
		}
		in.rules(c, nil)
		for _, x := range in.enumerate() {
			each := batch / x.replicas
			if !x.all || c.Goal.Balance != nil && x.ratio < 1-*c.Goal.Balance || phase == inputs.Prefill && (batch%x.replicas != 0 || each&(each-1) != 0) {
				continue
			}
			p := sidePlan{ttft: x.ttft, round: x.round, period: x.round / float64(batch), ratio: x.ratio, replicas: x.replicas, wide: x.wide}
			if phase == inputs.Decode {
				w := &o.c.Workload
				p.period = x.round * float64((w.Output.Min+w.Output.Max+1)/2) / float64(batch)
			}
			heads := o.heads()
			for _, s := range x.path {
				held := float64((s.to-s.from)*((heads+s.shape.TP-1)/s.shape.TP)) / float64(s.shape.CP)
				p.share = max(p.share, held/float64(heads*len(c.Model.Layers)))
			}
			out = append(out, p)
		}
	}
	out = undominated(out)
	o.known[key] = out
	return out
}

func (o *apartOracle) heads() int { return o.c.Model.Kinds[0].Attention.KVHeads }

// undominated leaves out what another plan is as good as in every figure.
func undominated(list []sidePlan) []sidePlan {
	var out []sidePlan
	for i, p := range list {
		beaten := false
		for j, q := range list {
			covers := q.ttft <= p.ttft && q.round <= p.round && q.period <= p.period && q.share <= p.share && q.ratio >= p.ratio && q.replicas >= p.replicas && (!q.wide || p.wide)
			strictly := q.ttft < p.ttft || q.round < p.round || q.period < p.period || q.share < p.share || q.ratio > p.ratio || q.replicas > p.replicas || p.wide && !q.wide
			beaten = beaten || covers && (strictly || j < i)
		}
		if !beaten {
			out = append(out, p)
		}
	}
	return out
}

// pairs lists every pair of plans of every split.
func (o *apartOracle) pairs(t *testing.T) []pairOf {
	w := &o.c.Workload
	in, out := float64((w.Input.Min+w.Input.Max+1)/2), float64((w.Output.Min+w.Output.Max+1)/2)
	counts := make([]int, len(o.c.Model.Kinds))
	for _, k := range o.c.Model.Layers {
		counts[k]++
	}
	longest, mean := o.calc.PromptKV(counts, w.Input.Max), o.calc.PromptKV(counts, int(in))
	pools := o.c.Cluster.Pools
	var all []pairOf
	a, b := make([][]inputs.Node, len(pools)), make([][]inputs.Node, len(pools))
	judge := func() {
		hosts, price, gpus := map[string]bool{}, 0.0, 0
		latency, perByte := 0.0, 0.0
		for k := range pools {
			n := gpusOf(a[k]) + gpusOf(b[k])
			if count := pools[k].Count; n > count.Max || n < count.Min && (!count.Stated() || !o.c.Goal.AllowIdle) {
				return
			}
			gpus, price = gpus+n, price+pools[k].USDPerHour*float64(n)
			for _, x := range slices.Concat(a[k], b[k]) {
				hosts[x.Host] = true
			}
		}
		for k := range pools {
			for l := range pools {
				if len(a[k]) > 0 && len(b[l]) > 0 {
					x, y := o.calc.Handover(k, l, len(hosts) == 1)
					latency, perByte = max(latency, x), max(perByte, y)
				}
			}
		}
		for _, p := range o.plans(t, inputs.Prefill, a) {
			for _, q := range o.plans(t, inputs.Decode, b) {
				x := pairOf{ttft: p.ttft + latency + perByte*longest*max(p.share, q.share), tpot: q.round, gpus: gpus, price: price, ratio: min(p.ratio, q.ratio), wide: p.wide || q.wide}
				x.e2e = x.ttft + (out-1)*x.tpot
				period := max(p.period, q.period, perByte*mean*p.share/float64(p.replicas), perByte*mean*q.share/float64(q.replicas))
				x.tokens, x.output = (in+out)/period, out/period
				all = append(all, x)
			}
		}
	}
	var walk func(pool, node int)
	walk = func(pool, node int) { // how many GPUs of a node prefill, and how many decode
		switch {
		case pool == len(pools):
			judge()
			return
		case node > 0 && node == len(pools[pool].Nodes):
			walk(pool+1, 0)
			return
		}
		first, second := a[pool], b[pool]
		if p := &pools[pool]; p.Nodes == nil {
			for n := 0; n <= p.Count.Max; n++ {
				for m := 0; n+m <= p.Count.Max; m++ {
					a[pool], b[pool] = rented(p, 0, 0, n), rented(p, (n+p.GPUsPerNode-1)/p.GPUsPerNode, 0, m)
					if n+m <= p.GPUsPerNode {
						b[pool] = rented(p, 0, n, m)
					}
					walk(pool+1, 0)
				}
			}
			a[pool], b[pool] = first, second
			return
		}
		x := pools[pool].Nodes[node]
		for n := 0; n <= len(x.GPUs); n++ {
			for m := 0; n+m <= len(x.GPUs); m++ {
				a[pool], b[pool] = slices.Clone(first), slices.Clone(second)
				if n > 0 {
					a[pool] = append(a[pool], inputs.Node{Host: x.Host, GPUs: x.GPUs[:n]})
				}
				if m > 0 {
					b[pool] = append(b[pool], inputs.Node{Host: x.Host, GPUs: x.GPUs[len(x.GPUs)-m:]})
				}
				walk(pool, node+1)
			}
		}
		a[pool], b[pool] = first, second
	}
	walk(0, 0)
	return all
}

// miss is by which share a pair misses what is asked.
func (x *pairOf) miss(c *inputs.Condition) float64 {
	worst, keep := 1.0, 1-formulation.Margin(c)
	for _, q := range c.Goal.Requirements {
		switch q.Kind {
		case inputs.TTFT:
			worst = max(worst, x.ttft/q.Value/keep)
		case inputs.TPOT:
			worst = max(worst, x.tpot/q.Value/keep)
		case inputs.EndToEnd:
			worst = max(worst, x.e2e/q.Value/keep)
		case inputs.TokensPerSecond:
			worst = max(worst, q.Value/x.tokens/keep)
		case inputs.OutputPerSGPU:
			worst = max(worst, q.Value/(x.output/float64(x.gpus))/keep)
		case inputs.CostUSDPerHour:
			worst = max(worst, x.price/q.Value)
		}
	}
	return worst - 1
}

// best is the least of a value over pairs that miss no more than a share.
func best(c *inputs.Condition, list []pairOf, missed float64, wide bool, value func(*pairOf) float64) float64 {
	low := math.Inf(1)
	for i := range list {
		if x := &list[i]; (wide || !x.wide) && x.miss(c) <= missed+1e-9 {
			low = min(low, value(x))
		}
	}
	return low
}
