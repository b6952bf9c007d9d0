package heuristic

import (
	"context"
	"fmt"

	"partita/formulation/stagegraph"
)

// gridGroups are the numbers of GPUs of a replica that the grid tries: the tensor
// degrees that AIConfigurator sweeps inside a node.
var gridGroups = [...]int{1, 2, 4, 8}

// grid is a sweep as AIConfigurator does it: no pipeline, groups of 1, 2, 4 and 8
// GPUs, replicas on all of them; for models with experts every split of attention
// (TP against data parallel) and of experts (EP against TP) that a group has. It knows
// one kind of GPU at a time, so of unlike pools it fills one.
func grid(_ context.Context, env Env) []Proposal {
	s := env.Space
	var out []Proposal
	for k, n := range env.GPUs {
		for _, sh := range s.Shapes(k) {
			q := sh.GPUs()
			if !inGrid(q) || sh.CP > 1 || q > n {
				continue
			}
			r := min(n/q, s.Condition.Workload.Batch)
			out = append(out, Proposal{
				Replicas: r, Parts: []stagegraph.Part{{First: 0, Last: s.Layers() - 1, Pool: k, Shape: sh}},
				Why: fmt.Sprintf("groups of %d GPUs, PP1", q),
			})
		}
	}
	if len(out) == 0 {
		return []Proposal{{Why: "no group of 1, 2, 4 or 8 GPUs divides the model"}}
	}
	return out
}

func inGrid(q int) bool {
	for _, g := range gridGroups {
		if q == g {
			return true
		}
	}
	return false
}
