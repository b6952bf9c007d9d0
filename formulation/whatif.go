package formulation

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"partita/formulation/stagegraph"
	"partita/inputs"
	"partita/results"
)

// whatIfWork is the work that each search of other hardware may spend
// (path.Result.Work, stepWork): about a second and a half of one core.
const whatIfWork = 24 << 20

// change is other hardware.
type change struct {
	words, path string
	c           *inputs.Condition
}

// whatIf searches for the optimum with one thing of the hardware changed, two changes at a
// time. The answers and their order depend on no clock but that of a TimeLimit and, where a
// stated balance is refuted, wideLimit. No plan is lost because of a search beside it: one
// that fails says so.
func whatIf(ctx context.Context, c *inputs.Condition, p *results.Plan, opts Options) []results.WhatIf {
	list := changes(c, &p.Phases[0])
	out := make([]results.WhatIf, len(list))
	slots := make(chan struct{}, 2)
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			w, err := guardedChange(ctx, &list[i], &p.Phases[0], opts)
			if err != nil {
				w = results.WhatIf{Change: list[i].words, Path: list[i].path, Status: results.StatusUnknown, Why: "the search failed, which is a defect; please report it with the condition: " + err.Error()}
			}
			out[i] = w
		})
	}
	all.Wait()
	return out
}

// guardedChange is tryChange, a panic as an error: nobody else can catch it in a goroutine.
func guardedChange(ctx context.Context, x *change, now *results.PhasePlan, opts Options) (w results.WhatIf, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%v", cause)
		}
	}()
	return tryChange(ctx, x, now, opts, whatIfWork)
}

// tryChange searches one changed condition.
func tryChange(ctx context.Context, x *change, now *results.PhasePlan, opts Options, work int64) (results.WhatIf, error) {
	w := results.WhatIf{Change: x.words, Path: x.path, Status: results.StatusUnknown}
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	e := &effort{left: work, end: cancel}
	rep, err := optimize(limited, stagegraph.New, x.c, Options{Backend: backendLabels, effort: e}, false)
	if err != nil {
		return w, err
	}
	if ctx.Err() != nil || rep.Plan == nil || !rep.Feasible {
		w.Why = "not settled in the effort that goes into this; a solve of the changed condition settles it"
		if rep.Status == results.StatusInfeasible {
			w.Status, w.Why = rep.Status, "no plan meets the condition"
		}
		return w, nil
	}
	phase := &rep.Plan.Phases[0]
	w.Status, w.Metrics, w.Plan, w.Condition = rep.Status, &phase.Metrics, rep.Plan, x.c
	w.Strategy, w.GPUs = oneLine(x.c, proposed(x.c, phase)), phase.GPUs.Used
	w.LatencyGainPercent = gain(requestTime(now), requestTime(phase), false)
	w.ThroughputGainPercent = gain(now.Metrics.TokensPerS, phase.Metrics.TokensPerS, true)
	switch {
	case loses(w.LatencyGainPercent) && loses(w.ThroughputGainPercent):
		w.Why = "brings nothing: used all the same, it makes the best plan no better"
	case rep.Status != results.StatusOptimal:
		w.Why = "found, not proved to be the best"
	}
	return w, nil
}

// requestTime is the time of a whole request where there is one, else of what the phase does.
func requestTime(ph *results.PhasePlan) *float64 {
	for _, v := range []*float64{ph.Metrics.E2EMS, ph.Metrics.TTFTMS, ph.Metrics.TPOTMS} {
		if v != nil {
			return v
		}
	}
	return nil
}

// gain is by how much a figure gets better, in percent, rounded to a hundredth: what is less
// is no difference between plans.
func gain(now, then *float64, more bool) *float64 {
	if now == nil || then == nil || *now <= 0 {
		return nil
	}
	g := 100 * (*now - *then) / *now
	if more {
		g = -g
	}
	g = math.Round(g*100)/100 + 0 // no -0
	return &g
}

// loses reports whether a figure gets no better.
func loses(gain *float64) bool { return gain == nil || *gain <= 0 }

// changes are the changes that make sense: more of the strongest GPUs where their number is
// stated, faster links where there are several GPUs to join.
func changes(c *inputs.Condition, now *results.PhasePlan) []change {
	var list []change
	if k := strongest(c); k >= 0 {
		pool := &c.Cluster.Pools[k]
		if hostCount(c) == 1 && onHost(c, pool.Nodes[0].Host) < commonNode { // else the next one comes with a node
			list = append(list, change{fmt.Sprintf("one more GPU of %s in %s", pool.Name, pool.Nodes[0].Host), poolPath(c, k) + ".count", withOneMore(c, k)})
		}
		if size := len(pool.Nodes[0].GPUs); size > 1 {
			list = append(list, change{fmt.Sprintf("one more node of %d GPUs of %s", size, pool.Name), poolPath(c, k) + ".nodes", withNode(c, k, size)})
		}
	}
	if now.GPUs.Used < 2 {
		return list
	}
	if fast, link := withFasterLinks(c); link != "" {
		path := "cluster.intra_link"
		if len(c.Cluster.Pools) > 1 {
			path = "cluster.pools.*.intra_link"
		}
		list = append(list, change{"the links inside nodes twice as fast: " + link, path, fast})
	}
	if hostCount(c) != 1 && c.Cluster.Network.BytesPerSecond > 0 {
		fast := withPools(c)
		fast.Cluster.Network.BytesPerSecond *= 2
		list = append(list, change{"the network twice as fast: " + rate(fast.Cluster.Network.BytesPerSecond), "cluster.network", fast})
	}
	return list
}

