package ideals

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"partita/solver"
)

// oracle solves small problems by the definition: all chains of ideals, every stage's
// load from its nodes. It shares no code with the search.
type oracle struct {
	p      *Problem
	unit   []uint32 // sets of nodes kept together
	before []uint32 // by unit: units that any ideal with it holds
	best   map[string]float64
}

// newOracle makes the units by repeating the rules until nothing changes.
func newOracle(p *Problem) *oracle {
	o := &oracle{p: p, best: map[string]float64{}}
	of := make([]int, len(p.Nodes))
	for v := range of {
		of[v] = v
		for u := range v {
			if p.Nodes[u].Colour == p.Nodes[v].Colour && p.Nodes[v].Colour != NoColour {
				of[v] = of[u]
			}
		}
	}
	join := func(a, b int) {
		for v := range of {
			if of[v] == a {
				of[v] = b
			}
		}
	}
	onlyBackward := func(unit int) bool {
		for v := range of {
			if of[v] == unit && !p.Nodes[v].Backward {
				return false
			}
		}
		return true
	}
	pairs := map[[2]int]bool{} // by representative node at first
	for _, e := range p.Edges {
		from, to := p.Nodes[e.From], p.Nodes[e.To]
		if !from.Backward && !to.Backward {
			pairs[[2]int{e.From, e.To}] = true
		}
		if from.Backward && to.Backward && (onlyBackward(of[e.From]) || onlyBackward(of[e.To])) {
			pairs[[2]int{e.To, e.From}] = true
		}
	}
	reaches := func(a, b int) bool {
		seen := map[int]bool{a: true}
		for changed := true; changed; {
			changed = false
			for e := range pairs {
				if seen[of[e[0]]] && !seen[of[e[1]]] {
					seen[of[e[1]]], changed = true, true
				}
			}
		}
		return seen[b]
	}
	for a := range of {
		for b := range of {
			if of[a] != of[b] && reaches(of[a], of[b]) && reaches(of[b], of[a]) {
				join(of[a], of[b])
			}
		}
	}
	for again := true; again; {
		again = false
		for unit := range of {
			idle, near, there := true, map[int]bool{}, false
			for v, n := range p.Nodes {
				if of[v] != unit {
					continue
				}
				there = true
				for _, c := range p.Classes {
					idle = idle && c.Time[v] < 1e-6
				}
				for _, e := range p.Edges {
					if (e.From == v || e.To == v) && (p.Nodes[e.From].Backward != n.Backward || p.Nodes[e.To].Backward != n.Backward) {
						idle = false
					}
				}
			}
			for e := range pairs {
				if a, b := of[e[0]], of[e[1]]; a != b && a == unit {
					near[b] = true
				} else if a != b && b == unit {
					near[a] = true
				}
			}
			if there && idle && len(near) == 1 {
				for other := range near {
					join(unit, other)
				}
				again = true
			}
		}
	}
	number := map[int]int{}
	for v := range of {
		if _, known := number[of[v]]; !known {
			number[of[v]] = len(o.unit)
			o.unit = append(o.unit, 0)
		}
		o.unit[number[of[v]]] |= 1 << v
	}
	o.before = make([]uint32, len(o.unit))
	for u := range of {
		for v := range of {
			if of[u] != of[v] && reaches(of[u], of[v]) {
				o.before[number[of[v]]] |= 1 << number[of[u]]
			}
		}
	}
	return o
}

// load is that of a stage of nodes on a device of a class; +Inf where it cannot run.
func (o *oracle) load(nodes uint32, class *Class) float64 {
	sum, bytes := 0.0, int64(0)
	for v, n := range o.p.Nodes {
		if nodes>>v&1 == 1 {
			sum += class.Time[v]
			bytes += n.Bytes
		}
		if class.Transfer == nil {
			continue
		}
		inside, outside := false, false // consumers
		for _, e := range o.p.Edges {
			if e.From == v {
				inside = inside || nodes>>e.To&1 == 1
				outside = outside || nodes>>e.To&1 == 0
			}
		}
		if nodes>>v&1 == 1 && outside || nodes>>v&1 == 0 && inside {
			sum += class.Transfer[v]
		}
	}
	if bytes > class.Bytes {
		return math.Inf(1)
	}
	return sum
}

