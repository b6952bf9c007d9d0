package read

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"partita/inputs/schema/schematest"
)

// conditionSchema is the schema as another program's library understands it.
func conditionSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := ConditionSchema()
	if err != nil {
		t.Fatal(err)
	}
	return schematest.Compiled(t, s)
}

// fileOf is a condition that states one value.
func fileOf(path string, v any) map[string]any {
	names := strings.Split(path, ".")
	for i := len(names) - 1; i >= 0; i-- {
		v = map[string]any{names[i]: v}
	}
	return v.(map[string]any)
}

// judged is what the schema and the reader of a file say to a condition.
func judged(t interface{ Fatal(...any) }, s *jsonschema.Schema, doc any) (schema bool, problems Diagnostics) {
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	d := newDraft()
	readStructured(d, "c.json", "json", data)
	return s.Validate(schematest.Value(t, data)) == nil, d.problems
}

// unlike is what the schema and the reader do not agree on, with the reason.
type unlike struct {
	why   string
	forms string // that it is about; "": all
	// reader says who takes the value: the reader, or the schema.
	reader  bool
	text    string // expression that the value as JSON matches; "": any
	problem string // part of what the reader says
}

// differences are all that there are; docs/schema.md lists them for people.
func differences() []unlike {
	return []unlike{
		{why: "bounds of a quantity behind its unit are no matter of its form", problem: "is out of bounds"},
		{why: "which end of a range stands first is no matter of its form", forms: "lengths gpuCount", problem: "is not understood", text: `\d\D+\d`},
		{why: "GPUs of a host named twice or backwards are no matter of the form", forms: "hosts", problem: "is not understood", text: `/`},
		{why: "no tokens a second are no time per token", forms: "atMostTokenTime", problem: "is not understood", text: `^"[^1-9]*$`},
		{why: "that a unit is no noun behind a count is known to the reader alone", forms: "count countFromZero lengths", problem: "is not understood",
			text: `(?i)\d\s*-?([kmgtp]i?b|[kmgt]?bps|[kmgtp]?flops|[kmgtp]?ops|[mµun]s|secs?|seconds?|mins?|minutes?|hours?|percent|(giga|mega|tera)?bytes?)"?`},
		{why: "the schema does not read the prose of a link to its end", forms: "link", problem: "is not understood"},
		{why: "an object without fields states nothing, which only the whole file tells", problem: "the file states nothing", text: `^\{\}$`},
		{why: "how large a figure may be is no matter of its form", problem: "is not understood", text: `\d[\d.,_]{6}|[\d.][eE]\+?\d`},
		{why: "fractions of a byte, and what is beyond 8 EB, are found where the size is worked out", forms: "size sizes", problem: "is not understood", text: `(?i)[.e]|\d{4}`},

		{why: "a list is no name", forms: "text", reader: true, text: `^\[`},
		{why: "nobody writes a count with an exponent, a fraction of a k or in tens of thousands, nor a share so", forms: "count countFromZero lengths gpuCount share shareBelowOne real", reader: true, text: `^"\s*[+-]?[\d.,_]+([eE][+-]?\d+)?\s*[kK]?\s*"$`},
		{why: "the reader takes a none with other marks around it", forms: "gpuCount atMostTime atMostTokenTime atLeastTokens atMostPrice", reader: true, text: `^"\W+|\W+"$`},
		{why: "the reader takes what follows a count for a noun", forms: "lengths gpuCount", reader: true, text: `\d\s*-?\pL`},
		{why: "the reader takes exponents of three digits", reader: true, text: `[eE][+-]?(\d{3}|60)`},
		{why: "the reader passes over an empty place in a list", forms: "sizes degrees layerCounts", reader: true, text: `^"[\[\s]*[,;/+]|[,;/+]\s*[,;/+]|[,;/+][\]\s]*"$`},
		{why: "the reader forgives a bracket that is not closed, or closes nothing", reader: true, text: `[\[\]()]`},
		{why: "the reader knows nouns in every script, the schema in Latin and Han", forms: "count countFromZero lengths gpuCount", reader: true, text: `\p{Cyrillic}`},
		{why: "the reader understands closed sets in words", forms: "attention block phase objective numberFormat", reader: true, text: `^"`},
		{why: "the reader takes a degree with its name before it", forms: "degrees degree layerCounts", reader: true, text: `(?i)^"(tp|pp|ep|cp|dp|sp|\+)`},
		{why: "a path of blanks names no file, which is found out where it is opened", forms: "text", reader: true, text: `^" +"$`},
		{why: "no path at all states no pack", forms: "paths", reader: true, text: `^("[\s,\[\]]*"|\[\])$`},
	}
}

