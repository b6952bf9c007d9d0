package lanes_test

import (
	"math/rand/v2"
	"testing"

	"partita/formulation/lanes"
	"partita/solver"
)

// exhaustive tries every range of every machine: the best value, 0 where no plan serves
// all layers.
func exhaustive(p *lanes.Problem) float64 {
	best := 0.0
	var plan []lanes.Range
	var place func(kind, used int)
	place = func(kind, used int) {
		switch {
		case kind == len(p.Types):
			best = max(best, flow(p, plan))
			return
		case used == p.Types[kind].Count:
			place(kind+1, 0)
			return
		}
		place(kind+1, 0)
		for held := 1; held <= min(p.Layers, len(p.Types[kind].Throughput)); held++ {
			for first := 0; first+held <= p.Layers; first++ {
				r := lanes.Range{Type: kind, First: first, Held: held}
				// Machines of a type are alike: in one order only.
				if n := len(plan); used > 0 && (plan[n-1].First > first || plan[n-1].First == first && plan[n-1].Held > held) {
					continue
				}
				plan = append(plan, r)
				place(kind, used+1)
				plan = plan[:len(plan)-1]
			}
		}
	}
	place(0, 0)
	return best
}

// flow is the maximum flow of a plan over the network of the package comment, by
// augmenting paths: machines as pairs of nodes, an arc from the end of i to j where j
// holds the layer after i's last one.
func flow(p *lanes.Problem, plan []lanes.Range) float64 {
	n := len(plan)
	source, sink := 2*n, 2*n+1
	capacity := make([][]float64, 2*n+2)
	for i := range capacity {
		capacity[i] = make([]float64, 2*n+2)
	}
	for i, r := range plan {
		capacity[2*i][2*i+1] = p.Throughput(r)
		if r.First == 0 {
			capacity[source][2*i] = 1e9
		}
		if r.End() == p.Layers {
			capacity[2*i+1][sink] = 1e9
		}
		for j, s := range plan {
			if s.First <= r.End() && r.End() < s.End() {
				capacity[2*i+1][2*j] = 1e9
			}
		}
	}
	total := 0.0
	for {
		seen := make([]bool, len(capacity))
		var push func(v int, amount float64) float64
		push = func(v int, amount float64) float64 {
			if v == sink {
				return amount
			}
			seen[v] = true
			for w, c := range capacity[v] {
				if c > 0 && !seen[w] {
					if x := push(w, min(amount, c)); x > 0 {
						capacity[v][w] -= x
						capacity[w][v] += x
						return x
					}
				}
			}
			return 0
		}
		x := push(source, 1e9)
		if x == 0 {
			return total
		}
		total += x
	}
}

// random problems are small, with whole throughputs, so that sums are exact.
func random(r *rand.Rand, layers, types, machines int) *lanes.Problem {
	p := &lanes.Problem{Layers: 1 + r.IntN(layers)}
	for range 1 + r.IntN(types) {
		t := lanes.Type{Name: "machine", Count: r.IntN(machines + 1)}
		for range 1 + r.IntN(p.Layers) {
			t.Throughput = append(t.Throughput, float64(r.IntN(12)))
		}
		if r.IntN(3) == 0 {
			for _, v := range t.Throughput {
				t.AtFirst = append(t.AtFirst, float64(r.IntN(int(v)+1)))
			}
		}
		p.Types = append(p.Types, t)
	}
	return p
}

func TestSolveAgreesWithExhaustiveSearch(t *testing.T) {
	parallel := 0
	for seed := range uint64(400) {
		p := random(rand.New(rand.NewPCG(seed, 5)), 5, 3, 2)
		want := exhaustive(p)
		got := solve(t, p)
		if want == 0 {
			if got.Status != solver.Infeasible || got.Plan != nil {
				t.Fatalf("seed %d: %v worth %v: want infeasible", seed, got.Status, got.Value)
			}
			continue
		}
		if got.Status != solver.Optimal || got.Value != want || got.Bound != want {
			t.Fatalf("seed %d: %+v: status %v value %v bound %v: want %v", seed, p, got.Status, got.Value, got.Bound, want)
		}
		if flow(p, got.Plan) != want {
			t.Fatalf("seed %d: the plan %v passes %v, want %v", seed, got.Plan, flow(p, got.Plan), want)
		}
		held := 0
		for _, m := range got.Plan {
			held += m.Held
		}
		if held > p.Layers {
			parallel++
		}
	}
	if parallel < 60 {
		t.Fatalf("machines overlap in %d optima only: the generator says too little", parallel)
	}
}

// TestValueIsTheMaximumFlow: the weakest layer of any plan is its smallest cut.
func TestValueIsTheMaximumFlow(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	positive := 0
	for range 5000 {
		p := &lanes.Problem{Layers: 1 + r.IntN(6), Types: make([]lanes.Type, 1)}
		for range p.Layers {
			p.Types[0].Throughput = append(p.Types[0].Throughput, float64(1+r.IntN(9)))
		}
		var plan []lanes.Range
		for range r.IntN(8) {
			held := 1 + r.IntN(p.Layers)
			plan = append(plan, lanes.Range{First: r.IntN(p.Layers - held + 1), Held: held})
		}
		if got, want := p.Value(plan), flow(p, plan); got != want {
			t.Fatalf("%d layers, %v: %v, the maximum flow is %v", p.Layers, plan, got, want)
		} else if want > 0 {
			positive++
		}
	}
	if positive < 1000 {
		t.Fatalf("only %d plans serve all layers", positive)
	}
}
