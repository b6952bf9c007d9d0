package published

import (
	"path/filepath"
	"testing"

	"partita/inputs/instance"
)

// TestPublishedContiguous: every published graph is placed in a chain of ideals, proved,
// and the evaluator agrees; what it is worth is pinned where the search is.
func TestPublishedContiguous(t *testing.T) {
	paths, err := filepath.Glob(shared + "/dnn-partitioning/throughput/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("the published graphs are not there")
	}
	for _, path := range paths {
		list, err := instance.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if a := one(t, list[0], options(Auto)); a.Status != "optimal" || a.Goal != Contiguous {
			t.Errorf("%s: %+v", path, a)
		}
	}
}
