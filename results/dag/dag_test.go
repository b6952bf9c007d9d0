package dag

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partita/inputs"
	"partita/results"
)

func TestNodesCountsWhatWriteDraws(t *testing.T) {
	for name, d := range plans() {
		p := d.plan()
		for _, o := range []Options{{}, {Folded: true}} {
			n, err := Nodes(p, o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := len(lines(text(t, p, o), "[op=")); int64(got) != n {
				t.Errorf("%s, folded %v: %d nodes drawn, %d counted", name, o.Folded, got, n)
			}
		}
	}
}

func TestSamePlanSameBytes(t *testing.T) {
	for name, d := range plans() {
		if a, b := text(t, d.plan(), Options{Folded: true}), text(t, d.plan(), Options{Folded: true}); a != b {
			t.Errorf("%s: two drawings differ", name)
		}
	}
}

// largest remembers the longest piece that was written at once.
type largest struct{ most int }

func (l *largest) Write(b []byte) (int, error) {
	l.most = max(l.most, len(b))
	return len(b), nil
}

// What is held is the text of one layer, however many there are.
func TestMemoryDoesNotGrowWithLayers(t *testing.T) {
	held := func(layers int) int {
		d := plans()["many ranks"]
		d.model.Layers = make([]int, layers)
		for i := range d.model.Layers {
			d.model.Layers[i] = 1
		}
		d.stages = []split{{layers, 1, 1, 16, 8}}
		var w largest
		if err := Write(&w, d.plan(), Options{}); err != nil {
			t.Fatal(err)
		}
		return w.most
	}
	// Numbers of nodes and layers have more digits, nothing else grows.
	if few, many := held(30), held(120); many > few*6/5 {
		t.Errorf("30 layers hold %d bytes, 120 hold %d", few, many)
	}
}

func TestWriteTellsThatItCannotWrite(t *testing.T) {
	want := errors.New("disk full")
	if err := Write(failing{want}, plans()["one GPU"].plan(), Options{}); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestPlansThatCannotBeDrawn(t *testing.T) {
	broken := func(change func(p *results.Plan)) *results.Plan {
		p := plans()["unlike stages"].plan()
		change(p)
		return p
	}
	for name, tc := range map[string]struct {
		plan *results.Plan
		want string
	}{
		"none":            {nil, "no plan"},
		"of format 1":     {broken(func(p *results.Plan) { p.Deployment = nil }), "format_version 1"},
		"heads":           {broken(func(p *results.Plan) { p.Deployment.Model.Kinds[0].Attention.Heads = 12 }), "attention heads, 12, do not divide over 8"},
		"width":           {broken(func(p *results.Plan) { p.Deployment.Model.Kinds[0].FFN.Intermediate = 12 }), "feed-forward width, 12"},
		"layers":          {broken(func(p *results.Plan) { p.Phases[0].Stages[1].FirstLayer = 2 }), "layers 2 to 1 where layer 1 of 4 is next"},
		"last layer":      {broken(func(p *results.Plan) { p.Phases[0].Stages = p.Phases[0].Stages[:2] }), "ends with layer 1 of 4"},
		"order":           {broken(func(p *results.Plan) { p.Phases[0].Stages[1].Index = 2 }), "not in order"},
		"GPUs":            {broken(func(p *results.Plan) { p.Phases[0].Stages[1].TP = 4 }), "2 GPUs for TP 4"},
		"pool":            {broken(func(p *results.Plan) { p.Phases[0].Stages[1].Pool = "other" }), `pool "other"`},
		"no micro-batch":  {broken(func(p *results.Plan) { p.Phases[0].Strategy.MicroBatches = 0 }), "0 micro-batches"},
		"idle replicas":   {broken(func(p *results.Plan) { p.Deployment.Workload.Batch = 0 }), "0 sequences"},
		"context, decode": {broken(func(p *results.Plan) { s := &p.Phases[0].Stages[1]; s.TP, s.CP = 1, 2 }), "a decode step has one"},
	} {
		_, err := Nodes(tc.plan, Options{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

// Each phase is a graph of its own.
func TestGraphsByPhase(t *testing.T) {
	for phase, want := range map[inputs.Phase]string{inputs.Prefill: "prefill", inputs.Decode: "decode", inputs.Mixed: "prefill decode"} {
		d := plans()["tensor parallel"]
		d.phase = phase
		var got []string
		for _, line := range lines(text(t, d.plan(), Options{}), "digraph") {
			got = append(got, strings.Split(line, `"`)[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: graphs %q, want %q", phase, got, want)
		}
	}
}

// The files in testdata were checked by hand, node by node.
func TestGolden(t *testing.T) {
	one := model([]inputs.LayerKind{grouped()}, 0)
	experts := model([]inputs.LayerKind{mixture()}, 0)
	experts.Kinds[0].FFN.Experts = 2
	for name, tc := range map[string]struct {
		plan made
		o    Options
	}{
		"tensor-parallel.dot": {made{one, inputs.Mixed, 3, 6, 4, 1, 1, 1, []split{{1, 2, 1, 1, 1}}}, Options{}},
		"experts.dot":         {made{experts, inputs.Decode, 3, 6, 4, 1, 0, 1, []split{{1, 1, 1, 2, 2}}}, Options{}},
		"replicas-folded.dot": {made{model([]inputs.LayerKind{grouped()}, 0, 0), inputs.Prefill, 4, 6, 0, 2, 1, 0, []split{{2, 1, 1, 1, 1}}}, Options{Folded: true}},
	} {
		path := filepath.Join("testdata", name)
		got := text(t, tc.plan.plan(), tc.o)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; UPDATE_GOLDEN=1 writes it anew, and then look at what changed", name)
		}
	}
}