// explains reports whether a difference is why the two do not agree.
func (d unlike) explains(k key, value []byte, problems Diagnostics) bool {
	if d.forms != "" && !slices.Contains(strings.Fields(d.forms), k.form) || d.reader != (len(problems) == 0) {
		return false
	}
	for _, p := range problems {
		if !strings.Contains(p.Problem, d.problem) {
			return false
		}
	}
	return d.text == "" || regexp.MustCompile(d.text).Match(value)
}

// TestSchemaSaysWhatTheReaderSays holds values of every sort behind every key against
// both; where they differ, a listed difference is why, and every listed one is met.
func TestSchemaSaysWhatTheReaderSays(t *testing.T) {
	schema := conditionSchema(t)
	met := make([]bool, len(differences()))
	seen := map[string]bool{}
	all := values()
	for _, k := range keys() {
		these := all
		if seen[k.form] { // its form was tried whole behind another key
			these = all[len(all)-17:]
		}
		seen[k.form] = true
		for _, v := range these {
			sameVerdict(t, schema, k, v, met)
		}
	}
	for _, f := range forms() {
		if !seen[f.name] {
			t.Errorf("no key has the form %s", f.name)
		}
	}
	for i, d := range differences() {
		if !met[i] {
			t.Errorf("nothing differs because %q: is it still so?", d.why)
		}
	}
}

// sameVerdict holds one value against both.
func sameVerdict(t interface {
	Errorf(string, ...any)
	Fatal(...any)
}, schema *jsonschema.Schema, k key, v any, met []bool) {
	value, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	ok, problems := judged(t, schema, fileOf(k.path, v))
	if ok == (len(problems) == 0) {
		return
	}
	for i, d := range differences() {
		if d.explains(k, value, problems) {
			met[i] = true
			return
		}
	}
	t.Errorf("%s (%s): %s: the schema takes it %t, the reader says %v", k.path, k.form, value, ok, problems)
}

// TestFormsAgainstParsers draws texts that match a form, and texts near them.
func TestFormsAgainstParsers(t *testing.T) {
	schema := conditionSchema(t)
	met := make([]bool, len(differences()))
	byForm := map[string]key{}
	for _, k := range keys() {
		byForm[k.form] = k
	}
	for _, f := range forms() {
		if f.any || f.text == "" {
			continue
		}
		texts := rapid.StringMatching(strings.NewReplacer(`[^]`, `[ -~]`, `\s`, ` `).Replace(f.text))
		rapid.Check(t, func(t *rapid.T) {
			text := texts.Draw(t, "text")
			if strings.ContainsAny(text, "\u212a\u017f") || len(text) > 60 || strings.ContainsFunc(text, unicode.IsControl) {
				return // the Kelvin sign is no k, and YAML takes no control characters
			}
			sameVerdict(t, schema, byForm[f.name], text, met)
			near := []rune(text)
			if len(near) > 0 {
				at := rapid.IntRange(0, len(near)-1).Draw(t, "at")
				near[at] = rapid.SampledFrom([]rune("08.,kKbBsS/%x- ")).Draw(t, "letter")
				sameVerdict(t, schema, byForm[f.name], string(near), met)
			}
		})
	}
}

