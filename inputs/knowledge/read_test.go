package knowledge

import (
	"fmt"
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/catalog"
)

const ownPack = `# of a test
name: ours
about: what we measured
accelerators:
  - {name: X9, memory_gib: 96, memory_bandwidth_gb_s: 2500, tflops: {bf16: 500}, link: {kind: mesh, gb_s: 300}}
models:
  - name: Mini
    config: {architectures: [LlamaForCausalLM], hidden_size: 512, num_hidden_layers: 4, num_attention_heads: 8, intermediate_size: 1024, vocab_size: 1000}
efficiencies:
  - {accelerator: X9, compute: 60 %, bandwidth: 0.8, source: a benchmark}
  - {generation: hopper, compute: 0.7}
rules:
  - name: small groups
    expr: tp <= 4 && pp in [2, 4]
    because: the switch has four ports
    source: its data sheet
  - name: decode without it
    phase: decode
    expr: >-
      cp == 1 &&
      ep == 1
`

// A pack is read whole: entries, rules with their places, and a statement for each.
func TestParse(t *testing.T) {
	p := Parse("own.yaml", []byte(ownPack))
	if err := p.Problems.Err(); err != nil {
		t.Fatal(err)
	}
	if len(p.accelerators) != 1 || len(p.models) != 1 || len(p.Efficiencies) != 2 || len(p.Rules) != 2 {
		t.Fatalf("%+v", p)
	}
	r := p.Rules[0]
	if r.Name != "small groups" || r.Because != "the switch has four ports" || r.Source != "its data sheet" || r.Place != (inputs.Place{File: "own.yaml", Line: 14, Col: 11}) {
		t.Errorf("%+v", r)
	}
	if r = p.Rules[1]; r.Phase != inputs.Decode || r.Expr != "cp == 1 && ep == 1" || r.Place != (inputs.Place{File: "own.yaml", Line: 20, Col: 7}) {
		t.Errorf("%+v", r)
	}
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	a := Apply(c, []Pack{p})
	if err := a.Problems.Err(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range a.Statements {
		got = append(got, fmt.Sprintf("%d %s: %s", s.Place.Line, s.Text, s.UsedAs))
	}
	for i, want := range []string{
		"2 name: ours: knowledge: name of the file's content",
		"3 about: what we measured: not applied: prose",
		"5 accelerator X9: catalogue: added",
		"7 model Mini: catalogue: added",
		"10 efficiency of X9: compute 0.6, bandwidth 0.8: catalogue: utilisation of X9, in place of the built-in efficiencies",
		"11 efficiency of hopper: compute 0.7: catalogue: utilisation of",
		`14 rule "small groups": tp <= 4 && pp in [2, 4]: rule: binding; the switch has four ports`,
		`20 rule "decode without it": cp == 1 && ep == 1: rule: binding for decode`,
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("statement %d:\n%s\nwant %s", i, strings.Join(got, "\n"), want)
			break
		}
	}
	x9, _ := a.Catalog.Accelerator("x9")
	if x9.Efficiency == nil || x9.Efficiency.Compute != 0.6 || !strings.Contains(x9.Provenance, "own.yaml:5:5") || !strings.Contains(x9.Provenance, "own.yaml:10:5 (a benchmark)") {
		t.Errorf("%+v", x9)
	}
}

