package cli

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"partita/inputs/instance"
	"partita/results"
)

// instanceNames are the names of a line of instance --json that other programs read, with
// their kinds as in contractNames.
func instanceNames() map[string]string {
	return map[string]string{
		"name": "string", "objective": "number|null", "status": "string", "best_bound": "number|null", "gap": "number|null",
		"backend": "string", "wall_ms": "integer", "solution": "object|null",
		"goal": "string", "sense": "string", "unit": "string", "verified": "boolean", "because": "string?", "agreed_by": "strings?",
		"budget_usd_per_hour": "number?", "recorded": "object?", "known_optimum": "number?",
	}
}

// TestInstanceNames: every kind of answer has the names, and what its solution is made of.
func TestInstanceNames(t *testing.T) {
	chain := map[string]string{
		"solution.stages[].first_layer": "integer", "solution.stages[].last_layer": "integer", "solution.stages[].machine": "string",
		"solution.stages[].index": "integer", "solution.stages[].tokens_per_s": "number",
	}
	rental := map[string]string{
		"solution.stages[].tp": "integer", "solution.rented[].type": "string", "solution.rented[].count": "integer", "solution.usd_per_hour": "number",
	}
	graph := map[string]string{
		"solution.devices[].device": "string", "solution.devices[].nodes": "integers", "solution.devices[].load_ms": "number", "solution.devices[].bytes": "integer",
	}
	for _, row := range []struct {
		args  string
		names map[string]string
	}{
		{"chain.json --name example/three-types", chain},
		{"chain.json --name example/three-types --objective lanes", chain},
		{"rental.json", rental},
		{"rental.json --objective throughput --budget 30", rental},
		{"graph.json", graph},
		{"graph.json --objective latency", graph},
	} {
		args := strings.Fields(row.args)
		args[0] = filepath.Join(repository, "examples", "instances", args[0])
		code, stdout, stderr := run(t.Context(), append([]string{"instance", "--json"}, args...)...)
		if code != exitFound {
			t.Errorf("%s: exit code %d\n%s", row.args, code, stderr)
			continue
		}
		var line any
		if err := json.Unmarshal([]byte(stdout), &line); err != nil {
			t.Errorf("%s: %v\n%s", row.args, err, stdout)
			continue
		}
		for _, names := range []map[string]string{instanceNames(), row.names} {
			for path, kind := range names {
				for _, problem := range missing(line, path, kind) {
					t.Errorf("%s: %s", row.args, problem)
				}
			}
		}
		if answer := line.(map[string]any); answer["verified"] != true || answer["status"] != "optimal" {
			t.Errorf("%s: %s", row.args, stdout)
		}
	}
}

// TestInstanceSameBytes: two runs print the same but for the time they took.
func TestInstanceSameBytes(t *testing.T) {
	took := regexp.MustCompile(`"wall_ms":\d+`)
	for _, args := range []string{"chain.json", "rental.json --backend sat", "graph.json --objective latency"} {
		var printed []string
		for range 2 {
			words := strings.Fields(args)
			words[0] = filepath.Join(repository, "examples", "instances", words[0])
			_, stdout, _ := run(t.Context(), append([]string{"instance", "--json"}, words...)...)
			printed = append(printed, took.ReplaceAllString(stdout, ""))
		}
		if printed[0] != printed[1] || printed[0] == "" {
			t.Errorf("%s: %q and %q", args, printed[0], printed[1])
		}
	}
}

// TestUnverifiedAnswer: an answer that its instance contradicts is an exit code of its own.
func TestUnverifiedAnswer(t *testing.T) {
	i := &instance.Instance{Name: "c", Chain: &instance.Chain{Layers: 1, Machines: []instance.Machine{{Type: "x", Count: 1, Throughput: []float64{2}}}}}
	value := 3.0
	a := &results.Placed{Name: "c", Goal: "series", Sense: "maximize", Status: "time limit", Objective: &value,
		Solution: &results.PlacedSolution{Stages: []results.PlacedStage{{Machine: "x", TokensPerS: 2}}}}
	err := verifiedAnswer(i, a)
	if codeOf(err) != exitUnverified || a.Verified || !strings.Contains(err.Error(), "the solution is worth 2") {
		t.Errorf("%v, exit code %d, verified %v", err, codeOf(err), a.Verified)
	}
	value = 2
	if err := verifiedAnswer(i, a); err != nil || !a.Verified {
		t.Errorf("%v, verified %v", err, a.Verified)
	}
}

func TestPlacedExit(t *testing.T) {
	found, none, late := results.Placed{Solution: &results.PlacedSolution{}, Status: "time limit"}, results.Placed{Status: "infeasible"}, results.Placed{Status: "time limit"}
	for _, row := range []struct {
		all  []results.Placed
		want int
	}{
		{[]results.Placed{found}, exitFound}, {[]results.Placed{found, none}, exitInfeasible}, {[]results.Placed{none, late, found}, exitNothingFound},
	} {
		if got := placedExit(row.all); got != row.want {
			t.Errorf("%+v: exit code %d, want %d", row.all, got, row.want)
		}
	}
}
