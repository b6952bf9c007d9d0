package cli

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"partita/cmd/internal/batch"
	"partita/inputs/read"
	"partita/inputs/scenario"
	"partita/results"
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

// BenchmarkBatchBesideSearch is a scenario's time but for the search: reading,
// verification, plan, result and journal.
func BenchmarkBatchBesideSearch(b *testing.B) {
	batchConfig, err := scenario.Read(scenario.Options{File: filepath.Join(repository, "examples", "batch-llama-70b.yaml")})
	if err != nil {
		b.Fatal(err)
	}
	reader, err := read.NewReader(batchConfig.Folder)
	if err != nil {
		b.Fatal(err)
	}
	solver := newScenarioSolver(Environment{Err: io.Discard}, batchConfig, reader)
	first := batchConfig.Scenario(0)
	condition, err := first.Condition(reader)
	if err != nil {
		b.Fatal(err)
	}
	report, err := solver.session.Optimize(b.Context(), condition, solver.options)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, err := batch.Run(b.Context(), batch.Job{
			Batch: batchConfig, Folder: b.TempDir(), Workers: 1, Observe: func(batch.Progress) {}, Warn: func(string) {},
			NewSolver: func() batch.Solver {
				return func(_ context.Context, s *scenario.Scenario) (batch.Outcome, error) {
					out := batch.Outcome{Result: results.ScenarioResult{Name: s.Name}}
					if _, err := s.Condition(reader); err != nil {
						return out, err
					}
					return out, solver.judge(&out, condition, report)
				}
			},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(batchConfig.Len()), "µs/scenario")
}