// What is wrong with a pack is told with its place, what was expected and a hint.
func TestParseProblems(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"rules:\n  - {name: a, expr: tpp <= 4}", `p.yaml:2:21: rule "a": "tpp" is not known, want a variable of rules; did you mean "tp"?`},
		{"rules:\n  - name: a\n    expr: 'tp <= 4 && kv_haeds > 1'", `p.yaml:3:23: rule "a": "kv_haeds" is not known`},
		{"rules:\n  - name: a\n    expr: |\n      tp <= 4 &&\n      kv_haeds > 1", `p.yaml:5: rule "a": "kv_haeds" is not known`},
		{"rules:\n  - name: a\n    expr: >\n      tp <= 4 &&\n      kv_haeds > 1", `p.yaml:4: rule "a": "kv_haeds" is not known`},
		{"rules:\n  - {expr: tp <= 4}", "p.yaml:2:5: the rule has no name, want name: and a few words"},
		{"rules:\n  - {name: a}", `p.yaml:2:5: rule "a" has no expression`},
		{"rules:\n  - {name: a, exp: tp == 1}", `p.yaml:2:15: unknown key "exp" of a rule, want one of because, expr, name, phase, source; did you mean "expr"?`},
		{"rules:\n  - {name: a, expr: tp == 1, phase: decoed}", `p.yaml:2:37: phase "decoed" is not known, want one of prefill, decode, mixed, training; did you mean "decode"?`},
		{"rules:\n  - {name: a, expr: [tp]}", "p.yaml:2:21: expr of a rule is no text"},
		{"rules:\n  - tp <= 4", "p.yaml:2:5: the rule is no object"},
		{"rules: {a: tp <= 4}", "p.yaml:1:8: rules is no list"},
		{"rules: []\nrules: []", `"rules" is stated twice`},
		{"rule:\n  - {name: a, expr: tp == 1}", `p.yaml:1:1: unknown key "rule", want one of about, accelerators, efficiencies, models, name, profiles, rules; did you mean "rules"?`},
		{"- tp <= 4", "p.yaml:1:1: the file is no object"},
		{"", "p.yaml:1:1: the file states nothing"},
		{"# nothing", "p.yaml:1:1: the file states nothing"},
		{"rules:\n  - {name: a, expr: tp == 1}}", "p.yaml:1: not valid YAML"},
		{"rules:\n  - {name: a, expr: \"pp == 1\"}\n  - name: b\n    expr: pp == 1 ? tp == 1 : true", "p.yaml:4: not valid YAML: mapping values are not allowed in this context; quote an expression that holds a colon and a space"},
		{"rules: []\n---\nrules: []", "p.yaml:2: not valid YAML: a second document begins"},
		{"a: \x00", "the file is not text"},
		{"accelerators:\n  - {name: X9, memory_gb: 4}", `p.yaml:2:16: unknown key "memory_gb"`},
		{"models:\n  - {name: M, config: {hidden_size: x}}", `p.yaml:2:37: hidden_size is the text "x"`},
		{"efficiencies:\n  - {compute: 0.5}", "p.yaml:2:5: the efficiency is of no device"},
		{"efficiencies:\n  - {generation: hopper, accelerator: H100, compute: 0.5}", "the efficiency is of no device"},
		{"efficiencies:\n  - {generation: hopper}", "the efficiency has no compute"},
		{"efficiencies:\n  - {generation: hopper, compute: 140 %}", `p.yaml:2:35: compute: "140 %" is not understood, want a share above 0 and at most 1`},
		{"efficiencies: [4]", "the entry is no object"},
	} {
		p := Parse("p.yaml", []byte(row.text))
		if got := p.Problems.Error(); !strings.Contains(got, row.want) {
			t.Errorf("%q:\n got %s\nwant %s", row.text, got, row.want)
		}
	}
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"efficiencies:\n  - {accelerator: H100-SXX-80GB, compute: 0.5}":      `p.yaml:2:5: accelerator "H100-SXX-80GB" is not known`,
		"efficiencies:\n  - {generation: hoper, compute: 0.5}":               `generation "hoper" is not known, want one of ada, ampere`,
		"rules:\n  - {name: a, expr: tp == 1}\n  - {name: a, expr: pp == 1}": `p.yaml:3:21: rule "a" is stated twice, want a name of its own; the first is at p.yaml:2:21`,
	} {
		if got := Apply(c, []Pack{Parse("p.yaml", []byte(text))}).Problems.Error(); !strings.Contains(got, want) {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

// All problems of a file are told at once.
func TestParseTellsAll(t *testing.T) {
	p := Parse("p.yaml", []byte("rules:\n  - {name: a, expr: tpp == 1}\n  - {nam: b, expr: true}\n  - {name: c, expr: tp + 1}\naccelerator: []\nefficiencies:\n  - {compute: 2}\n"))
	if len(p.Problems) != 6 {
		t.Errorf("%d problems:\n%v", len(p.Problems), p.Problems)
	}
}

// Of Markdown front matter and fenced YAML are read, with the lines of the file; all else
// is listed as not applied.
func TestMarkdown(t *testing.T) {
	text := "---\nrules:\n  - {name: front, expr: tp <= 8}\n---\n# Rules of thumb\n\nTensor parallelism stays\ninside the node.\n\n```yaml\nrules:\n  - name: fenced\n    expr: tpp <= 4\n```\n\n" +
		"~~~ yml\napiVersion: v1\n~~~\n\n```sh\nls\n```\nlast words\n"
	p := Parse("notes.md", []byte(text))
	if got, want := p.Problems.Error(), `notes.md:13:11: rule "fenced": "tpp" is not known`; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	var got []string
	for _, s := range p.Statements {
		got = append(got, fmt.Sprintf("%d %s | %s", s.Place.Line, s.Text, s.UsedAs))
	}
	want := []string{
		`3 rule "front": tp <= 8 | rule: binding`,
		"5 # Rules of thumb | not applied: prose",
		"7 Tensor parallelism stays inside the node. | not applied: prose",
		`13 rule "fenced": tpp <= 4 | rule: binding`,
		"17 apiVersion: v1 | not applied: a block of YAML without accelerators, models, efficiencies, profiles, rules",
		"20 ```sh ls ``` | not applied: no YAML",
		"23 last words | not applied: prose",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, text := range []string{"", "---\n", "```yaml\nrules:\n", "---\nrules: [\n---\n", "````\n```yaml\nrules: 1\n```\n````\n", "```yaml\nrulez: 1\n```"} {
		p := Parse("x.md", []byte(text))
		if strings.Contains(text, "rules: [") != (len(p.Problems) > 0) && !strings.Contains(text, "rulez") {
			t.Errorf("%q: %v", text, p.Problems)
		}
		if strings.Contains(text, "rulez") && !strings.Contains(p.Problems.Error(), `did you mean "rules"?`) {
			t.Errorf("%q: %v", text, p.Problems)
		}
	}
}

// A later pack takes the place of an earlier one's entries and says so.
func TestLaterPackCounts(t *testing.T) {
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	first := Parse("a.yaml", []byte(ownPack))
	second := Parse("b.yaml", []byte("accelerators:\n  - {name: x9, memory_gib: 48, memory_bandwidth_gb_s: 2500, tflops: {bf16: 500}, link: {kind: mesh, gb_s: 300}}\n"))
	a := Apply(c, []Pack{first, second})
	if x, _ := a.Catalog.Accelerator("X9"); x.MemoryBytes != 48<<30 {
		t.Errorf("%+v", x)
	}
	if s := a.Statements[len(a.Statements)-1]; !strings.HasPrefix(s.UsedAs, "catalogue: takes the place of an entry of that name (a.yaml:5:5") {
		t.Errorf("%+v", s)
	}
}

// No text makes the reader or the compiler of rules panic, and every problem has a place
// in the file.
func FuzzParse(f *testing.F) {
	for _, name := range BuiltInNames() {
		data, err := packs.ReadFile("packs/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add("pack.yaml", data)
	}
	f.Add("own.yaml", []byte(ownPack))
	f.Add("notes.md", []byte("---\nrules: [{name: a, expr: tp}]\n---\ntext\n```yaml\nrules:\n- name: b\n  expr: |\n    tp <\n```\n"))
	f.Add("bomb.yaml", []byte("a: &a [x, x]\nb: &b [*a, *a]\nrules: [*b, *b]\nmodels: [{name: m, config: *b}]"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		p := Parse(name, data)
		for _, d := range p.Problems {
			if d.Place.File != name || d.Problem == "" {
				t.Errorf("%+v", d)
			}
		}
		c := fixture()
		c.Rules = p.Rules
		rules, err := Compile(c)
		if len(p.Problems) == 0 && err != nil && !strings.Contains(err.Error(), "two rules are named") {
			t.Errorf("what was read does not compile: %v", err)
		}
		if err == nil {
			_, _ = rules.Check(twoStages())
		}
	})
}
