package dag

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFoldLayers(t *testing.T) {
	for _, tc := range []struct {
		kinds string // a letter a layer
		want  string
	}{
		{"a", "0"},
		{"aaaa", "0-3"},
		{"aaabbbbb", "0-2 3-7"},
		{"abababab", "0-6/2 1-7/2"},
		{"aaaaabaaaaabaaaaab", "0-12/6 1-13/6 2-14/6 3-15/6 4-16/6 5-17/6"},
		{"abc", "0 1 2"},
		{"aabab", "0-1 2 3 4"},
	} {
		var kinds []int
		for _, k := range tc.kinds {
			kinds = append(kinds, int(k))
		}
		var got []string
		for _, r := range foldLayers(kinds, 0) {
			switch {
			case r.first == r.last:
				got = append(got, fmt.Sprint(r.first))
			case r.step == 1:
				got = append(got, fmt.Sprintf("%d-%d", r.first, r.last))
			default:
				got = append(got, fmt.Sprintf("%d-%d/%d", r.first, r.last, r.step))
			}
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %q, want %q", tc.kinds, got, tc.want)
		}
	}
}

// Every layer is in one run, of its own kind.
func TestFoldLayersCoversAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 40).Draw(t, "kinds")
		first := rapid.IntRange(0, 5).Draw(t, "first")
		var got []int
		for _, r := range foldLayers(kinds, first) {
			n := 0
			for l := r.first; l <= r.last; l += r.step {
				got = append(got, l)
				n++
				if kinds[l-first] != r.kind {
					t.Fatalf("layer %d of kind %d is in a run of kind %d", l, kinds[l-first], r.kind)
				}
			}
			if n != r.times() {
				t.Fatalf("%d layers, times is %d", n, r.times())
			}
		}
		slices.Sort(got)
		for i, l := range got {
			if l != first+i {
				t.Fatalf("layers %v", got)
			}
		}
		if len(got) != len(kinds) {
			t.Fatalf("%d layers of %d", len(got), len(kinds))
		}
	})
}