func (o *oracle) nodes(units uint32) uint32 {
	set := uint32(0)
	for i, nodes := range o.unit {
		if units>>i&1 == 1 {
			set |= nodes
		}
	}
	return set
}

// rest is the smallest largest load of what is not in an ideal.
func (o *oracle) rest(ideal uint32, left []int) float64 {
	all := uint32(1)<<len(o.unit) - 1
	if ideal == all {
		return 0
	}
	key := string(append([]byte{byte(ideal), byte(ideal >> 8), byte(ideal >> 16), byte(ideal >> 24)}, bytesOf(left)...))
	if value, known := o.best[key]; known {
		return value
	}
	best := math.Inf(1)
	free := all &^ ideal
	for stage := free; stage > 0; stage = (stage - 1) & free {
		closed := true
		for i, before := range o.before {
			closed = closed && (stage>>i&1 == 0 || before&^(ideal|stage) == 0)
		}
		if !closed {
			continue
		}
		for c := range left {
			if left[c] == 0 {
				continue
			}
			if load := o.load(o.nodes(stage), &o.p.Classes[c]); load < best {
				left[c]--
				best = min(best, max(load, o.rest(ideal|stage, left)))
				left[c]++
			}
		}
	}
	o.best[key] = best
	return best
}

func bytesOf(left []int) []byte {
	out := make([]byte, len(left))
	for i, n := range left {
		out[i] = byte(n)
	}
	return out
}

func (o *oracle) optimum() float64 {
	left := make([]int, len(o.p.Classes))
	for c := range left {
		left[c] = min(o.p.Classes[c].Count, len(o.p.Nodes))
	}
	return o.rest(0, left)
}

// check reports what is wrong with the stages of a solution.
func (o *oracle) check(s *Solution) string {
	used, ideal, seen := make([]int, len(o.p.Classes)), uint32(0), uint32(0)
	value := 0.0
	for _, stage := range s.Stages {
		used[stage.Class]++
		nodes := uint32(0)
		for _, v := range stage.Nodes {
			nodes |= 1 << v
		}
		if nodes == 0 || nodes&seen != 0 || !slices.IsSorted(stage.Nodes) {
			return "a stage is empty, not sorted, or has nodes of another"
		}
		seen |= nodes
		for i, unit := range o.unit {
			if unit&nodes != 0 {
				if unit&^nodes != 0 {
					return "nodes that belong together lie apart"
				}
				ideal |= 1 << i
			}
		}
		for i, before := range o.before {
			if ideal>>i&1 == 1 && before&^ideal != 0 {
				return "the beginnings are no ideals"
			}
		}
		value = max(value, o.load(nodes, &o.p.Classes[stage.Class]))
	}
	for c, n := range used {
		if n > o.p.Classes[c].Count {
			return "more devices than there are"
		}
	}
	switch {
	case int(seen) != 1<<len(o.p.Nodes)-1:
		return "nodes without a stage"
	case !near(value, s.Value):
		return "the value is not that of the stages"
	}
	return ""
}

// near leaves room for the rounding of sums.
func near(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-12+1e-9*max(math.Abs(a), math.Abs(b))
}

// agree checks a solution against the oracle.
func agree(t *rapid.T, p *Problem) {
	o := newOracle(p)
	want := o.optimum()
	got, err := Solve(context.Background(), p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if math.IsInf(want, 1) {
		if got.Status != solver.Infeasible || got.Stages != nil {
			t.Fatalf("%v %v, want infeasible", got.Status, got.Value)
		}
		return
	}
	if got.Status != solver.Optimal || !near(got.Value, want) || got.Bound > got.Value || !near(got.Bound, want) {
		t.Fatalf("%v value %v bound %v, want %v", got.Status, got.Value, got.Bound, want)
	}
	if wrong := o.check(got); wrong != "" {
		t.Fatalf("%s: %v", wrong, got.Stages)
	}
}

func TestGraphsAgainstAllChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { agree(t, FromGraph(drawGraph(t, 9))) })
}

