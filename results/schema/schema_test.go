package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"partita/formulation"
	"partita/inputs/read"
	js "partita/inputs/schema"
	"partita/inputs/schema/schematest"
	"partita/results/export"
	"partita/results/verify"
)

// TestCommitted: docs/schema holds what the program prints.
func TestCommitted(t *testing.T) {
	for _, kind := range Kinds() {
		s, err := kind.Make()
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("../../docs/schema", kind.Name+".json")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is behind the program; go test ./results/schema -update (-want +got):\n%s", path, diff)
		}
	}
}

// compiled is a schema as another program's library understands it.
func compiled(t testing.TB, make func() (*js.Schema, error)) *jsonschema.Schema {
	t.Helper()
	s, err := make()
	if err != nil {
		t.Fatal(err)
	}
	return schematest.Compiled(t, s)
}

// value is JSON as the library takes it.
func value(t testing.TB, data []byte) any { return schematest.Value(t, data) }

// sample is the plan.json of a real solve: unlike stages, a requirement, five GPUs.
var sample = func() func(t testing.TB) []byte {
	solved := sync.OnceValues(func() ([]byte, error) {
		c, err := read.Load(read.Options{Paths: []string{"../../examples/gpus-5.yaml"}, Overrides: []read.Override{{Key: "goal.requirements.ttft", Value: "5s"}}})
		if err != nil {
			return nil, err
		}
		r, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
		if err != nil {
			return nil, err
		}
		if r.Plan.Verification, err = verify.Check(r.Plan, c); err != nil {
			return nil, err
		}
		_, data, err := export.PlanFile(r)
		return data, err
	})
	return func(t testing.TB) []byte {
		t.Helper()
		data, err := solved()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}()

// places are the paths of a JSON value: "phases/0/gpus".
func places(v any, path []string, visit func(path []string, v any)) {
	visit(path, v)
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sorted(v) {
			places(v[name], append(slices.Clone(path), name), visit)
		}
	case []any:
		for i := range v {
			places(v[i], append(slices.Clone(path), fmt.Sprint(i)), visit)
		}
	}
}

