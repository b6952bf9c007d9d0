package cost

// runtimeReserve is kept free on each GPU for the driver's context, the libraries'
// workspaces and captured graphs: 2 GiB. Published: 1.8 GiB beside weights, cache
// and activations on one H100, 3.6 GiB with tensor parallelism over two (vLLM pull
// request 10511); the utilisation leaves another tenth of the memory.
const runtimeReserve int64 = 2 << 30

// Reserve is what a plan leaves to the runtime on each GPU of the pool, in bytes.
func (c *Calculator) Reserve(int) int64 { return runtimeReserve }

// Capacity is what a plan may fill on each GPU of the pool, in bytes:
// ⌊MemoryBytes · Utilization⌋.
func (c *Calculator) Capacity(pool int) int64 { return c.devices[pool].capacity }

// StageMemory is the memory of one GPU of a stage (M4). counts holds the number of
// layers of each kind; first stages hold the embedding, last ones the head.
func (c *Calculator) StageMemory(pool int, counts []int, first, last bool, s Shape, l Load) Memory {
	mem := Memory{Reserve: c.Reserve(pool)}
	for kind, n := range counts {
		if n > 0 {
			mem.Weights += int64(n) * c.LayerWeights(pool, kind, s)
			mem.KV += int64(n) * c.LayerKV(pool, kind, s, l)
		}
	}
	if first {
		mem.Weights += c.EmbeddingWeights(s)
	}
	if last {
		mem.Weights += c.HeadWeights(s, first)
	}
	mem.Activations = roundUp(largestStep(c, counts, last, s, l))
	return mem
}

// Fits reports whether a stage fits its GPUs (M5).
func (c *Calculator) Fits(pool int, counts []int, first, last bool, s Shape, l Load) bool {
	return c.StageMemory(pool, counts, first, last, s, l).Total() <= c.Capacity(pool)
}
