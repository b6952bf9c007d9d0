package catalog

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

func nodeOf(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Content[0]
}

const ownDevice = `{name: X9, aliases: [Xeno 9], memory_gib: 96, memory_bandwidth_gb_s: 2500, tflops: {bf16: 500, fp8: 1000}, link: {kind: mesh, gb_s: 300}, usd_per_hour: 1.5}`

func device(t *testing.T, text string) AcceleratorEntry {
	t.Helper()
	e, problems := ReadAccelerator(nodeOf(t, text), "own.yaml:3")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return e
}

// A device of one's own has the units of the catalogue, and its place as provenance.
func TestReadAccelerator(t *testing.T) {
	a := device(t, ownDevice).Accelerator
	if a.Name != "X9" || a.MemoryBytes != 96<<30 || a.MemoryBandwidth != 2.5e12 || a.FLOPS[inputs.FP8] != 1e15 || a.Link.BytesPerSecond != 3e11 ||
		a.USDPerHour != 1.5 || a.Provenance != "own.yaml:3" || a.Vendor != "" {
		t.Errorf("%+v", a)
	}
}

// What is wrong with an entry is told with its place, all at once.
func TestReadAcceleratorProblems(t *testing.T) {
	for text, want := range map[string]string{
		"{name: X9, memory_gb: 4}":     `1:12 unknown key "memory_gb", want one of aliases, default_for, generation, link, memory_bandwidth_gb_s, memory_gib, memory_mib, name, notes, pcie_gb_s, seen, source, tdp_w, tflops, usd_per_hour, vendor; did you mean "memory_gib"?`,
		"{name: X9, name: X8}":         `"name" is stated twice`,
		"[X9]":                         "the entry is a list, want an object with",
		"{name: X9, memory_gib: much}": `1:24 memory_gib is the text "much", want a whole number`,
		"{name: X9, tflops: [1]}":      "tflops is a list, want an object of numbers by number format",
		"{name: X9, aliases: {a: b}}":  "aliases is an object, want a list of texts",
		"{name: X9, link: 7}":          "the entry is 7",
		"{name: X9}":                   "one of memory_mib and memory_gib is needed",
		strings.Replace(ownDevice, "bf16: 500", "bf16: "+"-1", 1):   "bf16 is -1, which must be above 0",
		strings.Replace(ownDevice, "bf16: 500", "bf16: "+".nan", 1): "bf16 is NaN",
		strings.Replace(ownDevice, "2500", ".inf", 1):               "memory_bandwidth_gb_s is +Inf",
		strings.Replace(ownDevice, "96", "999999999999", 1):         "memory_gib",
		strings.Replace(ownDevice, "fp8", "fp7", 1):                 `"fp7" is no number format`,
		strings.Replace(ownDevice, "mesh", "string", 1):             `link kind "string"`,
		strings.Replace(ownDevice, "1.5", "-2", 1):                  "usd_per_hour is -2",
		strings.Replace(ownDevice, "name: X9, ", "", 1):             "name is needed",
	} {
		_, problems := ReadAccelerator(nodeOf(t, text), "own.yaml:3")
		var all []string
		for _, p := range problems {
			d := inputs.Diagnostic{Place: inputs.Place{File: "", Line: p.Line, Col: p.Col}, Problem: p.Text, Want: p.Want, Hint: p.Hint}
			all = append(all, strings.TrimPrefix(strings.Replace(d.Error(), ": ", " ", 1), ":"))
		}
		if got := strings.Join(all, "\n"); !strings.Contains(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

// A model of one's own is read as its config.json is.
func TestReadModel(t *testing.T) {
	text := `{name: Mini, aliases: [own/mini], config: {architectures: [LlamaForCausalLM], hidden_size: 512, num_hidden_layers: 4, num_attention_heads: 8,
  intermediate_size: 1024, vocab_size: 1000, tie_word_embeddings: false, torch_dtype: bfloat16}}`
	e, problems := ReadModel(nodeOf(t, text), "own.yaml:7")
	if len(problems) > 0 || e.Model.Hidden != 512 || len(e.Model.Layers) != 4 || e.Model.Name != "Mini" || e.Model.DeclaredParams != 0 || e.Model.Provenance != "own.yaml:7" {
		t.Errorf("%+v %v", e, problems)
	}
	for text, want := range map[string]string{
		"{config: {hidden_size: 4}}":             "the model has no name",
		"{name: Mini}":                           "has no config",
		"{name: Mini, config: {hidden_size: x}}": "hidden_size is",
		"{name: Mini, config: 4}":                "the configuration is 4",
		"{name: Mini, params: -1, config: {}}":   "params is -1",
		"{name: Mini, layers: 4}":                `unknown key "layers"`,
	} {
		_, problems := ReadModel(nodeOf(t, text), "")
		if len(problems) == 0 || !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, want) }) {
			t.Errorf("%s: %v, want %s", text, problems, want)
		}
	}
}

