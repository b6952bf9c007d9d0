package dagcheck

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever a file holds, it is checked to the end, twice alike, and the counts add up.
func FuzzCheck(f *testing.F) {
	f.Add(foreign)
	f.Add(valid("decode").String())
	f.Add("digraph decode { a [op=all_gather label=\"x\\nGPU: 1\\nInput: [a=1]; [a=2]\\nOutput: [a=3]\"] a -> a subgraph cluster_gpu_1 { a } }")
	f.Add("digraph { subgraph cluster_gpu_x { gpu=x gpus=\"x y\" a [op=kv_read layer=3 layers=\"3-9/2\"] } b [op=gate label=\"g\\nGPU: x\\nOutput: [experts=70000]\"] b -> a [style=\"bold, dashed\"] }")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := Check(strings.NewReader(text), "f", Options{Plan: planned()})
		if err != nil {
			return
		}
		again, err := Check(strings.NewReader(text), "f", Options{Plan: planned()})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(first)
		b, _ := json.Marshal(again)
		if string(a) != string(b) {
			t.Errorf("two reports of one text:\n%s\n%s", a, b)
		}
		broken := 0
		for _, g := range first.Graphs {
			for _, rule := range g.Rules {
				broken += rule.Broken
				if rule.Checked == 0 && rule.OK && rule.Unchecked == "" {
					t.Errorf("%s passes in silence", rule.Rule)
				}
			}
		}
		if broken != first.Broken || first.OK != (broken == 0) || len(first.Findings)+first.More != broken {
			t.Errorf("%d broken by rule, %d in all, %d listed and %d more", broken, first.Broken, len(first.Findings), first.More)
		}
		_ = first.Text()
	})
}
