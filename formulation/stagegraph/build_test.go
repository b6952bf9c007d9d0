package stagegraph

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/cost"
	"partita/solver/path"
)

// near reports whether two durations agree but for rounding.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// Every option of every interval costs what its layers cost one by one, sends
// included, in ticks rounded up; every shape that fits is there or beaten by another.
func TestBuildPricesEveryOption(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCondition(t)
		s := mustSpace(t, c)
		ch, ok := drawChoice(t, s)
		if !ok {
			return
		}
		u := Scale{1e-7, 3e-8}
		g := s.Build(ch, u)
		p := g.Problem
		n := s.Layers()
		for a := range n {
			for b := a + 1; b <= n; b++ {
				class := p.ClassOf(a, b)
				for i, o := range p.Options[class] {
					st := path.Stage{From: a, To: b, Class: class, Option: int32(i)}
					pt := g.Parts([]path.Stage{st})[0]
					next := pt.Pool
					if p.Send != nil {
						next = -1 // charged on the transition
					}
					want := direct(s, ch, pt, next, ch.Layout.SameHost)
					for ph := range 2 {
						if d := float64(o.Time[ph])*u[ph] - want[ph]; d < -1e-8*u[ph] || d > u[ph]*(1+1e-8) {
							t.Fatalf("[%d, %d) on pool %d as %+v: %d ticks of phase %d, want %g s", a, b, pt.Pool, pt.Shape, o.Time[ph], ph, want[ph])
						}
					}
					if int(o.Units) != pt.Shape.GPUs() || pt.Shape.GPUs() > ch.Layout.GPUs[pt.Pool] {
						t.Fatalf("%d units for %+v with %v GPUs", o.Units, pt.Shape, ch.Layout.GPUs)
					}
					if m := s.Memory(ch, pt); m.Total() > s.Costs.Capacity(pt.Pool) {
						t.Fatalf("[%d, %d) as %+v takes %d bytes of %d", a, b, pt.Shape, m.Total(), s.Costs.Capacity(pt.Pool))
					}
				}
				checkComplete(t, g, a, b)
			}
		}
	})
}

// checkComplete: a shape that fits and is not there is no faster than one that is.
func checkComplete(t *rapid.T, g *Graph, a, b int) {
	s, l := g.space, g.Choice.Layout
	class := g.Problem.ClassOf(a, b)
	for k := range s.pools {
		for _, sh := range s.pools[k].shapes {
			pt := Part{First: a, Last: b - 1, Pool: k, Shape: sh}
			if sh.GPUs() > l.GPUs[k] || s.Memory(g.Choice, pt).Total() > s.Costs.Capacity(k) {
				continue
			}
			if _, there := g.Path([]Part{pt}); there {
				continue
			}
			mine := direct(s, g.Choice, pt, k, l.SameHost)
			beaten := slices.ContainsFunc(g.Problem.Options[class], func(o path.Option) bool {
				if g.poolOf(o) != k || int(o.Units) != sh.GPUs() {
					return false
				}
				other := direct(s, g.Choice, Part{First: a, Last: b - 1, Pool: k, Shape: s.pools[k].shapes[o.Ref]}, k, l.SameHost)
				return other[0] <= mine[0]+g.Scale[0] && other[1] <= mine[1]+g.Scale[1]
			})
			if !beaten {
				t.Fatalf("[%d, %d): %+v on pool %d fits, is the fastest in a phase, and is not an option", a, b, sh, k)
			}
		}
	}
}

// The value of any path is what its stages cost one by one: sends depend on the next
// stage's pool where pools share a host.
func TestSecondsAndSends(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustSpace(t, drawCondition(t))
		ch, ok := drawChoice(t, s)
		if !ok {
			return
		}
		u := Scale{1e-8, 1e-8}
		g := s.Build(ch, u)
		stages, ok := drawPath(t, g.Problem)
		if !ok {
			return
		}
		parts := g.Parts(stages)
		if back, ok := g.Path(parts); !ok || !slices.Equal(back, stages) {
			t.Fatalf("parts of a path lead to %v, %t: want %v", back, ok, stages)
		}
		var sum [2]float64
		got := s.Seconds(ch, parts)
		for i, pt := range parts {
			next := -1
			if i+1 < len(parts) {
				next = parts[i+1].Pool
			}
			want := direct(s, ch, pt, next, ch.Layout.SameHost)
			for ph := range 2 {
				if !near(got[i][ph], want[ph]) {
					t.Fatalf("stage %d takes %g s in phase %d: want %g", i, got[i][ph], ph, want[ph])
				}
				sum[ph] += want[ph]
			}
		}
		v := g.Problem.Value(stages)
		for ph := range 2 {
			ticks, most := float64(v.Sum[ph]), float64(2*len(parts))
			if d := ticks - sum[ph]/u[ph]; d < -1e-3 || d > most+1e-3 {
				t.Fatalf("Λ is %g ticks in phase %d: want %g s, rounded up by %g ticks at most", ticks, ph, sum[ph], most)
			}
		}
	})
}

