package catalog

import (
	"fmt"
	"sort"
	"strings"
)

// spelling is one way to write the name of an entry.
type spelling struct {
	written   string
	canonical string
}

// index finds an entry by any way of writing one of its names.
type index struct {
	exact, bare map[string]int
	// unordered is nil where the order of a name's words tells entries apart:
	// Llama-3.3-70B and Llama-3-70B hold the same words.
	unordered map[string]int
	spellings []spelling
}

func newIndex(anyOrder bool) index {
	x := index{exact: map[string]int{}, bare: map[string]int{}}
	if anyOrder {
		x.unordered = map[string]int{}
	}
	return x
}

// add enters the names of entry i; a name that already means another entry is an error.
func (x *index) add(i int, canonical string, aliases ...string) error {
	for _, name := range append([]string{canonical}, aliases...) {
		if err := x.addName(i, canonical, name); err != nil {
			return err
		}
	}
	return nil
}

func (x *index) addName(i int, canonical, name string) error {
	x.spellings = append(x.spellings, spelling{name, canonical})
	if err := enter(x.exact, squeeze(name), i, name); err != nil {
		return err
	}
	if err := enter(x.bare, core(name), i, name); err != nil {
		return err
	}
	if x.unordered == nil {
		return nil
	}
	return enter(x.unordered, wordSet(name), i, name)
}

// claim enters those names of entry i that mean no other entry yet.
func (x *index) claim(i int, canonical string, aliases ...string) {
	free := func(in map[string]int, key string) bool {
		other, taken := in[key]
		return in == nil || key != "" && (!taken || other == i)
	}
	for _, name := range append([]string{canonical}, aliases...) {
		if free(x.exact, squeeze(name)) && free(x.bare, core(name)) && free(x.unordered, wordSet(name)) {
			_ = x.addName(i, canonical, name) // nothing is taken
		}
	}
}

func enter(in map[string]int, key string, i int, name string) error {
	if key == "" {
		return fmt.Errorf("catalogue: the name %q has no letter or digit", name)
	}
	if other, taken := in[key]; taken && other != i {
		return fmt.Errorf("catalogue: the name %q means two entries", name)
	}
	in[key] = i
	return nil
}

// find looks a name up, the strictest reading first.
func (x *index) find(name string) (int, bool) {
	if i, ok := x.exact[squeeze(name)]; ok {
		return i, true
	}
	if i, ok := x.bare[core(name)]; ok {
		return i, true
	}
	if set := wordSet(name); x.unordered != nil && set != "" {
		i, ok := x.unordered[set]
		return i, ok
	}
	return 0, false
}

// longestName bounds the text that is compared with every known name; no name of
// the catalogue is near it.
const longestName = 96

// nearest returns up to three entries with a spelling close to the wanted name by
// edit distance of their cores, best first. A spelling that contains the wanted
// name, or is contained in it, counts as close.
func nearest(want string, among []spelling) []string {
	w := core(want)
	if w == "" || len(w) > longestName {
		return nil
	}
	best := map[string]int{}
	for _, s := range among {
		n := core(s.written)
		far := editDistance(w, n)
		if len(w) >= 3 && len(n) >= 2 && (strings.Contains(n, w) || strings.Contains(w, n)) {
			far = min(far, 1)
		}
		if before, seen := best[s.canonical]; far <= max(1, len(w)/3) && (!seen || far < before) {
			best[s.canonical] = far
		}
	}
	out := make([]string, 0, len(best))
	for name := range best {
		out = append(out, name)
	}
	sort.Slice(out, func(i, j int) bool {
		if best[out[i]] != best[out[j]] {
			return best[out[i]] < best[out[j]]
		}
		return out[i] < out[j]
	})
	return out[:min(3, len(out))]
}

// editDistance counts the insertions, deletions and replacements of bytes
// between two names (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
