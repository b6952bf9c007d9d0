package formulation_test

import (
	"fmt"
	"strings"
	"testing"

	"partita/formulation"
	"partita/results"
)

// TestDisaggregatedNearest: where each of two requirements is out of reach, the nearest value
// of one can be asked for without the other, and less cannot, whatever the default balance.
func TestDisaggregatedNearest(t *testing.T) {
	solve := func(set ...string) (*results.Report, map[string]float64) {
		t.Helper()
		rep, err := formulation.Optimize(t.Context(), apartExample(t, set...), formulation.Options{Backend: "labels"})
		if err != nil {
			t.Fatal(err)
		}
		nearest := map[string]float64{} // milliseconds
		for i := range rep.Plan.Phases {
			for _, q := range rep.Plan.Phases[i].Requirements {
				if q.Nearest != nil {
					nearest[q.Name] = *q.Nearest * 1e3
				}
			}
		}
		return rep, nearest
	}
	six := []string{"cluster.pools.0.count=6", "cluster.pools.0.nodes=1", "cluster.pools.0.gpus_per_node=6"}
	asked := func(name string, ms float64) string { return fmt.Sprintf("goal.requirements.%s=%.9g ms", name, ms) }
	rep, found := solve(append(six, asked("ttft", 1), asked("tpot", 1))...)
	if rep.Status != results.StatusInfeasible || len(found) != 2 || !strings.Contains(strings.Join(rep.Reasons, " "), "missed left out") {
		t.Fatalf("%s, nearest %v: %v", rep.Status, found, rep.Reasons)
	}
	for name, other := range map[string]string{"ttft": "tpot", "tpot": "ttft"} {
		for share, feasible := range map[float64]bool{1.0001: true, 0.999: false} {
			if got, _ := solve(append(six, "goal.requirements."+other+"=none", asked(name, found[name]*share))...); got.Feasible != feasible {
				t.Errorf("%s of %g ms, %g of the nearest: feasible %t: %v", name, found[name], share, got.Feasible, got.Reasons)
			}
		}
	}
	// What can be had where the other gives way is not told to be nearer than it is asked.
	want := found["ttft"] * 1.2
	if rep, near := solve(append(six, asked("ttft", want), asked("tpot", 1))...); near["ttft"] != 0 && near["ttft"] < want*(1-1e-6) {
		t.Errorf("%g ms are asked, the nearest is %g: %v", want, near["ttft"], rep.Reasons)
	}
	// On two nodes the fastest prefill is less even than the default balance.
	_, far := solve("goal.requirements.tpot=none", asked("ttft", 1))
	if got, _ := solve("goal.requirements.tpot=none", asked("ttft", far["ttft"]*0.999)); got.Feasible {
		t.Errorf("the nearest is %g ms, and less can be asked for", far["ttft"])
	}
}

// TestDisaggregatedShort: GPUs that do not hold the model on either side are told what it takes.
func TestDisaggregatedShort(t *testing.T) {
	rep, err := formulation.Optimize(t.Context(), apartExample(t, "model.catalog=Llama-3.1-405B", "cluster.pools.0.count=8", "cluster.pools.0.nodes=1"), formulation.Options{Backend: "labels"})
	if err != nil || rep.Status != results.StatusInfeasible {
		t.Fatalf("%v, %+v", err, rep)
	}
	if text := strings.Join(rep.Reasons, " "); !strings.Contains(text, "GiB on each side, and the GPUs given may fill") || !strings.Contains(text, "cluster.count: unlimited") {
		t.Error(text)
	}
}
