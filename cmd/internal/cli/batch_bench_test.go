package cli

import (
	"path/filepath"
	"testing"
)

// BenchmarkBatch is the time a scenario takes in a batch on one core, all told: reading,
// search, comparison with the heuristics, verification, plan and journal. The workloads
// of the example are those of the figure in docs/performance.md.
func BenchmarkBatch(b *testing.B) {
	for _, plans := range []string{"all", "none"} {
		b.Run("plans="+plans, func(b *testing.B) {
			const scenarios = 100
			for b.Loop() {
				code, _, stderr := run(b.Context(), "batch", filepath.Join(repository, "examples", "batch-llama-70b.yaml"),
					"--shard", "0/10", "--jobs", "1", "--plans", plans, "-o", b.TempDir())
				if code != exitFound {
					b.Fatalf("exit code %d: %s", code, stderr)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/scenarios, "µs/scenario")
		})
	}
}
