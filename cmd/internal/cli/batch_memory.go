package cli

import (
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
)

// batchHeap is the heap that a batch may use before it collects garbage: a fifth of the
// time of a search with a small heap goes into collecting it. Where more is alive the
// collector works as it always does.
const batchHeap = 256 << 20

// paceEvery is how many scenarios lie between two looks at the heap.
const paceEvery = 16

// collectorPace sets how far the heap grows between two collections while a batch runs.
// Whoever states GOGC decides himself.
type collectorPace struct {
	stated bool
	before int
	count  int
	live   []metrics.Sample
}

func newCollectorPace(environ []string) *collectorPace {
	p := &collectorPace{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.stated = slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, "GOGC=") })
	if !p.stated {
		p.before = debug.SetGCPercent(100)
		p.adjust()
	}
	return p
}

// scenario is told of every scenario that ends.
func (p *collectorPace) scenario() {
	if p.count++; !p.stated && p.count%paceEvery == 0 {
		p.adjust()
	}
}

func (p *collectorPace) adjust() {
	metrics.Read(p.live)
	debug.SetGCPercent(percentOf(p.live[0].Value.Uint64()))
}

// percentOf is the growth in percent that fills batchHeap, from the usual 100 to 800.
func percentOf(live uint64) int {
	if live >= batchHeap/2 {
		return 100
	}
	return min(800, int(100*(batchHeap-live)/max(1, live)))
}

func (p *collectorPace) restore() {
	if !p.stated {
		debug.SetGCPercent(p.before)
	}
}
