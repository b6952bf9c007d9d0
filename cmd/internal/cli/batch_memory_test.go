package cli

import (
	"runtime/debug"
	"testing"
)

func TestHeapOfABatch(t *testing.T) {
	for live, want := range map[uint64]int{0: 800, 1 << 20: 800, 64 << 20: 300, 100 << 20: 156, 128 << 20: 100, 1 << 40: 100} {
		if got := percentOf(live); got != want {
			t.Errorf("%d bytes alive: %d %%, want %d", live, got, want)
		}
		if heap := live + live*uint64(percentOf(live))/100; heap > max(batchHeap, 2*live) {
			t.Errorf("%d bytes alive: a heap of %d", live, heap)
		}
	}
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	p := newCollectorPace([]string{"HOME=/"})
	for range 2 * paceEvery {
		p.scenario()
	}
	p.restore()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("%d %% afterwards", got)
	}
	newCollectorPace([]string{"GOGC=50"}).restore()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("%d %% where it is stated", got)
	}
}
