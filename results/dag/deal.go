package dag

// Sequences go over replicas, micro-batches and attention ranks, tokens over context
// ranks, columns over tensor-parallel ranks: always in order and as evenly as whole
// numbers allow, the first parts having one more. The largest part is what the strategy
// states (results.Strategy) and what the cost model prices.

// share is the size of part i of n things dealt over so many parts.
func share(n, parts, i int) int {
	if i < n%parts {
		return n/parts + 1
	}
	return n / parts
}

// start is where part i begins.
func start(n, parts, i int) int { return i*(n/parts) + min(i, n%parts) }

// ceil is ⌈n/d⌉ for n ≥ 0 and d ≥ 1.
func ceil(n, d int) int { return (n + d - 1) / d }
