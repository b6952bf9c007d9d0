// Package measured reads tables of measurements, one metric of one run a row: what
// predictions are held against. The columns are those of docs/validate.md.
package measured

import "partita/inputs"

// Row is one measured metric. A number of 0, or an empty text, is what the source does
// not say.
type Row struct {
	Place inputs.Place // of its first cell
	ID    string
	// Run joins the rows of one run; the row's own place where none is stated.
	Run string
	// Kind is training, serving-throughput, serving-latency, memory or microbench.
	Kind        string
	Model       string // by name
	HuggingFace string // by its identifier on the hub
	// Shape has the sizes of a model that has no identifier ("L80 h13824 a96 s2048 V250k"),
	// of a product ("MxNxK 2048x2048x13312") or of a message ("payload=16MiB").
	Shape     string
	Precision string // as the source writes it
	GPU       string
	GPUs      int // behind the value
	Nodes     int
	// Degrees. EP lies inside TP·CP·DP.
	TP, PP, DP, EP, CP int
	// Of training: virtual stages a rank, what is sharded over data-parallel ranks and what
	// is recomputed, as the source writes it; sequences a replica works on at once, and a step.
	Virtual                 int
	Sharding, Recompute     string
	MicroBatch, GlobalBatch int
	Input, Output           float64 // tokens a request, the mean where they differ; of training, a sequence
	Concurrency             Concurrency
	Framework               string
	Metric                  string
	Value                   float64 // in the unit of the metric's name; above 0
	// Group joins rows that answer one question with different layouts.
	Group  string
	Family string // one a source table
	Tier   string // gold: small and balanced; core: volume
	Source string
	// Unseen: the value is from memory, and is no evidence.
	Unseen bool
	Notes  string
}

// Concurrency is how requests were offered.
type Concurrency struct {
	// Requests in flight at once over the whole deployment; 0: not stated.
	Requests int
	// Rate: they came at a rate, whatever was in flight; PerSecond is that rate, +Inf where
	// all came at once, 0 where it is not stated.
	Rate      bool
	PerSecond float64
	// Most: as many as the deployment takes.
	Most bool
}

// Columns lists the columns of a table that are understood. Only those of needed must
// be there.
func Columns() []string {
	return []string{
		"id", "run_id", "kind", "model", "model_hf_id", "model_shape", "precision", "gpu", "num_gpus", "nodes",
		"tp", "pp", "dp", "ep", "cp", "vpp", "sharding", "recompute", "micro_batch", "global_batch", "isl", "osl",
		"concurrency", "framework", "metric", "value", "unit", "choice_group", "expert_pick", "family", "tier",
		"source", "seen", "quality", "notes",
	}
}

// needed are the columns without which a table says nothing.
var needed = []string{"gpu", "metric", "value"}