func sorted(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// at is the object or list that holds the last name of a path.
func at(v any, path []string) any {
	for _, name := range path {
		switch w := v.(type) {
		case map[string]any:
			v = w[name]
		case []any:
			i := 0
			fmt.Sscan(name, &i)
			v = w[i]
		}
	}
	return v
}

// TestMutations: a plan with an unknown field, one of another type, one left out or a
// word outside its set is refused by the schema and by ReadPlan alike, but for what
// ReadPlan leaves to the verification: what is missing, and figures out of bounds.
func TestMutations(t *testing.T) {
	schema := compiled(t, Plan)
	data := sample(t)
	if err := schema.Validate(value(t, data)); err != nil {
		t.Fatal(err)
	}
	var all [][]string
	places(value(t, data), nil, func(path []string, _ any) {
		if len(path) > 0 {
			all = append(all, path)
		}
	})
	open := func(path []string) bool { // names of these objects are not fields
		return slices.Contains(path, "quantisation_seconds") || slices.Contains(path, "flops")
	}
	rapid.Check(t, func(rt *rapid.T) {
		plan := value(t, data)
		path := rapid.SampledFrom(all).Draw(rt, "path")
		holder, last := at(plan, path[:len(path)-1]), path[len(path)-1]
		old := at(holder, []string{last})
		put := func(v any) {
			switch h := holder.(type) {
			case map[string]any:
				h[last] = v
			case []any:
				i := 0
				fmt.Sscan(last, &i)
				h[i] = v
			}
		}
		kind := rapid.SampledFrom([]string{"type", "unknown", "object"}).Draw(rt, "kind")
		switch kind {
		case "type":
			if slices.Contains([]string{"tp", "ep", "cp", "dp_attention", "etp"}, last) {
				put("8")
				break
			}
			switch old.(type) {
			case string:
				put(json.Number("1"))
			case bool:
				put("true")
			default:
				put("text")
			}
		case "unknown":
			m, ok := holder.(map[string]any)
			if !ok || open(path) {
				return
			}
			m["no_such_field"] = old
		case "object":
			if _, ok := old.(map[string]any); ok {
				put([]any{})
			} else {
				put(map[string]any{"x": json.Number("1")})
			}
		}
		changed, err := json.Marshal(plan)
		if err != nil {
			rt.Fatal(err)
		}
		if schema.Validate(value(t, changed)) == nil {
			rt.Errorf("the schema takes %s at %s", kind, strings.Join(path, "/"))
		}
		if _, err := export.ReadPlan(changed); err == nil {
			rt.Errorf("ReadPlan takes %s at %s", kind, strings.Join(path, "/"))
		}
	})
}

// TestRequired: what a plan always has cannot be left out, what it may lack can.
func TestRequired(t *testing.T) {
	schema := compiled(t, Plan)
	data := sample(t)
	may := map[string]bool{} // what may be absent, by type and field
	s, err := Plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append(s.Defs.All(), js.Property{Name: "Plan", Schema: s}) {
		for _, p := range d.Schema.Properties.All() {
			if !slices.Contains(d.Schema.Required, p.Name) {
				may[p.Name] = true
			}
		}
	}
	places(value(t, data), nil, func(path []string, _ any) {
		if len(path) == 0 {
			return
		}
		plan := value(t, data)
		m, ok := at(plan, path[:len(path)-1]).(map[string]any)
		if !ok {
			return
		}
		last := path[len(path)-1]
		delete(m, last)
		if err := schema.Validate(plan); err == nil && !may[last] && !slices.Contains(path, "quantisation_seconds") && !slices.Contains(path, "flops") {
			t.Errorf("%s can be left out", strings.Join(path, "/"))
		}
	})
	for _, name := range []string{"format_version", "deployment", "outcome", "verification", "phases"} {
		plan := value(t, data).(map[string]any)
		delete(plan, name)
		if schema.Validate(plan) == nil {
			t.Errorf("%s can be left out", name)
		}
	}
}

// TestFiguresOutOfBounds: what the program guarantees of figures and words.
func TestFiguresOutOfBounds(t *testing.T) {
	schema := compiled(t, Plan)
	data := sample(t)
	for path, wrong := range map[string]any{
		"format_version":                                        json.Number("1"),
		"phases/0/phase":                                        "both",
		"phases/0/strategy/replicas":                            json.Number("0"),
		"phases/0/strategy/tp":                                  []any{json.Number("4"), json.Number("0")},
		"phases/0/stages/0/time_ms":                             json.Number("-1"),
		"phases/0/stages/0/index":                               json.Number("0.5"),
		"phases/0/stages/0/gpus/0":                              json.Number("3"),
		"phases/0/metrics/ttft_ms_interval":                     []any{json.Number("1")},
		"phases/0/solve/status":                                 "perfect",
		"phases/0/solve/gap":                                    json.Number("1.5"),
		"phases/0/balance/floor":                                json.Number("2"),
		"outcome/status":                                        "best",
		"deployment/cluster/pools/0/utilization":                json.Number("0"),
		"deployment/cluster/network/kind":                       "string",
		"deployment/model/weights":                              "fp12",
		"deployment/goal/objective":                             "beauty",
		"deployment/model/kinds/0/attention/kind":               "mha",
		"deployment/cluster/pools/0/count/min":                  nil,
		"phases/0/solve/certificate/passes/0/choices/0/outcome": "lost",
	} {
		plan := value(t, data)
		names := strings.Split(path, "/")
		switch h := at(plan, names[:len(names)-1]).(type) {
		case map[string]any:
			if _, there := h[names[len(names)-1]]; !there {
				t.Fatalf("the sample has no %s", path)
			}
			h[names[len(names)-1]] = wrong
		case []any:
			h[0] = wrong
		}
		if schema.Validate(plan) == nil {
			t.Errorf("%s: %v is taken", path, wrong)
		}
	}
	plan := value(t, data)
	at(plan, []string{"phases", "0", "gpus"}).(map[string]any)["available"] = nil // unlimited
	if err := schema.Validate(plan); err != nil {
		t.Error(err)
	}
}

// TestExamplesMeetTheSchema: the plan, or the closest plan, of every example that is one
// file of a condition, and of the phases that serve alone.
func TestExamplesMeetTheSchema(t *testing.T) {
	if testing.Short() {
		t.Skip("solves every example")
	}
	schema := compiled(t, Plan)
	paths, err := filepath.Glob("../../examples/*.*")
	if err != nil {
		t.Fatal(err)
	}
	checked, closest := 0, 0
	for _, path := range paths {
		for _, phase := range []string{"", "prefill", "decode"} {
			var more []read.Override
			if phase != "" {
				if !strings.Contains(path, "gpus-") && !strings.Contains(path, "deepseek") {
					continue
				}
				more = []read.Override{{Key: "workload.phase", Value: phase}}
			}
			c, err := read.Load(read.Options{Paths: []string{path}, Overrides: more})
			if err != nil {
				continue // the config of a batch, or one part of several
			}
			r, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels", Explain: true})
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if r.Plan == nil {
				continue // nothing comes close enough to show
			}
			if r.Plan.Verification, err = verify.CheckWith(r.Plan, c, verify.Options{Closest: !r.Feasible}); err != nil {
				t.Fatal(err)
			}
			_, data, err := export.PlanFile(r)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if err := schema.Validate(value(t, data)); err != nil {
				t.Errorf("%s %s: %v", path, phase, err)
			}
			checked++
			if !r.Feasible {
				closest++
			}
		}
	}
	if checked < 20 || closest < 3 {
		t.Errorf("%d plans, %d of them closest: the examples are not all found", checked, closest)
	}
}

// TestManifest: absolute paths by name, and nothing else.
func TestManifest(t *testing.T) {
	schema := compiled(t, Manifest)
	m := export.Manifest{Plan: "/out/plan.json", Report: "/out/report.md", Launch: []string{"/out/launch/vllm.sh"}}
	data, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value(t, data)); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{`{}`, `{"report": 1}`, `{"report": "/r", "plans": "/p"}`, `[]`, `{"report": "/r", "launch": "/l"}`} {
		if schema.Validate(value(t, []byte(wrong))) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

// TestDescribed: every property says what it is, by itself or by its type.
func TestDescribed(t *testing.T) {
	for name, make := range map[string]func() (*js.Schema, error){"plan": Plan, "manifest": Manifest} {
		s, err := make()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range append(s.Defs.All(), js.Property{Name: name, Schema: s}) {
			if d.Schema.Description == "" {
				t.Errorf("%s has no description", d.Name)
			}
			for _, p := range d.Schema.Properties.All() {
				q := p.Schema
				if q.Items != nil {
					q = q.Items
				}
				if p.Schema.Description == "" && q.Ref == "" {
					t.Errorf("%s: %s has no description", d.Name, p.Name)
				}
			}
		}
	}
}
