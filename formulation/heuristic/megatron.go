package heuristic

import (
	"context"
	"fmt"

	"partita/formulation/cost"
)

// megatron is the rule of thumb of Narayanan et al. (SC 2021, arXiv:2104.04473,
// section 3.5): tensor parallelism up to the GPUs of a node, then pipeline
// parallelism until the model fits, the rest data parallel; here with the least
// model parallelism that fits memory. Experts are spread over the tensor group (EP =
// TP), as Megatron Core advises for its MoE layers. Layers are cut evenly.
func megatron(_ context.Context, env Env) []Proposal {
	list := common(env)
	if len(list) == 0 {
		return []Proposal{{Why: "no tensor degree suits every pool"}}
	}
	last := Proposal{Why: "every choice has more stages than layers or more replicas than sequences"}
	try := func(t, r int) (fits bool) {
		stations := uniform(env, expertShape(env, t), r)
		if len(stations) > env.Space.Layers() {
			return false
		}
		p := Proposal{
			Replicas: r, Parts: lay(stations, even(env.Space.Layers(), len(stations))),
			Why: fmt.Sprintf("TP%d, then PP%d until it fits, %d data parallel", t, len(stations), r),
		}
		last = p
		return env.Judge(p).Rule > RuleMemory
	}
	for i := len(list) - 1; i >= 0; i-- {
		r := replicas(env.Space, divided(env.GPUs, list[i]))
		if len(r) > 0 && try(list[i], r[len(r)-1]) {
			return []Proposal{last}
		}
	}
	r := replicas(env.Space, divided(env.GPUs, list[0]))
	for i := len(r) - 2; i >= 0; i-- {
		if try(list[0], r[i]) {
			break
		}
	}
	return []Proposal{last}
}

// expertShape spreads experts over a tensor group where every pool in use admits
// that; a dense model and others split as tensor does.
func expertShape(env Env, t int) cost.Shape {
	sh := cost.Shape{TP: t, CP: 1, DPAttention: 1, EP: t, ETP: 1}
	for k, n := range env.GPUs {
		if n > 0 && !env.Space.Offers(k, sh) {
			return tensor(t)
		}
	}
	return sh
}
