package lanes

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"partita/solver"
)

func helix(t testing.TB) map[string]*Problem {
	var f struct {
		Instances []struct {
			Name     string
			Layers   int
			Machines []struct {
				Type       string
				Count      int
				Throughput []float64 `json:"throughput_by_layers"`
			}
		}
	}
	b, err := os.ReadFile("../../../shared/instances/helix.json")
	if err != nil {
		t.Skip(err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	out := map[string]*Problem{}
	for _, i := range f.Instances {
		p := &Problem{Layers: i.Layers}
		for _, m := range i.Machines {
			p.Types = append(p.Types, Type{Name: m.Type, Count: m.Count, Throughput: m.Throughput})
		}
		out[i.Name] = p
	}
	return out
}

// TestHelix: all of the published instances are proved. The values of the first four are
// those that the file gives as known; the last is reached here, with the file's own bound.
func TestHelix(t *testing.T) {
	want := map[string]float64{
		"helix/het42_70":    6050.770298810341,
		"helix/single24_70": 2045.6410473362616,
		"helix/c10_30":      286.5874097546421,
		"helix/a100_30":     1044.5333450564908,
		"helix/l4_30":       252.6498460282083,
		"helix/t4_30":       397.68506408357825,
		"helix/single24_30": 1517.7373827672375,
	}
	for name, p := range helix(t) {
		r, err := Solve(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != solver.Optimal || math.Abs(r.Value-want[name]) > 1e-9*r.Value || r.Bound != r.Value {
			t.Errorf("%s: %v, %v with bound %v: want %v proved", name, r.Status, r.Value, r.Bound, want[name])
		}
	}
}

// BenchmarkHelix reports what the search reached and its bound, in tokens/s.
func BenchmarkHelix(b *testing.B) {
	all := helix(b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var r Result
			for b.Loop() {
				var err error
				if r, err = Solve(b.Context(), all[name]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(r.Value, "value")
			b.ReportMetric(r.Bound, "bound")
		})
	}
}
