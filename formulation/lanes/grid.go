package lanes

import (
	"math"
	"slices"
)

// option is one way to use a machine: its type, how many layers it holds, and what it
// passes then.
type option struct {
	kind  int
	held  int
	ticks int64 // rounded up
}

// grid is the problem in whole ticks of 2^-shift tokens/s: sums of ticks are exact, and
// a sum of ticks is never below the sum of the throughputs.
type grid struct {
	layers  int
	count   []int
	shift   int
	options []option // by type; with more layers held the throughput falls
}

// newGrid takes the finest tick for which what all machines pass together stays below
// 2^60. Ways to use a machine that another way is never worse than are left out: more
// layers at no less throughput.
func newGrid(p *Problem) *grid {
	g := &grid{layers: p.Layers}
	total := 1.0
	for _, t := range p.Types {
		g.count = append(g.count, t.Count)
		if len(t.Throughput) > 0 {
			total += (slices.Max(t.Throughput) + 1) * float64(t.Count)
		}
	}
	g.shift = 60 - math.Ilogb(total) - 1
	for i, t := range p.Types {
		if t.Count == 0 {
			continue
		}
		var best int64
		var ways []option
		for k := min(len(t.Throughput), p.Layers); k >= 1; k-- {
			ticks := int64(math.Ceil(math.Ldexp(t.Throughput[k-1], g.shift)))
			if ticks > best {
				best = ticks
				ways = append(ways, option{kind: i, held: k, ticks: ticks})
			}
		}
		slices.Reverse(ways)
		g.options = append(g.options, ways...)
	}
	return g
}

// capped are the options where no layer wants more than f ticks of a machine.
func (g *grid) capped(f int64) []option {
	var out []option
	for _, o := range g.options {
		o.ticks = min(o.ticks, f)
		if n := len(out); n > 0 && out[n-1].kind == o.kind && out[n-1].ticks == o.ticks {
			out = out[:n-1]
		}
		out = append(out, o)
	}
	return out
}

// most is what no plan passes: every machine used where layers times throughput is
// largest, spread evenly over the layers.
func (g *grid) most() int64 {
	best := make([]float64, len(g.count))
	for _, o := range g.options {
		best[o.kind] = max(best[o.kind], float64(o.held)*float64(o.ticks))
	}
	sum := 0.0
	for i, b := range best {
		sum += b * float64(g.count[i])
	}
	return int64(sum/float64(g.layers)*(1+1e-9)) + 1
}

// worth is the throughput of a plan in ticks.
func (g *grid) worth(p *Problem, plan []Range) int64 {
	at := make([]int64, g.layers)
	for _, r := range plan {
		ticks := int64(math.Ceil(math.Ldexp(p.Throughput(r), g.shift)))
		for l := r.First; l < r.End(); l++ {
			at[l] += ticks
		}
	}
	return slices.Min(at)
}

func (g *grid) tokens(ticks int64) float64 { return math.Ldexp(float64(ticks), -g.shift) }
