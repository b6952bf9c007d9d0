// Package heuristic holds the rules that engines and people use to place a model:
// each proposes pipelines of the same stages, on the same GPUs, that the optimum is
// chosen from, so that a gap between them is exact under the cost model.
//
// A rule decides what its users decide by it: replicas, cuts and shapes. How many
// micro-batches and decode groups then run is chosen best for every proposal alike,
// by the judge of the caller. Rules are deterministic.
package heuristic

import (
	"context"

	"partita/formulation/stagegraph"
)

// Proposal is what a rule proposes: alike replicas of these stages. No stages: the
// rule has no answer, and Why says so.
type Proposal struct {
	Replicas int
	Parts    []stagegraph.Part
	Why      string
}

// Env is what a rule sees.
type Env struct {
	Space *stagegraph.Space
	// GPUs to be used of each pool, over all replicas.
	GPUs []int
	// Judge holds a proposal against the condition.
	Judge func(Proposal) Verdict
	// Start is a proposal to begin from, for rules that improve on others; nil: none.
	Start *Proposal
	// Best reports that no proposal can have a better verdict; nil: that is not known.
	Best func(Verdict) bool
}

// Heuristic is one rule.
type Heuristic struct {
	Name, About string
	// Propose lists proposals, the one its users would take first. Where a rule
	// tries several, the best under the judge counts.
	Propose func(context.Context, Env) []Proposal
	// Improves: the rule begins from Env.Start and runs after all others.
	Improves bool
}

// All lists the rules.
func All() []Heuristic {
	return []Heuristic{
		{Name: "vllm-default", About: "TP over the GPUs of a node, PP across nodes, layers cut evenly as vLLM does", Propose: vllmDefault},
		{Name: "megatron", About: "TP inside the node as far as memory needs, then PP until it fits, the rest data parallel", Propose: megatron},
		{Name: "flop-proportional", About: "TP over the GPUs of a node, layers in proportion to the peak FLOP/s of each stage", Propose: flopProportional},
		{Name: "memory-greedy", About: "as many layers on each group as its memory takes, largest memory first", Propose: memoryGreedy},
		{Name: "aiconfigurator-grid", About: "PP = 1, groups of 1, 2, 4 and 8 GPUs in every split, replicas on all GPUs; the best of them", Propose: grid},
		{Name: "local-search", About: "the best of the other rules, improved by small changes of cuts, shapes and replicas", Propose: localSearch, Improves: true},
	}
}
