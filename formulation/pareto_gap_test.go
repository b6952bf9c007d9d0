package formulation

import (
	"context"
	"os"
	"testing"

	"partita/formulation/encode"
	"partita/formulation/stagegraph"
	"partita/inputs/read"
	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/path"
)

// Nothing is missing from a frontier, on the word of another solver: for every outer
// choice, whatever the search pruned it by, and every gap between two points, an integer
// solver refutes a plan in the gap: one that is faster than the next point and has more
// throughput than the one before. The bounds, prices and labels of the search have no
// part in it. Here a sample of the choices; PARTITA_FRONTIER=all (make frontier) asks for
// all of them.
func TestFrontierHasNoGap(t *testing.T) {
	backend, err := lpsolve.New()
	if err != nil {
		t.Skipf("without lp_solve nothing refutes by counting: %v", err)
	}
	defer backend.Close()
	every := 29
	if os.Getenv("PARTITA_FRONTIER") == "all" {
		every = 1
	}
	for _, row := range []struct {
		name  string
		every int
		set   []read.Override
	}{
		{"three-pools-llama-70b-fp16.yaml", every, nil},
		{"gpus-5.yaml", every, nil},
		{"llama-3.1-8b-one-24gb.yaml", 1, nil},
		{"gpus-6.yaml", every, []read.Override{{Key: "workload.phase", Value: "prefill"}}},
	} {
		c, err := read.Load(read.Options{Paths: []string{"../examples/" + row.name}, Overrides: row.set})
		if err != nil {
			t.Fatal(err)
		}
		r, err := newRun(c, Options{Backend: backendLabels})
		if err != nil {
			t.Fatal(err)
		}
		x, _, err := r.survey(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(x.open) > 0 || len(x.front) == 0 {
			t.Fatalf("%s: %d points, %d choices open", row.name, len(x.front), len(x.open))
		}
		asked := 0
		for i, ch := range everyChoice(x) {
			if i%row.every == 0 {
				asked += refuteGaps(t, backend, row.name, x, ch)
			}
		}
		t.Logf("%s: %d points, %d choices, %d gaps refuted", row.name, len(x.front), len(everyChoice(x)), asked)
	}
}

// everyChoice lists all outer choices of a frontier.
func everyChoice(x *prospect) []stagegraph.Choice {
	var out []stagegraph.Choice
	for _, l := range x.pass.layouts {
		for _, m := range x.goal.micros(l) {
			for _, g := range x.goal.groups(l) {
				out = append(out, stagegraph.Choice{Layout: l, Micro: m, Groups: g})
			}
		}
	}
	return out
}

// refuteGaps has another solver look for a plan of a choice in every gap, and returns how
// many gaps it was asked about.
func refuteGaps(t *testing.T, backend solver.Backend, name string, x *prospect, ch stagegraph.Choice) int {
	t.Helper()
	g := x.build(ch)
	x.capLatency(g.Problem)
	for k := 0; k <= len(x.front); k++ {
		p := *g.Problem
		if k > 0 { // more throughput than the point before
			p.Limit[1] = min(p.Limit[1], upTo(x.front[k-1].at[1], x.counted(ch.Layout))-1)
		}
		opts := encode.Options{}
		if k < len(x.front) { // and faster than the next
			opts.Cutoff = &x.front[k].at[0]
		}
		r, err := encode.Solve(context.Background(), &p, backend, opts)
		if err != nil {
			t.Fatalf("%s, %+v: %v", name, ch, err)
		}
		if r.Status != solver.Infeasible {
			v := path.Value{}
			if r.Stages != nil {
				v = p.Value(r.Stages)
			}
			t.Errorf("%s: %d replicas of %v, m0 %d, m1 %d, gap %d: %s says %v: ℓ %d, round %d (points %v)", name,
				ch.Layout.Replicas, ch.Layout.GPUs, ch.Micro, ch.Groups, k, backend.Name(), r.Status, v.Objective, v.Metric[1], spots(x.front))
		}
	}
	return len(x.front) + 1
}

func spots(f front) []spot {
	var out []spot
	for _, v := range f {
		out = append(out, v.at)
	}
	return out
}
