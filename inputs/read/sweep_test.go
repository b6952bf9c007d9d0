package read

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func texts(s *Sweep) string {
	var out []string
	for _, v := range s.Values {
		out = append(out, v.Text)
	}
	return strings.Join(out, " ")
}

func TestParseSweep(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"cluster.network=25GB/s..400GB/s@5", "25GB/s 50GB/s 100GB/s 200GB/s 400GB/s"},
		{"cluster.network=25..400GB/s@5", "25GB/s 50GB/s 100GB/s 200GB/s 400GB/s"},
		{"cluster.network=100GB/s..200GB/s@5", "100GB/s 125GB/s 150GB/s 175GB/s 200GB/s"},
		{"cluster.network=100GB/s..400GB/s@4:linear", "100GB/s 200GB/s 300GB/s 400GB/s"},
		{"cluster.network=500MB/s..2GB/s@3", "0.5GB/s 1GB/s 2GB/s"},
		{"cluster.network=100Gb/s per node..400Gb/s per node@3", "100Gb/s per node 200Gb/s per node 400Gb/s per node"},
		{"workload.batch=16..512", "16 32 64 128 256 512"},
		{"workload.batch=1..9", "1 2 3 4 5 7 9"},
		{"workload.batch=1..4@9:linear", "1 2 3 4"},
		{"workload.input=4k..16k@3:log", "4096 8192 16384"},
		{"cluster.pools[0].count=4..16@4:linear", "4 8 12 16"},
		{"cluster.pools.a.b.count=4..16@3", "4 8 16"},
		{"goal.balance=0.1..0.3@3", "0.1 0.2 0.3"},
		{"goal.balance=10%..30%@3", "10% 20% 30%"},
		{"goal.weights.latency=0..1@3", "0 0.5 1"},
		{"goal.requirements.ttft=1s..5s@3:linear", "1s 3s 5s"},
		{"goal.requirements.ttft=500ms..8s@3", "0.5s 2s 8s"},
		{"model.precision=fp16, fp8,int4", "fp16 fp8 int4"},
		{"workload.input=[1, 2],[3, 4]", "[1, 2] [3, 4]"},
		{"model=Llama-3.1-8B,Llama-3.1-70B", "Llama-3.1-8B Llama-3.1-70B"},
		{"cluster.usd_per_hour=$1/h..$2/h@3", "1/h 1.5/h 2/h"},
	} {
		s, err := ParseSweep(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if got := texts(s); got != row.want {
			t.Errorf("%s: %s, want %s", row.text, got, row.want)
		}
		k, _ := sweepKey(s.Path)
		for _, v := range s.Values {
			if _, err := k.parse(v.Text); err != nil {
				t.Errorf("%s: %q does not read as it is written: %v", row.text, v.Text, err)
			}
		}
		if names := s.Path == "model.precision" || s.Path == "model" || strings.Contains(row.text, "["); s.Quantity() == names && !strings.Contains(s.Path, "pools") {
			t.Errorf("%s: a quantity: %t", row.text, s.Quantity())
		}
	}
}

func TestParseSweepProblems(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"workload.batch", "want PATH=LOW..HIGH"},
		{"=1..2", "want PATH=LOW..HIGH"},
		{"workload.batch=", "want PATH=LOW..HIGH"},
		{"workload.bach=1..2", `did you mean "workload.batch"?`},
		{"batch=1..2", `did you mean "workload.batch"?`},
		{"cluster.pools[0].network=1GB/s..2GB/s", "unknown field"},
		{"workload.batch=16", "is one value"},
		{"workload.batch=16,16", "listed twice"},
		{"workload.batch=16,,32", "an empty value"},
		{"workload.batch=16,many", `"many" is not understood`},
		{"workload.batch=512..16", "does not go upwards"},
		{"workload.batch=16..512@1", "want 2 to 1000"},
		{"workload.batch=16..512@1001", "want 2 to 1000"},
		{"workload.batch=1.5..3", "is not understood"},
		{"model.precision=fp8..fp16", "list names as A,B,C"},
		{"model.precision=1..2", "is not understood"},
		{"goal.weights.latency=0..1@3:log", "cannot start at 0"},
		{"cluster.network=25GB/s..400GB", "is not understood"},
	} {
		if _, err := ParseSweep(row.text); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.text, err, row.want)
		}
	}
}

// Values rise from end to end, read as they are written, and halving ends within the
// resolution whatever the range.
func TestSweepProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SampledFrom([]string{"workload.batch", "cluster.network", "cluster.memory", "goal.requirements.ttft"}).Draw(t, "path")
		unit := map[string]string{"workload.batch": "", "cluster.network": "GB/s", "cluster.memory": "GB", "goal.requirements.ttft": "s"}[path]
		low := rapid.IntRange(1, 5000).Draw(t, "low")
		high := low + rapid.IntRange(1, 5000).Draw(t, "more")
		text := path + "=" + strconv.Itoa(low) + unit + ".." + strconv.Itoa(high) + unit + rapid.SampledFrom([]string{"", "@2", "@7", "@40:log", "@30:linear"}).Draw(t, "steps")
		s, err := ParseSweep(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		n := len(s.Values)
		if n < 2 || s.Values[0].Number != float64(low) || s.Values[n-1].Number != float64(high) {
			t.Fatalf("%s: %v", text, s.Values)
		}
		k, _ := sweepKey(path)
		for i, v := range s.Values {
			if _, err := k.parse(v.Text); err != nil || i > 0 && v.Number <= s.Values[i-1].Number {
				t.Fatalf("%s: %v (%v)", text, s.Values, err)
			}
		}
		a, b := s.Values[0], s.Values[n-1]
		resolution := rapid.SampledFrom([]float64{0.2, 0.01, 0.001}).Draw(t, "resolution")
		for range 60 {
			mid, ok := s.Between(a, b, resolution)
			if !ok {
				if b.Number-a.Number > max(resolution*b.Number, 1) && b.Number-a.Number > 1e-3*b.Number {
					t.Fatalf("%s: nothing between %v and %v", text, a, b)
				}
				return
			}
			if mid.Number <= a.Number || mid.Number >= b.Number {
				t.Fatalf("%s: %v between %v and %v", text, mid, a, b)
			}
			if rapid.Bool().Draw(t, "side") {
				a = mid
			} else {
				b = mid
			}
		}
		t.Fatalf("%s: no end between %v and %v", text, a, b)
	})
}