// strongest is the pool with the fastest memory and, of equal ones, the most memory: of
// several kinds of GPU, more of the strongest brings most, and a search for each kind would
// take most of the time of a solve. Its number must be stated; -1 where none is.
func strongest(c *inputs.Condition) int {
	best := -1
	for k := range c.Cluster.Pools {
		pool := &c.Cluster.Pools[k]
		if !pool.Count.Stated() || len(pool.Nodes) == 0 {
			continue
		}
		if best < 0 || pool.Accelerator.MemoryBandwidth > c.Cluster.Pools[best].Accelerator.MemoryBandwidth ||
			pool.Accelerator.MemoryBandwidth == c.Cluster.Pools[best].Accelerator.MemoryBandwidth && pool.MemoryBytes > c.Cluster.Pools[best].MemoryBytes {
			best = k
		}
	}
	return best
}

// hostCount is how many hosts the GPUs of a condition are on; 0: their number is open.
func hostCount(c *inputs.Condition) int {
	names := map[string]bool{}
	for k := range c.Cluster.Pools {
		if len(c.Cluster.Pools[k].Nodes) == 0 {
			return 0
		}
		for _, n := range c.Cluster.Pools[k].Nodes {
			names[n.Host] = true
		}
	}
	return len(names)
}

// poolPath is the path of a pool in the structured form of a condition.
func poolPath(c *inputs.Condition, k int) string {
	if len(c.Cluster.Pools) == 1 {
		return "cluster"
	}
	return fmt.Sprintf("cluster.pools.%d", k)
}

// rate is a rate of a link for people.
func rate(bytesPerSecond float64) string { return fmt.Sprintf("%.4g GB/s", bytesPerSecond/1e9) }

// withPools is a copy of a condition whose pools may be changed.
func withPools(c *inputs.Condition) *inputs.Condition {
	out := *c
	out.Cluster.Pools = slices.Clone(c.Cluster.Pools)
	return &out
}

// commonNode is how many GPUs a server has room for; a host with fewer takes one more.
const commonNode = 8

// withOneMore is a condition with one more GPU of a pool in its first node.
func withOneMore(c *inputs.Condition, k int) *inputs.Condition {
	more := withCount(c, k, 1)
	pool := &more.Cluster.Pools[k]
	pool.Nodes = slices.Clone(pool.Nodes)
	n := &pool.Nodes[0]
	n.GPUs = append(slices.Clone(n.GPUs), free(c, n.Host+"/gpu-"))
	pool.GPUsPerNode = max(pool.GPUsPerNode, len(n.GPUs))
	return more
}

// withFasterLinks is a condition whose links inside nodes have twice the rate, with the
// rates; "" where no node has two GPUs that a link of a known rate joins.
func withFasterLinks(c *inputs.Condition) (fast *inputs.Condition, rates string) {
	fast = withPools(c)
	var list []string
	for k := range fast.Cluster.Pools {
		pool := &fast.Cluster.Pools[k]
		several := len(pool.Nodes) == 0 || slices.ContainsFunc(pool.Nodes, func(n inputs.Node) bool { return len(n.GPUs) > 1 })
		if !several || pool.Intra.BytesPerSecond <= 0 {
			continue
		}
		pool.Intra.BytesPerSecond, pool.Intra.PairBytesPerSecond = 2*pool.Intra.BytesPerSecond, 2*pool.Intra.PairBytesPerSecond
		if r := rate(pool.Intra.BytesPerSecond); !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return fast, strings.Join(list, ", ")
}

// withNode is a condition with one more node of a pool.
func withNode(c *inputs.Condition, k, gpus int) *inputs.Condition {
	more := withCount(c, k, gpus)
	n := inputs.Node{Host: free(c, "node-")}
	for i := range gpus {
		n.GPUs = append(n.GPUs, fmt.Sprintf("%s/gpu-%d", n.Host, i))
	}
	pool := &more.Cluster.Pools[k]
	pool.Nodes = append(slices.Clone(pool.Nodes), n)
	return more
}

// withCount raises the stated number of a pool.
func withCount(c *inputs.Condition, k, gpus int) *inputs.Condition {
	more := withPools(c)
	pool := &more.Cluster.Pools[k]
	pool.Count.Min += gpus
	pool.Count.Max += gpus
	return more
}

// onHost is how many GPUs of all pools a host has.
func onHost(c *inputs.Condition, host string) int {
	n := 0
	for k := range c.Cluster.Pools {
		for _, x := range c.Cluster.Pools[k].Nodes {
			if x.Host == host {
				n += len(x.GPUs)
			}
		}
	}
	return n
}

// taken reports whether a host or a GPU of the condition has a name.
func taken(c *inputs.Condition, name string) bool {
	for k := range c.Cluster.Pools {
		for _, n := range c.Cluster.Pools[k].Nodes {
			if n.Host == name || slices.Contains(n.GPUs, name) {
				return true
			}
		}
	}
	return false
}

// free is the first name of a series that is not taken: node-0, node-1 …
func free(c *inputs.Condition, series string) string {
	for n := 0; ; n++ {
		if name := series + strconv.Itoa(n); !taken(c, name) {
			return name
		}
	}
}