// More entries are found by all their names; one with a name that is known, however it
// is written, takes its place, and a further name goes over to the later entry. The
// catalogue that was extended stays as it was.
func TestExtend(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	before := len(c.Accelerators())
	h100 := strings.Replace(strings.Replace(ownDevice, "X9", "h100 sxm 80gb", 1), "Xeno 9", "A100", 1)
	builtin, _ := c.Accelerator("H100-SXM-80GB")
	if builtin.Name == "" {
		t.Fatal("no H100 in the catalogue")
	}
	h100 = strings.Replace(h100, "h100 sxm 80gb", strings.ToLower(builtin.Name), 1)
	out, devices, _ := c.Extend([]AcceleratorEntry{device(t, ownDevice), device(t, h100)}, nil)
	if len(devices) != 2 || devices[0] != "" || !strings.Contains(devices[1], "takes the place of an entry of that name (read at the source") || !strings.HasSuffix(devices[1], "; A100 meant A100-SXM-80GB before") {
		t.Errorf("replaced %q", devices)
	}
	for name, memory := range map[string]int64{"X9": 96 << 30, "xeno-9": 96 << 30, "H100": 96 << 30, builtin.Name: 96 << 30, "A100": 96 << 30} {
		if a, ok := out.Accelerator(name); !ok || a.MemoryBytes != memory {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if got := len(out.Accelerators()); got != before+1 || len(c.Accelerators()) != before {
		t.Errorf("%d entries, %d before", got, before)
	}
	if a, _ := c.Accelerator("A100"); a.MemoryBytes == 96<<30 {
		t.Error("the catalogue that was extended changed")
	}
	if near := out.SuggestAccelerator("xeno 8"); !slices.Contains(near, "X9") {
		t.Errorf("near xeno 8: %v", near)
	}
	again, devices, _ := out.Extend([]AcceleratorEntry{device(t, strings.Replace(ownDevice, "96", "48", 1))}, nil)
	if a, _ := again.Accelerator("X9"); a.MemoryBytes != 48<<30 || !strings.Contains(devices[0], "(own.yaml:3)") {
		t.Errorf("a later entry does not count: %+v, %q", a, devices)
	}
}

// A stated utilisation reaches the device of a name, or all of a generation.
func TestWithEfficiency(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	e := inputs.Efficiency{Compute: 0.6, Bandwidth: 0.8}
	one, names := c.WithEfficiency("A100", "", e, "own.yaml:9")
	if a, _ := one.Accelerator("A100"); len(names) != 1 || a.Efficiency == nil || *a.Efficiency != e || !strings.Contains(a.Provenance, "utilisation: own.yaml:9") {
		t.Errorf("%v %+v", names, a)
	}
	all, names := c.WithEfficiency("", "Ampere", e, "")
	if a, _ := all.Accelerator("A100"); len(names) < 2 || a.Efficiency == nil {
		t.Errorf("%v", names)
	}
	if _, names := c.WithEfficiency("no such device", "", e, ""); len(names) != 0 {
		t.Errorf("%v", names)
	}
	if a, _ := c.Accelerator("A100"); a.Efficiency != nil {
		t.Error("the catalogue itself changed")
	}
	if !slices.Contains(c.Generations(), "hopper") {
		t.Errorf("generations %v", c.Generations())
	}
}