// drawPath walks from the first boundary to the last by any options, counts aside.
func drawPath(t *rapid.T, p *path.Problem) ([]path.Stage, bool) {
	var out []path.Stage
	for at := 0; at < p.Boundaries-1; {
		var next []path.Stage
		for to := at + 1; to < p.Boundaries; to++ {
			class := p.ClassOf(at, to)
			for i := range p.Options[class] {
				next = append(next, path.Stage{From: at, To: to, Class: class, Option: int32(i)})
			}
		}
		if len(next) == 0 {
			return nil, false
		}
		out = append(out, rapid.SampledFrom(next).Draw(t, "stage"))
		at = out[len(out)-1].To
	}
	return out, true
}

// Groups whose sizes divide the nodes are one count; others are counted by size and
// bounded together by the GPUs of the layout.
func TestResources(t *testing.T) {
	even := mustSpace(t, fixture(modelOf([]int{0, 0, 0}, denseKind(8, 4096)), "decode", 1, false, []int{4, 4}))
	l, _ := even.Exact(1, []int{6})
	p := even.Build(Choice{Layout: l, Groups: 1}, Scale{1, 1e-6}).Problem
	if len(p.Resources) != 1 || len(p.Packings) != 0 || p.Resources[0] != (path.Resource{Capacity: 6, Exact: true}) {
		t.Errorf("nodes of 4: resources %+v, packings %+v: want one count of 6", p.Resources, p.Packings)
	}
	odd := mustSpace(t, fixture(modelOf([]int{0, 0, 0}, denseKind(12, 6144)), "decode", 1, false, []int{4, 4}))
	for _, x := range odd.UpTo(1) {
		p = odd.Build(Choice{Layout: x, Groups: 1}, Scale{1, 1e-6}).Problem
		if len(p.Resources) != 4 { // groups of 1, 2, 3 and 4
			t.Fatalf("12 heads on nodes of 4: resources %+v: want one for each of 4 sizes", p.Resources)
		}
		used := []int{2, 0, 3, 0} // two of 1 and one of 3
		for i, pack := range p.Packings {
			if want := x.GPUs[0] >= 5; i == 1 && pack.Fits(used) != want {
				t.Errorf("5 GPUs on a layout of %d: fits = %t", x.GPUs[0], !want)
			}
		}
		if len(p.Packings) != 2 {
			t.Errorf("packings %+v: want nodes, and GPUs of the layout", p.Packings)
		}
	}
	total := &Layout{Replicas: 1, GPUs: []int{8}, Total: 5}
	p = odd.Build(Choice{Layout: total, Groups: 1}, Scale{1, 1e-6}).Problem
	if last := p.Packings[len(p.Packings)-1]; last.Total != 5 {
		t.Errorf("total of 5: packings %+v", p.Packings)
	}
}

func TestTicksRoundUp(t *testing.T) {
	u := Scale{1e-3, 0.25}
	for _, c := range []struct {
		phase   int
		seconds float64
		want    int64
	}{{0, 0, 0}, {0, 1e-3, 1}, {0, 1.0000001e-3, 2}, {0, 3 * 1e-3, 3}, {1, 0.7, 3}} {
		if got := u.Ticks(c.phase, c.seconds); got != c.want {
			t.Errorf("%g s in ticks of %g s: %d, want %d", c.seconds, u[c.phase], got, c.want)
		}
	}
	if got := u.Seconds(1, 3); got != 0.75 {
		t.Errorf("3 ticks of 0.25 s are %g s", got)
	}
}

// BuildWide keeps what Build leaves out, and nothing that does not fit.
func TestBuildWideKeepsEveryShape(t *testing.T) {
	s := mustSpace(t, fixture(modelOf([]int{0, 0}, expertKind(8, 1024, 8)), "mixed", 4, false, []int{8}))
	l, _ := s.Exact(1, []int{8})
	ch := Choice{Layout: l, Micro: 1, Groups: 1}
	best, wide := s.Build(ch, Scale{1e-7, 1e-7}), s.BuildWide(ch, Scale{1e-7, 1e-7})
	shapes := len(s.pools[0].shapes)
	for class := range wide.Problem.Options {
		if n := len(wide.Problem.Options[class]); n != shapes {
			t.Errorf("class %d: %d options of %d shapes", class, n, shapes)
		}
		if n := len(best.Problem.Options[class]); n == 0 || n >= shapes {
			t.Errorf("class %d: %d options kept of %d", class, n, shapes)
		}
	}
	one := cost.Shape{TP: 8, CP: 1, DPAttention: 1, EP: 8, ETP: 1}
	if _, ok := wide.Path([]Part{{0, 1, 0, one}}); !ok {
		t.Errorf("%+v is not among the options", one)
	}
}
