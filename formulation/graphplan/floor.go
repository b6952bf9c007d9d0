package graphplan

import (
	"math"

	"partita/formulation/ideals"
)

// floor is a load that some GPU of a replica has at least: the longest node on its best
// pool, and the work shared out over all GPUs as finely as one likes.
//
// Prices λ_k of a ms on a GPU of pool k, with Σ n_k λ_k = 1, bound the latter: the dearest
// GPU costs no more than all together, and each node costs what its cheapest pool asks,
//
//	T ≥ T Σ n_k λ_k ≥ Σ_v min_k λ_k t_vk
//
// for any prices; the best ones make it the optimum of the linear relaxation.
func floor(p *ideals.Problem) float64 {
	var pools []int
	for k := range p.Classes {
		if p.Classes[k].Count > 0 {
			pools = append(pools, k)
		}
	}
	longest := 0.0
	for v := range p.Nodes {
		least := math.Inf(1)
		for _, k := range pools {
			least = min(least, p.Classes[k].Time[v])
		}
		longest = max(longest, least)
	}
	return max(longest, sharedOut(p, pools))
}

// priceSteps is how often prices are changed; a step changes them by priceStep at first,
// less and less.
const (
	priceSteps = 64
	priceStep  = 0.5
)

// sharedOut is the bound of the best prices found: first by the speed of each pool on the
// whole graph, then dearer where more work goes than its GPUs are of all.
func sharedOut(p *ideals.Problem, pools []int) float64 {
	price, load := make([]float64, len(p.Classes)), make([]float64, len(p.Classes))
	for _, k := range pools {
		sum := 0.0
		for _, t := range p.Classes[k].Time {
			sum += t
		}
		if price[k] = 1; sum > 0 {
			price[k] = 1 / sum
		}
	}
	best := 0.0
	for step := range priceSteps {
		whole := 0.0
		for _, k := range pools {
			whole += price[k] * float64(p.Classes[k].Count)
		}
		bound := 0.0
		for _, k := range pools {
			price[k] /= whole
			load[k] = 0
		}
		for v := range p.Nodes {
			cheapest, cost := -1, math.Inf(1)
			for _, k := range pools {
				if c := price[k] * p.Classes[k].Time[v]; c < cost {
					cheapest, cost = k, c
				}
			}
			bound += cost
			load[cheapest] += p.Classes[cheapest].Time[v]
		}
		best = max(best, bound)
		if bound == 0 || len(pools) == 1 {
			break
		}
		for _, k := range pools {
			over := load[k]/float64(p.Classes[k].Count)/bound - 1 // of its share
			price[k] *= math.Exp(priceStep / float64(1+step) * max(-1, min(1, over)))
		}
	}
	return best
}
