package instance

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partita/inputs"
)

// shared is where the published files lie, beside the repository.
const shared = "../../../shared/instances"

// load reads a published file; where it is not there the test is skipped.
func load(t testing.TB, name string) []*Instance {
	t.Helper()
	path := filepath.Join(shared, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there", path)
	}
	list, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPublishedChains(t *testing.T) {
	list := load(t, "helix.json")
	if len(list) != 7 {
		t.Fatalf("%d instances", len(list))
	}
	i := list[1]
	c := i.Chain
	if i.Name != "helix/het42_70" || c == nil || c.Layers != 80 || len(c.Machines) != 7 || c.SeriesOptimum != 5441.1437958088545 || c.GeneralUpper != 6053 {
		t.Fatalf("%+v", i)
	}
	if m := c.Machines[3]; m.Type != "L4x2" || m.Count != 4 || len(m.Throughput) != 14 {
		t.Errorf("%+v", m)
	}
	if c.Recorded == nil || c.Recorded.Value != 4892.242 || !strings.Contains(c.Recorded.Note, "gap 5523 %") {
		t.Errorf("recorded: %+v", c.Recorded)
	}
	if last := list[6].Chain; last.Recorded != nil || last.GeneralLower != 0 {
		t.Errorf("a value of null counts as recorded: %+v, %v", last.Recorded, last.GeneralLower)
	}
}

func TestPublishedRentals(t *testing.T) {
	list := load(t, "tandemn.json")
	rows := 0
	for _, i := range list {
		rows += len(i.Rental.Recorded)
		if i.Rental.Best == nil || i.Rental.MaxStages != 8 {
			t.Errorf("%s: %+v", i.Name, i.Rental)
		}
	}
	if len(list) != 24 || rows != 190 {
		t.Errorf("%d instances with %d rows, want 24 with 190", len(list), rows)
	}
	r := list[4].Rental
	if first := r.Recorded[0]; first != (RentalRecord{14.76, 542.933, 542.919936, 50.345054}) {
		t.Errorf("%+v", first)
	}
	if s := r.Segments[0]; s.Type != "p4de.24xlarge" || s.TP != 1 || s.Layers != 32 {
		t.Errorf("%+v", s)
	}
}

func TestPublishedGraphsAreToldByTheirContent(t *testing.T) {
	list := load(t, "dnn-partitioning/throughput/layer-bert24_inference.json")
	if len(list) != 1 || list[0].Name != "layer-bert24_inference" || list[0].Graph == nil || list[0].Graph.Accelerators != 6 {
		t.Fatalf("%+v", list[0])
	}
}

func TestExamplesOfInstances(t *testing.T) {
	for name, want := range map[string]int{"chain.json": 2, "rental.json": 1, "graph.json": 1} {
		list, err := Load("../../examples/instances/" + name)
		if err != nil || len(list) != want {
			t.Errorf("%s: %d instances, %v", name, len(list), err)
		}
	}
}

// TestProblems: every problem of a file is named at its place, all at once.
func TestProblems(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string // beginnings of the lines
	}{
		{"no JSON", "{\"instances\": [\n  {,}]}", []string{"f:2:4: not JSON: "}},
		{"cut off", `{"instances": [`, []string{"f:1:16: not JSON: the text ends within a value"}},
		{"nothing", ``, []string{"f:1:1: not JSON: the text ends within a value"}},
		{"two values", "{}\n{}", []string{"f:2:1: not JSON: something follows"}},
		{"a list", `[1]`, []string{"f:1:1: a file of instances begins with a list, want an object"}},
		{"neither", `{"nodes": []}`, []string{`f:1:1: no instances`}},
		{"no kind", `{"instances": [{"name": "a"}]}`, []string{"f:1:16: an instance with neither"}},
		{"twice", `{"instances": [{"name": "a", "name": "b", "machines": 1}]}`, []string{`f:1:30: "name" stands twice`}},
		{"empty", `{"instances": []}`, []string{"f:1:15: instances is empty, want at least one"}},
		{"a chain", `{"instances": [{"name": "a", "layer": 3, "machines": [
 {"type": "x", "count": -1, "throughput_by_layers": [1, 0, "2"]},
 {"type": "x", "count": 1.5, "throughput_by_layers": []}, 7]}, {"name": "a", "layers": 1, "machines": null}]}`, []string{
			"f:1:16: layers is missing, want a whole number from 1 to 1024",
			`f:1:39: "layer" is no field of a chain, want name, about, layers, machines, recorded, series_optimum, general_optimum; did you mean layers?`,
			"f:2:25: count is the number -1, want a whole number from 0",
			"f:2:57: the throughput with 2 layers is the number 0, want tokens/s above 0",
			`f:2:60: the throughput with 3 layers is the text "2"`,
			`f:3:11: the type "x" stands twice`,
			"f:3:25: count is the number 1.5",
			"f:3:54: throughput_by_layers is empty",
			"f:3:59: a type of machine that is the number 7",
			`f:3:73: two instances have the name "a"`,
			"f:3:103: machines is null, want a list of types of machines",
		}},
		{"a rental", `{"instances": [{"name": "r", "layers": 8, "max_stages": 2, "batch": 8, "micro_batch": 1, "real_world_efficiency": 1.5,
"instance_types": [{"name": "big", "count": 1, "gpus": 4, "usd_per_hour": 0}],
"segments": [{"instance_type": "bog", "tp": 3, "layers": 8, "tokens_per_s": 1},
{"instance_type": "big", "tp": 3, "layers": 8, "tokens_per_s": 1e99},
{"instance_type": "big", "tp": 8, "layers": 8, "tokens_per_s": 1},
{"instance_type": "big", "tp": 8, "layers": 8, "tokens_per_s": 2}]}]}`, []string{
			"f:1:115: real_world_efficiency is the number 1.5, want a share above 0 and at most 1",
			"f:2:75: usd_per_hour is the number 0",
			`f:3:32: "bog" is no type of instance, want a name of instance_types; did you mean big?`,
			"f:4:32: tp is 3, want a power of two",
			"f:4:64: tokens_per_s is the number 1e99",
			"f:5:32: tp is 8 on an instance of 4 GPUs",
			"f:6:1: big with tp 8 and 8 layers stands twice",
			"f:6:32: tp is 8 on an instance of 4 GPUs",
		}},
		{"deep", `{"instances": ` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`, []string{"f:1:78: not JSON: values lie over 64 deep"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			list, err := Parse("f", []byte(row.text))
			var problems inputs.Diagnostics
			if list != nil || !errors.As(err, &problems) {
				t.Fatalf("%v, %v", list, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if !slices.EqualFunc(lines, row.want, strings.HasPrefix) {
				t.Errorf("got\n%s\nwant\n%s", err, strings.Join(row.want, "\n"))
			}
		})
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere.json")} {
		_, err := Load(path)
		var problems inputs.Diagnostics
		if !errors.As(err, &problems) || problems[0].Place.File != path || strings.Contains(problems[0].Problem, path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// FuzzParse: whatever the text, there are instances or problems, and no other end.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"chain.json", "rental.json", "graph.json"} {
		data, err := os.ReadFile("../../examples/instances/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Parse("f", data)
		var problems inputs.Diagnostics
		switch {
		case err == nil && len(list) == 0:
			t.Error("neither instances nor problems")
		case err != nil && !errors.As(err, &problems):
			t.Errorf("no diagnostics: %v", err)
		}
	})
}