// TestStructure: unknown keys, wrong forms of objects and lists, keys in other cases.
func TestStructure(t *testing.T) {
	schema := conditionSchema(t)
	for _, row := range []struct {
		text           string
		schema, reader bool
	}{
		{`{"model": "Llama-3.1-8B"}`, true, true},
		{`{"model": {"catalog": "Llama-3.1-8B", "precision": "fp8"}}`, true, true},
		{`{"model": 8}`, true, true}, // a name, if a strange one
		{`{"model": ["a", "b"]}`, false, false},
		{`{"modle": "Llama-3.1-8B"}`, false, false},
		{`{"cluster": {"pools": [{"accelerator": "H100", "count": 8}], "network": "400Gb/s"}}`, true, true},
		{`{"cluster": {"pools": [{"accelerator": "H100", "network": "400Gb/s"}]}}`, false, false},
		{`{"cluster": {"pools": {"accelerator": "H100"}}}`, false, false},
		{`{"cluster": {"pools": [8]}}`, false, false},
		{`{"cluster": {"gpu": "H100", "gpus": 8, "flops": {"fp16": "400TFLOPS", "fp8": "800TFLOPS"}}}`, true, true},
		{`{"cluster": {"flops": {"fp12": "1TFLOPS"}}}`, false, false},
		{`{"cluster": "8 x H100"}`, false, false},
		{`{"goal": {"requirements": {"ttft": {"value": "2s"}}}}`, false, false},
		{`{"goal": {"requirements": null, "weights": {"latency": 0.7, "throughput": 0.3}}}`, true, true},
		{`{"goal": []}`, false, false},
		{`{}`, false, false},
		{`[]`, false, false},
		{`"text"`, false, false},
		// Differences by their nature: keys in other cases, contradictions, doubled keys.
		{`{"Model": "Llama-3.1-8B"}`, false, true},
		{`{"cluster": {"gpu": "H100", "accelerator": "A100"}}`, true, false},
		{`{"model": "Llama-3.1-8B", "model": "Llama-3.1-70B"}`, true, false},
	} {
		value := schematest.Value(t, []byte(row.text))
		d := newDraft()
		readStructured(d, "c.json", "json", []byte(row.text))
		if got := schema.Validate(value) == nil; got != row.schema {
			t.Errorf("%s: the schema takes it %t", row.text, got)
		}
		if got := len(d.problems) == 0; got != row.reader {
			t.Errorf("%s: the reader takes it %t: %v", row.text, got, d.problems)
		}
	}
}

// TestPatternsArePortable: what Python's and other machines do not know stays out of the
// patterns, beside what ECMA-262 and Go know.
func TestPatternsArePortable(t *testing.T) {
	s, err := ConditionSchema()
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, only := range []string{`\\p{`, `\\P{`, `(?i`, `(?=`, `(?!`, `(?<`, `[[:`, `[^]`} {
		if strings.Contains(string(data), only) {
			t.Errorf("a pattern has %s", only)
		}
	}
}

// TestExamplesMeetTheSchema: every structured condition that is shipped, and what the
// writer makes of each.
func TestExamplesMeetTheSchema(t *testing.T) {
	schema := conditionSchema(t)
	paths, err := filepath.Glob("../../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "batch-") {
			continue // the config of a batch is no condition
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		checked++
	}
	if checked < 10 {
		t.Errorf("%d examples were found", checked)
	}
	if err := schema.Validate(schematest.Value(t, []byte(inJSON))); err != nil {
		t.Error(err)
	}
}

// TestRandomConditionsMeetTheSchema: conditions of many values that hold one by one.
func TestRandomConditionsMeetTheSchema(t *testing.T) {
	schema := conditionSchema(t)
	good := map[string][]any{}
	for _, k := range keys() {
		if good[k.form] != nil {
			continue
		}
		for _, v := range values() {
			if ok, problems := judged(t, schema, fileOf(k.path, v)); ok && len(problems) == 0 {
				good[k.form] = append(good[k.form], v)
			}
		}
		if len(good[k.form]) == 0 {
			t.Errorf("%s: no value holds", k.form)
		}
	}
	all := keys()
	rapid.Check(t, func(t *rapid.T) {
		doc := map[string]any{}
		for range rapid.IntRange(1, 12).Draw(t, "values") {
			k := rapid.SampledFrom(all).Draw(t, "key")
			put(doc, strings.Split(k.path, "."), rapid.SampledFrom(good[k.form]).Draw(t, "value"))
		}
		wrong := rapid.SampledFrom([]string{"", "", "unknown"}).Draw(t, "wrong")
		if wrong != "" {
			k := rapid.SampledFrom(all).Draw(t, "beside")
			names := strings.Split(k.path, ".")
			names[len(names)-1] = "no_such_key"
			put(doc, names, "x")
		}
		ok, problems := judged(t, schema, doc)
		if ok != (wrong == "") {
			t.Errorf("the schema takes %v: %t", doc, ok)
		}
		if read := len(problems) == 0; wrong != "" && read {
			t.Errorf("the reader takes %v", doc)
		}
	})
}

// put states a value in a condition; a scalar in the way gives way.
func put(doc map[string]any, names []string, v any) {
	for _, name := range names[:len(names)-1] {
		next, ok := doc[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[name] = next
		}
		doc = next
	}
	if _, taken := doc[names[len(names)-1]].(map[string]any); !taken {
		doc[names[len(names)-1]] = v
	}
}

