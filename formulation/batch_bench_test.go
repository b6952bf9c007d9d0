package formulation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"partita/formulation"
	"partita/inputs"
	"partita/results"
	"partita/results/verify"
)

// scenarios are varied workloads on the cluster and model of one condition: batch,
// lengths, and for two of three requirements, of which some cannot be met. The list is
// always the same.
func scenarios(base *inputs.Condition, n int) []*inputs.Condition {
	rng := rand.New(rand.NewPCG(70, 16))
	out := make([]*inputs.Condition, n)
	for i := range out {
		c := *base
		c.Name = fmt.Sprintf("scenario-%03d", i)
		c.Workload.Batch = []int{1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 384}[rng.IntN(15)]
		in, length := 128<<rng.IntN(6), 1+rng.IntN(1024)
		c.Workload.Input = inputs.Range{Min: in, Max: in}
		c.Workload.Output = inputs.Range{Min: length, Max: length}
		c.Goal.Requirements = nil
		for _, q := range []inputs.Requirement{
			{Kind: inputs.TTFT, Value: spread(rng, 0.2, 60)},
			{Kind: inputs.TPOT, Value: spread(rng, 0.01, 0.3)},
			{Kind: inputs.TokensPerSecond, Value: spread(rng, 100, 20000)},
		} {
			if i%3 > 0 && rng.IntN(2) == 0 {
				c.Goal.Requirements = append(c.Goal.Requirements, q)
			}
		}
		out[i] = &c
	}
	return out
}

// spread draws a value between low and high, as often below as above their geometric
// mean.
func spread(rng *rand.Rand, low, high float64) float64 {
	return low * math.Pow(high/low, rng.Float64())
}

// BenchmarkBatch is what a batch does for one of 200 workloads of 70B on two hosts of
// eight H100: the search with its proof, the comparison with every heuristic, and the
// verification of the plan, by the workload's kind. CPU time counts, all threads.
func BenchmarkBatch(b *testing.B) {
	base := loadExample(b, "llama-3.1-70b-2x8-h100.yaml")
	list := scenarios(base, 200)
	for _, row := range []struct {
		name string
		in   func(i int, r *results.Report) bool
	}{
		{"all", func(int, *results.Report) bool { return true }},
		{"no requirements", func(i int, r *results.Report) bool { return len(list[i].Goal.Requirements) == 0 && r.Feasible }},
		{"requirements met", func(i int, r *results.Report) bool { return len(list[i].Goal.Requirements) > 0 && r.Feasible }},
		{"requirements missed", func(_ int, r *results.Report) bool { return !r.Feasible }},
	} {
		b.Run(row.name, func(b *testing.B) {
			s := formulation.NewSession()
			var some []*inputs.Condition
			for i, c := range list {
				if row.in(i, solveOne(b, s, c)) {
					some = append(some, c)
				}
			}
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				for _, c := range some {
					solveOne(b, s, c)
				}
			}
			n := float64(b.N * len(some))
			b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/1e3/n, "cpu-ms/scenario")
			b.ReportMetric(float64(len(some)), "scenarios")
		})
	}
}

// solveOne searches, compares and verifies.
func solveOne(b *testing.B, s *formulation.Session, c *inputs.Condition) *results.Report {
	r, err := s.Optimize(b.Context(), c, formulation.Options{Backend: "labels"})
	if err != nil {
		b.Fatal(err)
	}
	if r.Plan == nil || r.Status == results.StatusUnknown || r.Status == results.StatusFeasible {
		b.Fatalf("%s: %s, %q", c.Name, r.Status, r.Reasons)
	}
	if v, err := verify.Check(r.Plan, c); err != nil || !v.OK && r.Feasible {
		b.Fatalf("%s: %+v, %v", c.Name, v, err)
	}
	return r
}

// cpuTime is the CPU time of the process so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Skip(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