// drawProblem has up to three unlike classes, each with transfers and memory of its own,
// and now and then many.
func drawProblem(t *rapid.T, most int) *Problem {
	g := drawGraph(t, most)
	p := FromGraph(g)
	p.Classes = p.Classes[:0]
	for range rapid.IntRange(1, 3).Draw(t, "classes") {
		c := Class{Count: rapid.IntRange(0, 2).Draw(t, "count"), Bytes: Unlimited, Time: make([]float64, len(g.Nodes))}
		if rapid.Bool().Draw(t, "limited") {
			c.Bytes = int64(rapid.IntRange(0, 20).Draw(t, "memory"))
		}
		factor := float64(rapid.IntRange(1, 3).Draw(t, "factor"))
		for v := range c.Time {
			c.Time[v] = g.Nodes[v].AcceleratorTime * factor
			if rapid.IntRange(0, 3).Draw(t, "own") == 0 {
				c.Time[v] = rapid.Float64Range(0, 10).Draw(t, "time")
			}
			if rapid.IntRange(0, 20).Draw(t, "cannot") == 0 {
				c.Time[v] = math.Inf(1)
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "pays") > 0 {
			c.Transfer = make([]float64, len(g.Nodes))
			for v := range c.Transfer {
				c.Transfer[v] = g.Nodes[v].Send * float64(rapid.IntRange(1, 2).Draw(t, "slower"))
			}
		}
		p.Classes = append(p.Classes, c)
	}
	if rapid.IntRange(0, 4).Draw(t, "many") == 0 && most < 10 { // so many that no shortcut for few holds
		for range 9 - len(p.Classes) {
			more := p.Classes[0]
			if more.Count = 0; len(p.Classes) < 5 {
				more.Count = rapid.IntRange(0, 1).Draw(t, "one")
			}
			p.Classes = append(p.Classes, more)
		}
	}
	return p
}

func TestClassesAgainstAllChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { agree(t, drawProblem(t, 8)) })
}

// The lattice alone, without what linear orders find: it has a chain at the optimum and
// at any limit above, and none below.
func TestDecisionsAgainstAllChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProblem(t, 8)
		if rapid.Bool().Draw(t, "published") {
			p = FromGraph(drawGraph(t, 9))
		}
		optimum := newOracle(p).optimum()
		k := newCore(p)
		ask := func(limit int64) decision {
			most := bounds{bytes: 1 << 30, steps: 1 << 40}
			answer, s := k.decide(context.Background(), limit, k.weightings(), 2, 0, most)
			if answer == yes && p.value(s.stages())*k.scale > float64(limit)*(1+1e-12)+float64(len(p.Nodes)) {
				t.Fatalf("a chain of %v within %v", p.value(s.stages()), float64(limit)/k.scale)
			}
			if narrow, _ := k.decide(context.Background(), limit, k.weightings(), 1, 1, most); narrow != answer && narrow != tooLong {
				t.Fatalf("%v with a beam, %v without", narrow, answer)
			}
			return answer
		}
		if math.IsInf(optimum, 1) {
			if ask(everything) != no {
				t.Fatal("a chain where there is none")
			}
			return
		}
		slack := int64(len(p.Nodes)) + k.ticks(1e-9*optimum) + 1
		for _, more := range []float64{1, 1.1, 1.5, rapid.Float64Range(1, 3).Draw(t, "more")} {
			if ask(k.ticks(optimum*more)+slack) != yes {
				t.Fatalf("no chain within %v times the optimum %v", more, optimum)
			}
		}
		if limit := k.ticks(optimum) - slack; limit >= 0 && ask(limit) != no {
			t.Fatalf("a chain below the optimum %v", optimum)
		}
	})
}
