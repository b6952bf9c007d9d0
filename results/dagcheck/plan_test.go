package dagcheck

import (
	"slices"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

// planned is the plan of the valid drawing.
func planned() *results.Plan {
	stage := func(replica, index int, gpus ...string) results.Stage {
		return results.Stage{Replica: replica, Index: index, FirstLayer: index, LastLayer: index, GPUs: gpus}
	}
	return &results.Plan{Phases: []results.PhasePlan{{Phase: inputs.Phase("mixed"), Stages: []results.Stage{
		stage(0, 0, "n0/gpu-0", "n0/gpu-1"), stage(0, 1, "n0/gpu-2", "n0/gpu-3"),
		stage(1, 0, "n1/gpu-0", "n1/gpu-1"), stage(1, 1, "n1/gpu-2", "n1/gpu-3"),
	}}}}
}

func TestThePlanIsWhatIsDrawn(t *testing.T) {
	text := valid("prefill").String() + valid("decode").String()
	if r := checked(t, text, Options{Plan: planned()}); !r.OK {
		t.Fatal(r.Text())
	}
	for _, row := range []struct {
		what, want string
		change     func(p *results.PhasePlan)
	}{
		{"a GPU more", "the plan's GPU n2/gpu-0 has no cluster", func(p *results.PhasePlan) { p.Stages[0].GPUs = append(p.Stages[0].GPUs, "n2/gpu-0") }},
		{"a GPU less", "the GPU n0/gpu-1 is not in the plan", func(p *results.PhasePlan) { p.Stages[0].GPUs = p.Stages[0].GPUs[:1] }},
		{"another phase", `the plan has no phase "prefill"`, func(p *results.PhasePlan) { p.Phase = "decode" }},
		{"a layer more", "layer 2 of stage 1 of replica 1 is not drawn", func(p *results.PhasePlan) { p.Stages[3].LastLayer = 2 }},
		{"other layers", "whose stage holds the layers 5 to 5", func(p *results.PhasePlan) { p.Stages[0].FirstLayer, p.Stages[0].LastLayer = 5, 5 }},
		{"one stage", "expected a cluster a stage", func(p *results.PhasePlan) {
			p.Stages[0].GPUs, p.Stages[1].GPUs = []string{"n0/gpu-0", "n0/gpu-2"}, []string{"n0/gpu-1", "n0/gpu-3"}
			p.Stages[0].LastLayer, p.Stages[1].FirstLayer = 1, 0
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			p := planned()
			row.change(&p.Phases[0])
			r := checked(t, text, Options{Plan: p})
			if r.OK || slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule != "plan" }) {
				t.Errorf("not the rule of the plan alone:\n%s", r.Text())
			}
			if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return strings.Contains(f.Message, row.want) }) {
				t.Errorf("no finding says %q:\n%s", row.want, r.Text())
			}
		})
	}
}

func TestLayersOfAFoldedNode(t *testing.T) {
	for text, want := range map[string][]int{"3-5": {3, 4, 5}, "0-6/2": {0, 2, 4, 6}, "1": {1}, "5, 1-2": {1, 2, 5}} {
		g := &graph{experts: newTable(), nodes: make([]node, 1)}
		g.nodes[0].layers, _ = g.experts.id([]byte(text))
		if got, err := (&check{graph: g}).layersOf(0); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"a", "3-", "5-3", "1-9/0", "0-99999999999", "-1"} {
		g := &graph{experts: newTable(), nodes: make([]node, 1)}
		g.nodes[0].layers, _ = g.experts.id([]byte(text))
		if got, err := (&check{graph: g}).layersOf(0); err == nil {
			t.Errorf("%q gives %v", text, got)
		}
	}
}
