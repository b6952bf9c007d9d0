package ideals

import (
	"context"
	"slices"
)

// decision is the answer to whether a chain of ideals exists whose loads are all
// within a limit.
type decision int

const (
	no decision = iota
	yes
	cancelled
	tooLong  // for the steps it may take
	tooLarge // for the memory it may take
)

// label is a way to reach an ideal with a number of devices used.
type label struct {
	ideal, parent int32 // parent: the label before; none for the empty ideal
	state         int32
	next          int32 // the ideal's label before this one in the table's list
	class         int32
}

// search looks for a chain of ideals within a limit. Ideals are expanded by their
// number of super-nodes, so that all labels of one are known when its turn comes.
type search struct {
	k      *core
	st     *states
	tab    *table
	labels []label
	bySize [][]int32
	walker *walker

	explored int64
}

// decide answers for a limit in ticks. memory is about the number of bytes that the
// search may take, steps the number of stages that it may visit.
func (k *core) decide(ctx context.Context, limit int64, weights []weighting, memory, steps int64) (decision, *search) {
	s := &search{k: k, st: newStates(k, limit, weights), bySize: make([][]int32, k.n+1)}
	words := k.words
	if k.chain {
		words = 0
	}
	s.tab = newTable(words)
	s.walker = newWalker(ctx, k, s.st, s.tab)
	start := s.tab.add(0, 0, make(bitset, words))
	s.bySize[0] = []int32{start}
	s.note(start, label{parent: none, state: s.st.of(make([]int32, len(k.classes)))})
	for size := 0; size < k.n; size++ {
		for _, ideal := range s.bySize[size] {
			s.expand(ideal)
			switch {
			case s.walker.over:
				return cancelled, s
			case s.tab.bytes()+int64(len(s.labels))*20 > memory:
				return tooLarge, s
			case s.walker.steps > steps:
				return tooLong, s
			case len(s.bySize[k.n]) > 0:
				return yes, s
			}
		}
		s.bySize[size] = nil
	}
	return no, s
}

// expand walks the stages above an ideal for each class that some label has left.
func (s *search) expand(ideal int32) {
	w := s.walker
	w.moveTo(ideal)
	labels := s.efficient(ideal)
	if len(labels) == 0 {
		return
	}
	s.explored++
	var targets []target
	for c := range s.k.classes {
		targets = targets[:0]
		for _, l := range labels {
			if next := s.st.after(s.labels[l].state, c); next != none {
				targets = append(targets, target{l, next})
			}
		}
		if len(targets) > 0 {
			w.walk(c, targets)
			s.gather(c)
		}
	}
}

// efficient lists the labels of the base that no other makes needless: one of the same
// ideal with fewer devices, or of one with a super-node more that is welcome there.
func (s *search) efficient(ideal int32) []int32 {
	var out []int32
	for l := s.tab.first[ideal]; l != none; l = s.labels[l].next {
		if !s.reached(ideal, l) {
			out = append(out, l)
		}
	}
	w := s.walker
	for v := 0; v < s.k.n && len(out) > 0; v++ {
		if w.missing[v] != 0 || w.in.has(v) || !w.welcome(int32(v)) {
			continue
		}
		w.in.add(v)
		larger := s.tab.find(w.hash^s.k.hash[v], w.size+1, w.in)
		w.in.drop(v)
		if larger != none {
			out = slices.DeleteFunc(out, func(l int32) bool { return s.reached(larger, l) })
		}
	}
	slices.Reverse(out)
	return out
}

// reached reports whether an ideal has a label, not this one, with no more devices.
func (s *search) reached(ideal, than int32) bool {
	for l := s.tab.first[ideal]; l != none; l = s.labels[l].next {
		if l != than && s.st.within(s.labels[l].state, s.labels[than].state) {
			return true
		}
	}
	return false
}

// gather makes labels of what the walk has found.
func (s *search) gather(class int) {
	w := s.walker
	for i, a := range w.found {
		var set bitset
		if s.tab.words > 0 {
			set = bitset(w.sets[i*s.tab.words : (i+1)*s.tab.words])
		}
		ideal := s.tab.find(a.hash, a.size, set)
		if ideal == none {
			ideal = s.tab.add(a.hash, a.size, set)
			s.bySize[a.size] = append(s.bySize[a.size], ideal)
		}
		for _, t := range w.suits[a.from:a.to] {
			s.note(ideal, label{parent: t.label, state: t.state, class: int32(class)})
		}
	}
	w.found, w.suits, w.sets = w.found[:0], w.suits[:0], w.sets[:0]
}

// note gives an ideal a label unless it has one with no more devices.
func (s *search) note(ideal int32, l label) {
	for m := s.tab.first[ideal]; m != none; m = s.labels[m].next {
		if s.st.within(s.labels[m].state, l.state) {
			return
		}
	}
	l.ideal, l.next = ideal, s.tab.first[ideal]
	s.tab.first[ideal] = int32(len(s.labels))
	s.labels = append(s.labels, l)
}

// stages are those of the chain that reached all super-nodes.
func (s *search) stages() []Stage {
	var out []Stage
	l := s.tab.first[s.bySize[s.k.n][0]]
	for ; s.labels[l].parent != none; l = s.labels[l].parent {
		stage := Stage{Class: int(s.labels[l].class)}
		from, to := s.labels[s.labels[l].parent].ideal, s.labels[l].ideal
		for v, members := range s.k.c.members {
			if s.holds(to, v) && !s.holds(from, v) {
				stage.Nodes = append(stage.Nodes, members...)
			}
		}
		slices.Sort(stage.Nodes)
		out = append(out, stage)
	}
	slices.Reverse(out)
	return out
}

func (s *search) holds(ideal int32, v int) bool {
	if s.k.chain {
		return v < int(s.tab.size[ideal])
	}
	return s.tab.set(ideal).has(v)
}
