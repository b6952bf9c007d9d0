package scatter

import (
	"cmp"
	"slices"
)

// openNet is a net of a splitter to be: its pins by position, and what it costs.
type openNet struct {
	source                 int // position of the source, −1: on a third device
	sinks                  []int
	cost                   [2]int64
	outerSource, outerSink bool
}

// ends are the first and the last position of the net's pins.
func (n *openNet) ends() (first, last int) {
	first, last = n.source, n.source
	if first < 0 {
		first, last = n.sinks[0], n.sinks[0]
	}
	for _, s := range n.sinks {
		first, last = min(first, s), max(last, s)
	}
	return first, last
}

// lay gives every net a slot for as long as it is open. Where more nets than slots are
// open, the cheapest are left out, which only lowers the sums; it reports how many.
func lay(vertices int, nets []openNet) (steps [][]splitPin, left int) {
	type span struct{ first, last, net int }
	spans := make([]span, len(nets))
	for i := range nets {
		first, last := nets[i].ends()
		spans[i] = span{first, last, i}
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.net, b.net))
	})
	slot := make([]int, len(nets))
	var held []span // by slot; net −1: free
	for _, s := range spans {
		free := -1
		for i := range held {
			// A slot is free again at the vertex after the last pin, not at it: the order
			// of the pins of one vertex is that of the nets.
			if held[i].net < 0 || held[i].last < s.first {
				free = i
				break
			}
		}
		switch {
		case free >= 0:
		case len(held) < maxSlots:
			free = len(held)
			held = append(held, span{net: -1})
		default:
			cheapest := 0
			for i := range held {
				if weight(&nets[held[i].net]) < weight(&nets[held[cheapest].net]) {
					cheapest = i
				}
			}
			left++
			if weight(&nets[s.net]) <= weight(&nets[held[cheapest].net]) {
				slot[s.net] = -1
				continue
			}
			slot[held[cheapest].net] = -1
			free = cheapest
		}
		held[free], slot[s.net] = s, free
	}
	steps = make([][]splitPin, vertices)
	for i := range nets {
		n := &nets[i]
		if slot[i] < 0 {
			continue
		}
		_, last := n.ends()
		pin := splitPin{slot: uint8(slot[i]), cost: n.cost, outerSource: n.outerSource, outerSink: n.outerSink}
		for _, v := range n.sinks {
			pin.last = v == last
			steps[v] = append(steps[v], pin)
		}
		if n.source >= 0 {
			pin.source, pin.last = true, n.source == last
			steps[n.source] = append(steps[n.source], pin)
		}
	}
	return steps, left
}

func weight(n *openNet) int64 { return n.cost[0] + n.cost[1] }

// pricing is a splitter that finds, for every load, what the dearest set of clusters is
// that one accelerator can hold at it: inside is the accelerator, and the second sum
// falls by the price of every cluster inside. The prices are set before each run.
func pricing(p *problem, order []int, limit int) (*splitter, int) {
	at := make([]int, len(p.clusters))
	s := &splitter{vertices: make([]splitVertex, len(order)), limit: limit, loose: true}
	for i, c := range order {
		at[c] = i
		s.vertices[i].in[1] = p.clusters[c].work
		s.vertices[i].forbidden[1] = !p.clusters[c].onAccel
	}
	nets := make([]openNet, len(p.nets))
	for i := range p.nets {
		n := &p.nets[i]
		nets[i] = openNet{source: at[n.source], cost: [2]int64{n.cost, 0}}
		for _, v := range n.sinks {
			nets[i].sinks = append(nets[i].sinks, at[v])
		}
	}
	var left int
	s.steps, left = lay(len(order), nets)
	if !s.explore() {
		return nil, left
	}
	return s, left
}

// between is a splitter of the clusters of two devices: inside is the first, outside
// the second, and the two sums are their loads. members are the clusters in order. nil: they are too
// wide.
func between(st *state, a, b int32, members []int, limit int) *splitter {
	p := st.p
	s := &splitter{vertices: make([]splitVertex, len(members)), limit: limit}
	at := make(map[int32]int, len(members))
	touched := map[int32]bool{}
	var list []int32
	for i, c := range members {
		at[int32(c)] = i
		s.vertices[i] = splitVertex{
			in:        [2]int64{0, p.time(c, int(a))},
			out:       [2]int64{p.time(c, int(b)), 0},
			forbidden: [2]bool{!p.allowed(c, int(b)), !p.allowed(c, int(a))},
		}
		for _, nets := range [2][]int32{p.asSource[c], p.asSink[c]} {
			for _, n := range nets {
				if !touched[n] {
					touched[n] = true
					list = append(list, n)
				}
			}
		}
	}
	nets := make([]openNet, 0, len(list))
	for _, i := range list {
		n := &p.nets[i]
		open := openNet{source: -1}
		if !p.isCore(int(a)) {
			open.cost[0] = n.cost
		}
		if !p.isCore(int(b)) {
			open.cost[1] = n.cost
		}
		if v, in := at[n.source]; in {
			open.source = v
		} else {
			open.outerSource = true
		}
		for _, c := range n.sinks {
			if v, in := at[c]; in {
				open.sinks = append(open.sinks, v)
			} else {
				open.outerSink = true
			}
		}
		nets = append(nets, open)
	}
	if s.steps, _ = lay(len(members), nets); !s.explore() {
		return nil
	}
	return s
}