// values are what may stand behind a key, right and wrong, of every sort.
func values() []any {
	var out []any
	for _, text := range []string{
		"", " ", "8", "0", "1", "-1", "+8", "1.5", "0.6", "2", "1e3", "1e-3", "1e003", "1e003 GB/s", "8,192", "12,34", "1_000", "128k", "1.5k", "94-layer", "128 sequences", "94 层", "94 слоя", "16777216", "16777217", "9999999999",
		"64GB", "64 GiB", "80gb", "80Gb", "512 MB", "1 TB", "0GB", "1KB", "64 gigabytes", "64", "G", "5 bytes", "1e9 B", "1.5 B",
		"400TFLOPS", "989 TFLOP/s", "1.98 PFLOPS", "400 TOPS", "400 tera ops per second", "400T", "0 TFLOPS",
		"1.8TB/s", "900GB/s", "100Gb/s", "400Gbps", "1.8 TBps", "50 GB per second", "1.8TB", "0 GB/s", "100 gbit/s",
		"10s", "500ms", "30 µs", "2 min", "1 h", "10", "0s", "-5s", "10 S.", "50 ms/token", "50ms per output token", "20 tokens/s", "20 tokens/s per user",
		"5000 tokens/s", "5000", "80 TPS", "0 TPS", "3 ktok/s", "100tokens/ms", "500 tokens/s/GPU", "1000 output tokens/s", "5 t/h", "5000 tokens",
		"60%", "60 percent", "0.25", "100%", "101%", "1", "0%", ".5", "60 %", "6/10",
		"$2.50/h", "2.5 USD/hour", "2.5", "$2.50 per GPU per hour", "2.5 EUR/h", "US$2",
		"10B", "235 billion", "770M", "7e9", "1.5T params", "10 bananas",
		"[128, 10240]", "[10240, 128]", "128..10240", "128-10240", "128 to 10240", "128 ~ 10240", "4..16", "unlimited", "as many as needed", "up to 16", "at least 4", "≤ 16", "8 GPUs", "8 cards", "8 bananas", "between 4 and 16", "none", "no limit",
		"≤ 10s", "at most 10s", "at least 10s", ">= 5000 tokens/s", "<= 5000 tokens/s", "< $20/h", "no more than 50 ms", "not required", "n/a", "None",
		"NVLink 450GB/s", "100Gb/s Ethernet", "InfiniBand", "PCIe 4.0 x16", "900 GB/s bidirectional", "50GB/s per node", "NVLink", "fast", "NVLink 450GB/s and 3 more", "450GB/s 900GB/s",
		"node-0/0..7", "[node-0/0..7, node-1/0..7]", "node-0/7..0", "node-0", "a/b/3", "node-0/0, node-0/0",
		"[30GB, 50GB]", "30GB, 50GB", "30GB;50GB", "30GB,",
		"fp16", "FP8", "bfloat16", "float8_e4m3fn", "int8", "fp12", "AWQ", "half", "FP-16", "bf 16",
		"gqa", "GQA", "grouped query attention", "moe", "dense", "MoE", "mlp", "sparse moe",
		"prefill", "Decode", "mixed", "prefill and decode", "both", "training", "throughput", "Latency", "balanced", "gpus", "cost", "minimise latency", "beauty", "gpu",
		"vllm", "vLLM", "SGLang", "TensorRT-LLM", "llama.cpp", "megatron-lm", "triton",
		"yes", "No", "true", "on", "maybe", "allowed",
		"8-way", "TP=8", "8/4", "8+4", "[8, 4]", "8 stages", "off", "x8", "8x",
		"a100/l40s", "[a, b]", "rules.yaml, practice", "[", "[]", ",", "/", "a\nb", "Llama-3.1-8B",
	} {
		out = append(out, text)
	}
	for _, number := range []string{"0", "1", "2", "8", "-1", "0.5", "1.5", "64", "1e3", "16777216", "16777217", "1e20", "0.000001"} {
		out = append(out, json.Number(number))
	}
	return append(out, true, false, nil, []any{}, []any{"a"}, []any{json.Number("8"), json.Number("4")}, []any{json.Number("128"), json.Number("10240"), json.Number("3")},
		[]any{json.Number("8")}, []any{"30GB", "50GB"}, []any{"30GB", nil}, []any{[]any{"8"}}, []any{true}, []any{"node-0/0..7", "node-1/0"}, []any{json.Number("0"), json.Number("4")}, []any{"8", "x"},
		map[string]any{}, map[string]any{"a": "b"}, []any{map[string]any{}}, " ")
}
