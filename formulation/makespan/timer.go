package makespan

import "partita/inputs/opgraph"

// timer computes makespans of assignments over and over, without allocating.
type timer struct {
	g          *opgraph.Graph
	succ       [][]int
	length     []float64 // by step: the accelerators, then every node on its own
	start      []float64
	waits      []int32
	sent       []int32 // by accelerator: the last source counted
	ready      []int32
	blockNodes [][]int32
}

func newTimer(g *opgraph.Graph) *timer {
	steps := g.Accelerators + len(g.Nodes)
	return &timer{g: g, succ: g.Successors(), length: make([]float64, steps), start: make([]float64, steps), waits: make([]int32, steps),
		sent: make([]int32, g.Accelerators), blockNodes: make([][]int32, g.Accelerators)}
}

// makespan of an assignment that keeps to memory and classes; false where blocks wait
// for each other.
func (t *timer) makespan(device []int) (float64, bool) {
	k := t.g.Accelerators
	clear(t.start)
	clear(t.waits)
	for d := range k {
		t.length[d], t.sent[d], t.blockNodes[d] = 0, -1, t.blockNodes[d][:0]
	}
	for u := range t.g.Nodes {
		d := min(device[u], k)
		if d < k {
			t.blockNodes[d] = append(t.blockNodes[d], int32(u))
			t.length[d] += t.g.Nodes[u].AcceleratorTime
		} else {
			t.length[k+u] = t.g.Nodes[u].CPUTime
		}
		sends := false
		for _, w := range t.succ[u] {
			to := min(device[w], k)
			if d == to && to < k {
				continue
			}
			sends = true
			if to == k {
				t.waits[k+w]++
				continue
			}
			t.waits[to]++
			if t.sent[to] != int32(u) {
				t.sent[to] = int32(u)
				t.length[to] += t.g.Nodes[u].Send
			}
		}
		if sends && d < k {
			t.length[d] += t.g.Nodes[u].Send
		}
	}
	t.ready = t.ready[:0]
	steps := 0
	for d := range k {
		if len(t.blockNodes[d]) > 0 {
			if steps++; t.waits[d] == 0 {
				t.ready = append(t.ready, int32(d))
			}
		}
	}
	for v := range t.g.Nodes {
		if device[v] >= k {
			if steps++; t.waits[k+v] == 0 {
				t.ready = append(t.ready, int32(k+v))
			}
		}
	}
	makespan := 0.0
	for ; len(t.ready) > 0; steps-- {
		s := int(t.ready[len(t.ready)-1])
		t.ready = t.ready[:len(t.ready)-1]
		finish := t.start[s] + t.length[s]
		makespan = max(makespan, finish)
		if s >= k {
			t.release(s-k, k, device, finish)
			continue
		}
		for _, u := range t.blockNodes[s] {
			t.release(int(u), s, device, finish)
		}
	}
	return makespan, steps == 0
}

// release tells the successors of a node of a step that it is done.
func (t *timer) release(u, own int, device []int, finish float64) {
	k := t.g.Accelerators
	for _, w := range t.succ[u] {
		to := min(device[w], k)
		if to == k {
			to = k + w
		} else if to == own {
			continue
		}
		t.start[to] = max(t.start[to], finish)
		if t.waits[to]--; t.waits[to] == 0 {
			t.ready = append(t.ready, int32(to))
		}
	}
}
