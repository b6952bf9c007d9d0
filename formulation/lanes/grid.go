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
	// start are the options at the first layer and later, where the first layer has a
	// table of its own; a machine that holds all layers is at the first one.
	start   [2][]option
	special bool
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
		g.options = append(g.options, g.ways(i, t.Count, t.Throughput)...)
		g.special = g.special || t.AtFirst != nil
	}
	for i, t := range p.Types {
		if !g.special {
			break
		}
		first := t.AtFirst
		if first == nil {
			first = t.Throughput
		}
		whole := g.ways(i, t.Count, first)
		g.start[0] = append(g.start[0], whole...)
		g.start[1] = append(g.start[1], g.ways(i, t.Count, t.Throughput[:min(len(t.Throughput), p.Layers-1)])...)
		if n := len(whole); n > 0 && whole[n-1].held == p.Layers {
			g.start[1] = append(g.start[1], whole[n-1])
		}
	}
	return g
}

// ways to use a machine by its table, those left out that another is never worse than.
func (g *grid) ways(kind, count int, table []float64) []option {
	if count == 0 {
		return nil
	}
	var best int64
	var ways []option
	for k := min(len(table), g.layers); k >= 1; k-- {
		ticks := int64(math.Ceil(math.Ldexp(table[k-1], g.shift)))
		if ticks > best {
			best = ticks
			ways = append(ways, option{kind: kind, held: k, ticks: ticks})
		}
	}
	slices.Reverse(ways)
	return ways
}

// capped are options where no layer wants more than f ticks of a machine.
func capped(options []option, f int64) []option {
	var out []option
	for _, o := range options {
		o.ticks = min(o.ticks, f)
		if n := len(out); n > 0 && out[n-1].kind == o.kind && out[n-1].ticks <= o.ticks {
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
