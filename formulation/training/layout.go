// Package training prices and finds the parallelism strategy of a training step: tensor,
// pipeline (1F1B and interleaved), data (ZeRO 0 to 3), context, sequence and expert
// parallelism, micro-batches and activation recompute.
//
//	T = m·max τ_i + (Σ τ_i − max τ_i)/v + exposed gradient exchange + optimizer
//
// τ_i is forward, backward and recompute of one micro-batch on pipeline rank i, v the
// number of virtual stages a rank, m the micro-batches of a replica.
package training

import (
	"partita/formulation/cost"
	"partita/inputs"
	"partita/results"
)

// Layout is a complete strategy of a training step. Every pipeline rank takes
// TP·CP·DP GPUs, over which its experts lie EP·ETP at a time.
type Layout struct {
	DP, TP, CP, EP, ETP int
	// SP splits norms and residuals over the tensor ranks.
	SP bool
	// ZeRO is what is sharded over the DP·CP ranks: 0 nothing, 1 optimizer, 2 gradients too,
	// 3 weights too.
	ZeRO int
	// Virtual is the number of stages of each rank, 1 for plain 1F1B.
	Virtual int
	// MicroBatch is the number of sequences of one micro-batch of a replica.
	MicroBatch int
	// Engine is what the engine lacks: of older runs. No search proposes it.
	Engine cost.TrainEngine
	// Stages in the order of the layers, PP·Virtual of them: stage k is on rank k mod PP.
	Stages []Stage
}

// Stage is a run of layers on one pipeline rank. Layers count from 0, both ends included;
// the first stage has the embedding too, the last one the head and the loss. A stage of no
// layers, which holds the embedding or the head alone, has Last = First − 1.
type Stage struct {
	First, Last int
	Pool        int // index in Cluster.Pools; the same for all stages of a rank
	Recompute   inputs.Recompute
}

// PP is the number of pipeline ranks.
func (l *Layout) PP() int { return len(l.Stages) / l.Virtual }

// Recomputes are what the stages make again.
func (l *Layout) Recomputes() results.Recomputes {
	out := make(results.Recomputes, len(l.Stages))
	for k := range l.Stages {
		out[k] = l.Stages[k].Recompute
	}
	return out
}

// Rank is the pipeline rank that stage k is on.
func (l *Layout) Rank(k int) int { return k % l.PP() }

// GPUs is the number that the layout takes.
func (l *Layout) GPUs() int { return l.PP() * l.TP * l.CP * l.DP }

// MicroBatches of a replica in one step of a global batch of so many sequences.
func (l *Layout) MicroBatches(global int) int { return global / (l.DP * l.MicroBatch) }
