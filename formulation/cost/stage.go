package cost

import (
	"math"

	"partita/inputs"
)

// graphReserve is kept free on each GPU of an operator graph: 2 GiB, for the driver's
// context and the libraries' workspaces.
const graphReserve int64 = 2 << 30

// Capacity is what a plan may fill on each GPU of the pool, in bytes:
// ⌊MemoryBytes · Utilization⌋, or MemoryBytes under an engine that leaves a share of the
// KV cache free instead (engine.go), which Memory.Reserve then has.
func (c *Calculator) Capacity(pool int) int64 { return c.devices[pool].memory.capacity }

// StageMemory is the memory of one GPU of a stage (M4). counts holds the number of
// layers of each kind; first stages hold the embedding, last ones the head.
func (c *Calculator) StageMemory(pool int, counts []int, first, last bool, s Shape, l Load) Memory {
	var bytes [8]int64 // on the stack, for models with few kinds of layer
	var elements [8]float64
	var steps [2]split
	m := c.memories(pool, s, l, bytes[:0], elements[:0], steps[:0])
	return m.Of(counts, first, last)
}

// StageMemories is the memory of all stages of one shape under one load, in parts.
type StageMemories struct {
	c           *Calculator
	engine      *engineMemory
	shape       Shape
	reserve     [2]int64 // of a stage beside others, and of the whole model
	embedding   int64
	head        [2]int64 // of a stage without the embedding, and with it
	weights, kv []int64  // of a layer of each kind
	steps       []split
	operators   []float64 // of each step and kind: elements of its largest operator
}

// Memories prices the parts of the memory of stages of a shape under a load.
func (c *Calculator) Memories(pool int, s Shape, l Load) StageMemories {
	kinds, steps := len(c.kinds), len(l.Steps)
	return c.memories(pool, s, l, make([]int64, 0, 2*kinds), make([]float64, 0, kinds*steps), make([]split, 0, steps))
}

// memories fills the parts into the slices given, which are empty.
func (c *Calculator) memories(pool int, s Shape, l Load, bytes []int64, elements []float64, steps []split) StageMemories {
	d := &c.devices[pool]
	for kind := range c.kinds {
		bytes = append(bytes, c.LayerWeights(pool, kind, s))
	}
	for kind := range c.kinds {
		bytes = append(bytes, c.LayerKV(pool, kind, s, l))
	}
	for _, st := range l.Steps {
		w := splitStep(s, st)
		if st.Phase != inputs.Decode {
			w = w.within(l.Budget, s.DPAttention*s.CP)
		}
		for kind := range c.kinds {
			elements = append(elements, c.operatorElements(&c.kinds[kind], s, st, &w))
		}
		if st.Phase == inputs.Decode {
			w.sequences = w.tokens // logits of every token of a draft
		}
		steps = append(steps, w)
	}
	return StageMemories{
		c: c, engine: &d.memory, shape: s, reserve: [2]int64{d.reserves.serving(s.GPUs(), true), d.reserves.serving(s.GPUs(), false)}, embedding: c.EmbeddingWeights(s),
		head:    [2]int64{c.HeadWeights(s, false), c.HeadWeights(s, true)},
		weights: bytes[:len(c.kinds)], kv: bytes[len(c.kinds):], steps: steps, operators: elements,
	}
}

// Of is StageMemory.
func (m *StageMemories) Of(counts []int, first, last bool) Memory {
	mem := Memory{Reserve: m.reserve[0]}
	if first && last {
		mem.Reserve = m.reserve[1]
	}
	for kind, n := range counts {
		if n > 0 {
			mem.Weights += int64(n) * m.weights[kind]
			mem.KV += int64(n) * m.kv[kind]
			mem.Reserve += int64(n) * m.engine.slackOf(m.kv[kind])
		}
	}
	if first {
		mem.Weights += m.embedding
	}
	if last && first {
		mem.Weights += m.head[1]
	} else if last {
		mem.Weights += m.head[0]
	}
	largest := 0.0
	for i := range m.steps {
		operator := 0.0
		for kind, n := range counts {
			if n > 0 {
				operator = math.Max(operator, m.operators[i*len(counts)+kind])
			}
		}
		largest = math.Max(largest, m.c.stepBytes(operator, last, m.shape, &m.steps[i], m.engine.sampler))
	}
	mem.Activations = roundUp(largest)
	return mem
}

// MostLayers is how many layers of the one kind of a model a stage holds within so many
// bytes; 0 where not even one.
func (m *StageMemories) MostLayers(first, last bool, capacity int64) int {
	counts := [1]int{1}
	one := m.Of(counts[:], first, last)
	left, each := capacity-one.Total(), m.weights[0]+m.kv[0]+m.engine.slackOf(m.kv[0])
	if left < 0 {
		return 0
	}
	if each <= 0 {
		return math.MaxInt32
	}
	return int(min(1+left/each, math.MaxInt32))
}

// Fits reports whether a stage fits its GPUs (M5).
func (c *Calculator) Fits(pool int, counts []int, first, last bool, s Shape, l Load) bool {
	return c.StageMemory(pool, counts, first, last, s, l).Total() <= c.Capacity(pool)
}
