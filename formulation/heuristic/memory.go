package heuristic

import (
	"context"
	"fmt"
	"slices"

	"partita/formulation/stagegraph"
)

// memoryGreedy fills one group after the other, the GPUs with most memory first, as
// loaders do that place a model by free memory alone (Hugging Face Accelerate's
// device_map, llama.cpp's default split). Every group keeps at least a layer,
// so that no GPU that is to be used is left without. Groups of each size inside
// the node and every number of replicas are tried; the best counts.
func memoryGreedy(_ context.Context, env Env) []Proposal {
	s := env.Space
	order := byMemory(env)
	widest := 0
	for _, k := range order {
		widest = max(widest, s.Node(k))
	}
	var out []Proposal
	for width := 1; width <= widest; width++ {
		groups, stations, ok := greedyGroups(env, order, width)
		if !ok {
			continue
		}
		for _, r := range replicas(s, groups) {
			one := make([]station, 0, min(len(stations), s.Layers()+1))
			for k, x := range stations {
				for range groups[k] / r {
					if len(one) <= s.Layers() {
						one = append(one, x)
					}
				}
			}
			if len(one) > s.Layers() {
				continue
			}
			layers, ok := fill(s, one, r)
			p := Proposal{Replicas: r, Parts: lay(one, layers), Why: fmt.Sprintf("groups of up to %d GPUs filled in order of memory", width)}
			if !ok {
				p.Why = "the groups together hold too little"
			}
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return []Proposal{{Why: "every choice of groups leaves more stages than the model has layers"}}
	}
	return out
}

// byMemory lists the pools in use, largest usable memory first.
func byMemory(env Env) []int {
	var out []int
	for k, n := range env.GPUs {
		if n > 0 {
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int {
		return int(min(1, max(-1, env.Space.Costs.Capacity(b)-env.Space.Costs.Capacity(a))))
	})
	return out
}

// greedyGroups gives every pool groups of at most so many GPUs, in the given order
// of pools; false where no pool has groups of just that size (narrower ones are
// tried by themselves) or one has none at all.
func greedyGroups(env Env, order []int, width int) (groups []int, stations []station, ok bool) {
	for _, k := range order {
		t := 0
		for _, d := range degrees(env.Space, k, env.GPUs[k]) {
			if d <= width {
				t = d
				break
			}
		}
		if t == 0 {
			return nil, nil, false
		}
		ok = ok || t == width
		groups = append(groups, env.GPUs[k]/t)
		stations = append(stations, station{k, tensor(t)})
	}
	return groups, stations, ok
}

// fill gives each station as many layers as fit, leaving one for each that follows;
// false where layers are left over, which the last station then has to take.
func fill(s *stagegraph.Space, stations []station, replicas int) ([]int, bool) {
	out := make([]int, len(stations))
	at, ok := 0, true
	for i, st := range stations {
		most := s.Layers() - at - (len(stations) - 1 - i)
		n := most
		if i+1 < len(stations) {
			n = s.MostLayers(replicas, st.pool, st.shape, at, most)
		} else {
			ok = s.MostLayers(replicas, st.pool, st.shape, at, most) == most
		}
		out[i] = max(1, n)
		at += out[i]
	}
	return out, ok
}
