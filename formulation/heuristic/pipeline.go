package heuristic

import (
	"slices"

	"partita/formulation/cost"
	"partita/formulation/divide"
	"partita/formulation/stagegraph"
)

// station is a stage whose layers are still to be counted.
type station struct {
	pool  int
	shape cost.Shape
}

// lay puts layers[i] layers on station i, in order.
func lay(stations []station, layers []int) []stagegraph.Part {
	out := make([]stagegraph.Part, len(stations))
	at := 0
	for i, s := range stations {
		out[i] = stagegraph.Part{First: at, Last: at + layers[i] - 1, Pool: s.pool, Shape: s.shape}
		at += layers[i]
	}
	return out
}

// tensor splits everything over q ranks: attention heads, dense widths and experts
// alike, as engines do unless told otherwise.
func tensor(q int) cost.Shape { return cost.Shape{TP: q, CP: 1, DPAttention: 1, EP: 1, ETP: q} }

// degrees lists the tensor degrees of a pool that lie inside a node, tile it, and
// divide so many GPUs; largest first.
func degrees(s *stagegraph.Space, pool, gpus int) []int {
	var out []int
	node := min(s.Node(pool), gpus)
	for t := node; t >= 1; t-- {
		if node%t == 0 && gpus%t == 0 && s.Offers(pool, tensor(t)) {
			out = append(out, t)
		}
	}
	return out
}

// common lists the tensor degrees that all pools in use admit, largest first.
func common(env Env) []int {
	var out []int
	first := true
	for k, n := range env.GPUs {
		if n == 0 {
			continue
		}
		d := degrees(env.Space, k, n)
		if first {
			out, first = d, false
			continue
		}
		out = slices.DeleteFunc(out, func(t int) bool { return !slices.Contains(d, t) })
	}
	return out
}

// uniform is a pipeline of stages of one shape over the pools in their order, for
// one of r replicas.
func uniform(env Env, sh cost.Shape, replicas int) []station {
	var out []station
	for k, n := range env.GPUs {
		for range n / (sh.GPUs() * replicas) {
			out = append(out, station{k, sh})
		}
	}
	return out
}

// replicas lists the numbers of replicas that share out n[k] units of every pool
// alike and have a sequence each; fewest first.
func replicas(s *stagegraph.Space, n []int) []int {
	g := 0
	for _, x := range n {
		g = divide.GCD(g, x)
	}
	var out []int
	for r := 1; r <= min(g, s.Condition.Workload.Batch); r++ {
		if g%r == 0 {
			out = append(out, r)
		}
	}
	return out
}

// divided is n/q for every entry.
func divided(n []int, q int) []int {
	out := make([]int, len(n))
	for i := range n {
		out[i] = n[i] / q
	}
	return out
}

// fewest is the least number of replicas of uniform stages whose pipeline has a
// layer for every stage; false where even the shortest pipeline is too long.
func fewest(env Env, t int) (int, bool) {
	list := replicas(env.Space, divided(env.GPUs, t))
	total := 0
	for _, n := range env.GPUs {
		total += n
	}
	for _, r := range list {
		if total/(t*r) <= env.Space.Layers() {
			return r, true
		}
	}
	return 0, false
}

// even cuts n layers into parts whose sizes differ by at most one, larger ones first.
func even(n, parts int) []int {
	out := make([]int, parts)
	for i := range out {
		out[i] = n / parts
		if i < n%parts {
			out[i]++
		}
	}
	return out
}

// apportion shares n layers out in proportion to weights by largest remainders,
// at least one to each; n ≥ len(weights).
func apportion(n int, weights []float64) []int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	out := make([]int, len(weights))
	rest := make([]float64, len(weights))
	left := n
	for i, w := range weights {
		share := float64(n) / float64(len(weights))
		if total > 0 {
			share = float64(n) * w / total
		}
		out[i] = max(1, int(share+1e-9))
		rest[i] = share - float64(out[i])
		left -= out[i]
	}
	for ; left != 0; left += sign(-left) {
		at := -1
		for i := range out {
			switch {
			case left < 0 && out[i] == 1:
			case at < 0 || left > 0 && rest[i] > rest[at] || left < 0 && rest[i] < rest[at]:
				at = i
			}
		}
		out[at] += sign(left)
		rest[at] -= float64(sign(left))
	}
	return out
}

func sign(x int) int {
	if x < 0 {
		return -1
	}
	return 1
}
