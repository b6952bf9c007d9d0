package ideals

import (
	"os"
	"path/filepath"
	"testing"

	"partita/inputs/opgraph"
)

const throughputFiles = "../../../shared/instances/dnn-partitioning/throughput"

func readThroughput(t testing.TB, name string) *opgraph.Graph {
	t.Helper()
	file := filepath.Join(throughputFiles, name+".json")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skip("published instances are not here: ", err)
	}
	g, err := opgraph.Parse(file, name, data)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// countIdeals counts the downward closed sets of super-nodes, one by one.
func countIdeals(c *contraction) int {
	type set [16]uint64
	seen := map[set]bool{{}: true}
	for todo := []set{{}}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for v, preds := range c.preds {
			if s[v/64]>>(v%64)&1 == 1 {
				continue
			}
			ready := true
			for _, u := range preds {
				ready = ready && s[u/64]>>(u%64)&1 == 1
			}
			if t := s; ready {
				t[v/64] |= 1 << (v % 64)
				if !seen[t] {
					seen[t] = true
					todo = append(todo, t)
				}
			}
		}
	}
	return len(seen)
}

func TestContractionHasThePublishedNumberOfIdeals(t *testing.T) {
	for name, want := range map[string]int{
		"layer-bert24_inference": 30, "layer-bert24_training": 30, "layer-gnmt_inference": 17914,
		"layer-inceptionv3_inference": 36596, "layer-resnet50_inference": 242, "layer-resnet50_training": 242,
		"operator-bert_l-12_inference": 2906, "operator-bert_l-3_inference": 1428, "operator-bert_l-3_training": 2774,
		"operator-bert_l-6_inference": 1923, "operator-resnet50_inference": 241,
	} {
		c := contract(FromGraph(readThroughput(t, name)))
		if got := countIdeals(c); got != want {
			t.Errorf("%s: %d super-nodes, %d ideals, want %d", name, len(c.members), got, want)
		}
	}
}
