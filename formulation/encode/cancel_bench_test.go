package encode_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/bruteforce"
	"partita/solver/path/pathtest"
)

// moments, in ms, at which the benchmarks below cancel.
var moments = []time.Duration{1, 20, 50, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000}

// cancelAt runs one solve that is cancelled at each of the moments, and reports the
// longest time that it takes to return with what it has, wall and CPU: building graph,
// models and clauses is part of what is interrupted.
func cancelAt(b *testing.B, solve func(context.Context) error) {
	var wall, cpu time.Duration
	for b.Loop() {
		for _, after := range moments {
			ctx, cancel := context.WithCancel(b.Context())
			var at, spent time.Duration
			began := time.Now()
			time.AfterFunc(after*time.Millisecond, func() {
				at, spent = time.Since(began), processTime()
				cancel()
			})
			if err := solve(ctx); err != nil {
				b.Fatal(err)
			}
			if ctx.Err() == nil {
				cancel()
				break // done by then
			}
			wall, cpu = max(wall, time.Since(began)-at), max(cpu, processTime()-spent)
		}
	}
	b.ReportMetric(float64(wall.Milliseconds()), "ms-to-return")
	b.ReportMetric(float64(cpu.Milliseconds()), "cpu-ms-to-return")
}

// BenchmarkCancel cancels whole searches, of the families that take long enough.
func BenchmarkCancel(b *testing.B) {
	for _, f := range append(pathtest.Families(), pathtest.Large()...) {
		if f.Layers < 126 || f.MaxDegree < 8 {
			continue
		}
		p := f.Problem(1)
		for _, backend := range backends(b) {
			b.Run(f.Name+"/"+backend.Name(), func(b *testing.B) {
				cancelAt(b, func(ctx context.Context) error {
					_, err := encode.Solve(ctx, p, backend, encode.Options{})
					return err
				})
			})
		}
	}
}

// BenchmarkCancelModel cancels backends over one whole model, 5,000 and 80,000 stage
// candidates.
func BenchmarkCancelModel(b *testing.B) {
	for _, f := range pathtest.Families() {
		if f.Name != "2pools80x16/sum+peak" && f.Name != "4pools126x64/sum+peak" {
			continue
		}
		for _, backend := range append(backends(b), bruteforce.New()) {
			m, _, err := encode.WholeModel(f.Problem(1), encode.ModelOptions{Ordered: backend.Name() == "sat"})
			if err != nil {
				b.Fatal(err)
			}
			b.Run(f.Name+"/"+backend.Name(), func(b *testing.B) {
				cancelAt(b, func(ctx context.Context) error {
					_, err := solver.Solve(ctx, m, backend, solver.Options{})
					return err
				})
			})
		}
	}
}

// processTime is the user CPU time of this process, without its workers.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano())
}
