// Package cost prices what a stage of a deployment does: the time of an operator,
// a collective, a layer, and the memory that each GPU of a stage needs. Every
// figure is a pure function of a condition; nothing here searches or decides.
//
// A Calculator is made once from a condition (New) and is safe for concurrent use:
// it is not changed afterwards. Its methods allocate nothing, so that a search may
// call them millions of times.
//
//	calculator, err := cost.New(condition)
//	shape := cost.Shape{TP: 8, CP: 1, DPAttention: 1, EP: 1, ETP: 8}
//	step := cost.Step{Phase: inputs.Decode, Sequences: 64, New: 1, Cached: 4096}
//	seconds := calculator.Layer(pool, kind, shape, step)
//
// Where to look:
//
//	calculator.go  New: what is resolved once per pool and per kind of layer
//	precision.go   which number format a device computes in
//	generation.go  efficiencies and launch floors of a device, from its inputs.Profile
//	wire.go        efficiencies and latencies of a link, from the same
//	operator.go    the roofline of one operator                                  (O1-O3)
//	attention.go   projections and attention;  kernel.go  the attention kernels   (O4-O8)
//	single.go      operators priced one by one, as kernels are timed
//	feedforward.go dense and expert feed-forward                                 (O9-O11)
//	collective.go  all-reduce, all-gather, all-to-all inside and across nodes    (L1-L4)
//	layer.go       a layer, embedding, head, and the send to the next stage
//	weights.go kv.go activations.go stage.go                    memory of a GPU  (M1-M5)
//	train_time.go train_layer.go train_sync.go train_device.go        a training step (T0-T10)
//	train_memory.go train_activations.go  memory of a GPU that trains            (M6-M7)
//	parameters.go  parameter counts;  shape.go  which shapes a layer admits
//	interval.go    how far a prediction may be off, and on what evidence
//
// Numbers in brackets are equations of docs/cost-model.md. Units: seconds, bytes,
// FLOP, bytes/s and FLOP/s; link rates per GPU and direction.
//
// Names: t is the tensor degree TP, b the sequences of one attention rank, s its
// new tokens a sequence, p the cached tokens before them, h the hidden width.
package cost
