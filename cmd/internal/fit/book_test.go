package main

import (
	"bytes"
	"os"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/google/go-cmp/cmp"

	"partita/formulation/validate"
	"partita/inputs/measured"
	"partita/inputs/profile"
)

func TestTextIsReadBack(t *testing.T) {
	b := &book{}
	b.add(profile.Fit{
		Generation: "hopper", Families: []string{"b", "trtllm-0.9"}, Constants: map[string]float64{"operators.gemm16.floor": 3.754e-6, "operators.gemm8.compute": 0.4913},
		Without: map[string]map[string]float64{"b": {"operators.gemm16.floor": 4e-6}, "trtllm-0.9": {}},
	})
	b.add(profile.Fit{Generation: "ampere", Families: []string{"a"}, Constants: map[string]float64{"operators.decode.floor": 1e-5}, Without: map[string]map[string]float64{"a": {}}})
	var back struct {
		Generations []profile.Fit `yaml:"generations"`
	}
	if err := yaml.Unmarshal(b.text(), &back); err != nil {
		t.Fatalf("%v\n%s", err, b.text())
	}
	if diff := cmp.Diff(b.fits, back.Generations); diff != "" || back.Generations[0].Generation != "ampere" {
		t.Errorf("read back (-written +read):\n%s", diff)
	}
}

// Parts of a generation stand beside each other, and one is taken out without the other.
func TestPartsOfAGeneration(t *testing.T) {
	kernels := profile.Fit{
		Generation: "hopper", Families: []string{"nim", "both"}, Constants: map[string]float64{"operators.gemm16.floor": 1e-6},
		Without: map[string]map[string]float64{"nim": {"operators.gemm16.floor": 2e-6}, "both": {"operators.gemm16.floor": 3e-6}},
	}
	steps := profile.Fit{
		Generation: "hopper", Families: []string{"both", "dgxc"}, Constants: map[string]float64{"training.gemm16": 0.7},
		Without: map[string]map[string]float64{"dgxc": {"training.gemm16": 0.6}, "both": {"training.gemm16": 0.8}},
	}
	b := &book{}
	b.add(kernels)
	b.add(steps)
	want := []profile.Fit{{
		Generation: "hopper", Families: []string{"both", "dgxc", "nim"}, Constants: map[string]float64{"operators.gemm16.floor": 1e-6, "training.gemm16": 0.7},
		Without: map[string]map[string]float64{
			"nim":  {"operators.gemm16.floor": 2e-6, "training.gemm16": 0.7},
			"dgxc": {"operators.gemm16.floor": 1e-6, "training.gemm16": 0.6},
			"both": {"operators.gemm16.floor": 3e-6, "training.gemm16": 0.8},
		},
	}}
	if diff := cmp.Diff(want, b.fits); diff != "" {
		t.Errorf("together (-want +got):\n%s", diff)
	}
	b.forget(generation{name: "hopper", constants: []constant{{path: "training.gemm16"}}})
	kernels.Families = []string{"both", "nim"}
	if diff := cmp.Diff([]profile.Fit{kernels}, b.fits); diff != "" {
		t.Errorf("one taken out (-want +got):\n%s", diff)
	}
	b.forget(generation{name: "hopper", constants: []constant{{path: "operators.gemm16.floor"}}})
	if len(b.fits) != 0 {
		t.Errorf("nothing is fitted, and there is %v", b.fits)
	}
}

// Releases of one table are one source.
func TestSources(t *testing.T) {
	for family, want := range map[string]string{
		"bridge-26.04.01": "bridge", "nemo-2412": "nemo", "mlperf-train-v3.1": "mlperf", "sc21-t2": "sc21",
		"korthikanti-layer": "korthikanti", "korthikanti": "korthikanti", "llm-foundry": "llm-foundry", "mlm-h100": "mlm-h100", "dgxc": "dgxc",
	} {
		if got := training.source(family); got != want {
			t.Errorf("%s is of %s, want %s", family, got, want)
		}
	}
}

func TestNothingFitted(t *testing.T) {
	var back struct {
		Generations []profile.Fit `yaml:"generations"`
	}
	if err := yaml.Unmarshal((&book{}).text(), &back); err != nil || len(back.Generations) != 0 {
		t.Errorf("%v, %v", back, err)
	}
}

// The built-in file is what this program writes, and no generation has more fitted
// constants than it may.
func TestBuiltInFits(t *testing.T) {
	text, err := os.ReadFile("../../../inputs/profile/fitted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := &book{}
	for _, f := range profile.Fits() {
		b.add(f)
		if len(f.Constants) > mostConstants {
			t.Errorf("%s: %d fitted constants", f.Generation, len(f.Constants))
		}
		for _, family := range f.Families {
			if _, ok := f.Without[family]; !ok {
				t.Errorf("%s: no constants without %s", f.Generation, family)
			}
		}
	}
	if !bytes.Equal(b.text(), text) {
		t.Errorf("fitted.yaml is not as `make fit` writes it; want\n%s", b.text())
	}
}

// A few rows of the sample: one generation is fitted on them, and one that has none is
// refused.
func TestFitOfTheSample(t *testing.T) {
	rows, err := measured.Load("../../../examples/measured/sample.csv")
	if err != nil {
		t.Fatal(err)
	}
	bench, err := validate.NewBench(rows)
	if err != nil {
		t.Fatal(err)
	}
	g := declared()[0]
	g.constants = g.constants[:1]
	var out bytes.Buffer
	f, err := fitGeneration(t.Context(), &out, bench, &book{}, g)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if len(f.Families) == 0 || len(f.Without) != len(f.Families) {
		t.Errorf("%+v\n%s", f, out.String())
	}
	again, err := fitGeneration(t.Context(), &bytes.Buffer{}, bench, &book{}, g)
	if diff := cmp.Diff(f, again); err != nil || diff != "" {
		t.Errorf("again: %v %s", err, diff)
	}
	if _, err := fitGeneration(t.Context(), &out, bench, &book{}, generation{"gaudi", g.constants, serving}); err == nil {
		t.Error("a generation without rows is fitted")
	}
}
