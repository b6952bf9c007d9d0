package validate

import (
	"strings"

	"partita/formulation/cost"
	"partita/formulation/training"
	"partita/inputs"
	"partita/inputs/measured"
)

// trainMemoryMeasures are the metrics of the memory of training runs, by their names in
// tables: of the GPU that holds most.
func trainMemoryMeasures() map[string]measure {
	return map[string]measure{
		"peak_mem_gb_per_gpu":  {quantity: trainMemory, scale: 1e-9},
		"peak_mem_gib_per_gpu": {quantity: trainMemory, scale: 1.0 / (1 << 30)},
		"nvidia_smi_mb":        {quantity: trainMemory, scale: 1.0 / (1 << 20)},
	}
}

// memoryUnstated says what a row does not say and its memory hangs on; "" where it says all.
func memoryUnstated(t *trained) string {
	switch {
	case t.micro == 0:
		return "the micro-batch is not stated, and memory hangs on it"
	case t.virtual == 0:
		return "the virtual stages are not stated, and memory hangs on them"
	}
	return ""
}

// fillPipeline gives a run of unknown global batch as many micro-batches as fill its pipeline:
// more take no more memory.
func (t *trained) fillPipeline() {
	if t.global == 0 {
		t.global = t.micro * t.shape.DP * t.pp
	}
}

// heldBytes is the memory of the GPU that holds most, in bytes: all of it, and what tensors
// take alone.
type heldBytes struct{ all, tensors float64 }

func heldOf(c *inputs.Condition, calc *cost.Calculator, l *training.Layout) heldBytes {
	var out heldBytes
	for _, b := range training.Memory(c, calc, l) {
		out.all = max(out.all, float64(b.Total()))
		out.tensors = max(out.tensors, float64(b.Total()-b.Reserve))
	}
	return out
}

// printed is the part of the memory that a source tells: torchtitan and NeMo print what
// PyTorch's allocator took, which the runtime is not in; others what the device shows.
func (h heldBytes) printed(r *measured.Row) float64 {
	if f := strings.ToLower(r.Framework); strings.Contains(f, "torchtitan") || strings.HasPrefix(f, "nemo") {
		return h.tensors
	}
	return h.all
}

// fits tells whether a device holds it: all of its memory, which frameworks of training fill.
func (h heldBytes) fits(c *inputs.Condition) bool {
	return h.all <= float64(c.Cluster.Pools[0].MemoryBytes)
}

// layerAlone reports a measure of one layer, not of a run.
func layerAlone(m measure) bool {
	return m.quantity == layerForward || m.quantity == layerBackward || m.quantity == layerBoth
}
