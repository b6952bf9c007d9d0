// Package kernels reads timings of single operators: what the constants of the cost model
// are fitted from.
//
//	table, err := kernels.Load("gemm_perf.parquet")   // CSV or Parquet, columns by name
//
// A table is one of
//
//   - AIConfigurator's *_perf tables (github.com/ai-dynamo/aiconfigurator): GEMM, attention of
//     prompts and of generated tokens, latent attention, experts, custom all-reduce, NCCL;
//   - a table of one's own, whose columns docs/calibrate.md lists;
//   - a table of measurements as validate reads it (inputs/measured), of which the rows on
//     single operators are taken.
//
// Which of them it is, its columns tell.
package kernels

import "partita/inputs"

// Op is a kind of operator.
type Op string

// Operators that constants are fitted from.
const (
	Matmul           Op = "matmul"            // activations m×k times weights k×n
	PrefillAttention Op = "prefill_attention" // causal, New tokens behind Context cached ones
	DecodeAttention  Op = "decode_attention"  // one new token over Context of them, itself included
	PrefillLatent    Op = "prefill_mla"       // latent attention, as PrefillAttention
	DecodeLatent     Op = "decode_mla"
	Experts          Op = "experts" // grouped products of routed experts, one rank
	Stream           Op = "stream"  // moves Bytes and computes next to nothing
	AllReduce        Op = "all_reduce"
	AllGather        Op = "all_gather"
	ReduceScatter    Op = "reduce_scatter"
	AllToAll         Op = "all_to_all"
	Send             Op = "send" // a copy of Bytes from one device to another
)

// Ops lists the operators, in the order of documents and reports.
func Ops() []Op {
	return []Op{Matmul, PrefillAttention, DecodeAttention, PrefillLatent, DecodeLatent, Experts, Stream, AllReduce, AllGather, ReduceScatter, AllToAll, Send}
}

// Collective reports whether the operator communicates.
func (o Op) Collective() bool {
	return o == AllReduce || o == AllGather || o == ReduceScatter || o == AllToAll || o == Send
}

// Sample is one timed operator on one device. Sizes are those of one rank; a size that the
// operator does not have is 0.
type Sample struct {
	Place  inputs.Place // of the row
	Op     Op
	Device string // as the table names it; "" where it does not
	// Compute is the format that products are made in; Weight and KV are storage formats.
	Compute, Weight, KV inputs.DType

	M, N, K int // Matmul

	// Attention. HeadDim is that of keys and of values.
	Batch, New, Context, Heads, KVHeads, HeadDim, Window int

	// Experts: Tokens of the whole expert-parallel group, each sent to TopK of Experts, which
	// are Width wide before ETP splits them and lie on EP ranks.
	Tokens, Hidden, Width, Experts, TopK, EP, ETP int

	// Collectives: of GPUs, on Nodes of equal size. Stream has Bytes too.
	//
	// Bytes are those of one GPU's buffer for an all-reduce and an all-to-all, and of all parts
	// together for an all-gather and a reduce-scatter, as nccl-tests counts them.
	GPUs, Nodes int
	Bytes       float64
	// Library: it is that of NCCL or alike, not an engine's own kernel.
	Library bool

	Framework string // whose kernel it is, in lower case; "" where the table does not say

	Seconds float64 // measured; above 0
}

// Measurements is the kind of a table as validate reads it, of many devices.
const Measurements = "measurements"

// Table is what one file holds.
type Table struct {
	File    string // path as it was given
	Kind    string // of table, for people: "AIConfigurator GEMM"
	Rows    int    // of data
	Samples []Sample
	Skipped []Skip // rows that hold no sample, by reason
}

// Skip counts rows that were left out for one reason.
type Skip struct {
	Rows   int
	Reason string
}
