package heuristic

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"partita/formulation/stagegraph"
)

// flopProportional gives every stage layers in proportion to the datasheet peak of
// its GPUs: what one does with unlike GPUs and no measurements. Each pool has its own
// tensor degree, the GPUs of a node; where all GPUs are alike this is the even cut.
func flopProportional(_ context.Context, env Env) []Proposal {
	t := make([]int, len(env.GPUs))
	groups := make([]int, len(env.GPUs))
	for k, n := range env.GPUs {
		if n == 0 {
			continue
		}
		d := degrees(env.Space, k, n)
		if len(d) == 0 {
			return []Proposal{{Why: fmt.Sprintf("no tensor degree suits the %d GPUs of %s", n, poolName(env.Space, k))}}
		}
		t[k], groups[k] = d[0], n/d[0]
	}
	for _, r := range replicas(env.Space, groups) {
		var stations []station
		var weights []float64
		for k := range groups {
			for range groups[k] / r {
				stations = append(stations, station{k, tensor(t[k])})
				weights = append(weights, peak(env.Space, k)*float64(t[k]))
			}
		}
		if len(stations) <= env.Space.Layers() {
			return []Proposal{{
				Replicas: r, Parts: lay(stations, apportion(env.Space.Layers(), weights)),
				Why: "layers in proportion to peak FLOP/s",
			}}
		}
	}
	return []Proposal{{Why: "groups as large as nodes leave more stages than the model has layers"}}
}

// peak is the FLOP/s of a GPU in the format its weights are multiplied in; the
// highest of its formats where that is not stated.
func peak(s *stagegraph.Space, pool int) float64 {
	a := &s.Condition.Cluster.Pools[pool].Accelerator
	if f := a.FLOPS[s.Costs.ComputeFormat(pool)]; f > 0 {
		return f
	}
	all := slices.Sorted(maps.Values(a.FLOPS))
	if len(all) == 0 {
		return 1
	}
	return all[len(all)-1]
}

func poolName(s *stagegraph.Space, pool int) string { return s.Condition.Cluster.Pools[pool].Name }
