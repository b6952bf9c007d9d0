package dag

import (
	"fmt"
	"slices"
)

// run is a set of layers that are drawn as one: a single layer in a full graph.
type run struct {
	first, last, step int // layers first, first+step, … last
	kind              int
	title             string // "layer 12: "
	attributes        string // of the nodes: ",layer=12"
}

// times is the number of layers that a run stands for.
func (r *run) times() int { return (r.last-r.first)/r.step + 1 }

func newRun(first, last, step, kind int) run {
	r := run{first: first, last: last, step: step, kind: kind}
	switch {
	case first == last:
		r.title, r.attributes = fmt.Sprintf("layer %d: ", first), fmt.Sprintf(",layer=%d", first)
	case step == 1:
		r.title = fmt.Sprintf("layers %d to %d (×%d): ", first, last, r.times())
		r.attributes = fmt.Sprintf(`,layer=%d,layers="%d-%d",times=%d`, first, first, last, r.times())
	default:
		r.title = fmt.Sprintf("layers %d to %d, every %s (×%d): ", first, last, ordinal(step), r.times())
		r.attributes = fmt.Sprintf(`,layer=%d,layers="%d-%d/%d",times=%d`, first, first, last, step, r.times())
	}
	return r
}

func ordinal(n int) string {
	switch n {
	case 2:
		return "second"
	case 3:
		return "third"
	}
	return fmt.Sprintf("%dth", n)
}

// longestPattern bounds the number of layers in a pattern that repeats, such as one layer
// of full attention after five with a window.
const longestPattern = 12

// foldLayers draws layers first to last, whose kinds are given, in as few runs as a
// greedy reading finds: from each layer on, the pattern whose repetitions cover most.
func foldLayers(kinds []int, first int) []run {
	var out []run
	for i := 0; i < len(kinds); {
		period, times := 1, 1
		for p := 1; p <= min(longestPattern, (len(kinds)-i)/2); p++ {
			n := 1
			for end := i + (n+1)*p; end <= len(kinds) && slices.Equal(kinds[i:i+p], kinds[end-p:end]); end += p {
				n++
			}
			if n > 1 && n*p > period*times {
				period, times = p, n
			}
		}
		for j := range period {
			l := first + i + j
			out = append(out, newRun(l, l+(times-1)*period, max(1, period), kinds[i+j]))
		}
		i += period * times
	}
	return out
}

// foldOne makes every layer a run of its own.
func foldOne(l, kind int) run { return newRun(l, l, 1, kind) }
