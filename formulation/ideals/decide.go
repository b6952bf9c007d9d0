package ideals

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// decision is the answer to whether a chain of ideals exists whose loads are all
// within a limit.
type decision int

const (
	no decision = iota
	yes
	cancelled
	tooLong  // for the stages it may visit
	tooLarge // for the memory it may take
)

// label is a way to reach an ideal with a number of devices used.
type label struct {
	used          uint64 // packed, where the states are
	promise       float64
	ideal, parent int32 // parent: the label before; none for the empty ideal
	state         int32
	next          int32 // the ideal's label before this one in the table's list
	class         int32
}

// labelBytes is what a label takes.
const labelBytes = 40

// search looks for a chain of ideals within a limit. Ideals are expanded by their
// number of super-nodes, so that all labels of one are known when its turn comes, and
// those of one number can be expanded at the same time.
type search struct {
	k       *core
	st      *states
	tab     *table
	labels  []label
	bySize  [][]int32
	walkers []*walker
	bounds  bounds
	beam    int       // the most ideals of one size, and labels of one ideal, that are expanded; 0: all
	promise []float64 // by ideal: what the devices left can take beyond the rest
	narrow  bool      // an ideal or a label was left out for the beam

	explored, steps int64
}

// Ideals of one size are expanded batch by batch, and what they find is gathered after
// each; from shared ones on several workers do so.
const (
	shared = 64
	batch  = 256
)

// decide answers for a limit in ticks. With a beam that is too narrow for a no it
// answers tooLong.
func (k *core) decide(ctx context.Context, limit int64, weights []weighting, workers, beam int, b bounds) (decision, *search) {
	s := &search{k: k, st: newStates(k, limit, weights), bySize: make([][]int32, k.n+1), bounds: b, beam: beam}
	words := k.words
	if k.chain {
		words, workers = 0, 1
	}
	s.tab = newTable(words)
	start := s.tab.add(0, 0, make(bitset, words))
	s.promise = append(s.promise, 0)
	s.bySize[0] = []int32{start}
	s.note(start, label{parent: none, state: s.st.of(make([]int32, len(k.classes)))})
	for size := range k.n {
		if ctx.Err() != nil {
			return cancelled, s
		}
		ideals := s.promising(s.bySize[size])
		for len(ideals) > 0 {
			part := ideals[:min(len(ideals), batch)]
			ideals = ideals[len(part):]
			if answer := s.expandAll(ctx, part, workers); answer != no {
				return answer, s
			}
		}
		s.bySize[size] = nil
	}
	if s.narrow {
		return tooLong, s
	}
	return no, s
}

// promising are the ideals of one size that are expanded.
func (s *search) promising(ideals []int32) []int32 {
	if s.beam == 0 || len(ideals) <= s.beam {
		return ideals
	}
	s.narrow = true
	slices.SortStableFunc(ideals, func(a, b int32) int { return cmp.Compare(s.promise[b], s.promise[a]) })
	return ideals[:s.beam]
}

// expandAll expands a batch of ideals. Its effect does not depend on the number of
// workers: none of them sees what another finds.
func (s *search) expandAll(ctx context.Context, ideals []int32, workers int) decision {
	if len(ideals) < shared {
		workers = 1
	}
	for len(s.walkers) < workers {
		s.walkers = append(s.walkers, newWalker(ctx, s.k, s.st, s.tab, s.bounds))
	}
	harvests, stops := make([]harvest, len(ideals)), make([]decision, len(ideals))
	work := func(w *walker, from int) {
		for at := from; at < len(ideals) && w.stop == no; at += workers {
			s.expand(w, ideals[at])
			harvests[at], stops[at] = w.harvest.copied(), w.stop
		}
	}
	var group sync.WaitGroup
	for i := 1; i < workers; i++ {
		group.Go(func() { work(s.walkers[i], i) })
	}
	work(s.walkers[0], 0)
	group.Wait()
	for at := range ideals {
		if answer := s.gather(&harvests[at], stops[at]); answer != no {
			return answer
		}
		if ctx.Err() != nil {
			return cancelled
		}
	}
	return no
}

func (h *harvest) copied() harvest {
	c := *h
	c.found, c.suits, c.sets = slices.Clone(h.found), slices.Clone(h.suits), slices.Clone(h.sets)
	return c
}

// expand walks the stages above an ideal for each class that some label has left. It
// changes nothing of the search but the walker.
func (s *search) expand(w *walker, ideal int32) {
	w.harvest = harvest{found: w.found[:0], suits: w.suits[:0], sets: w.sets[:0]}
	w.measure = stepsAWatch
	var set bitset
	if s.tab.words > 0 {
		set = s.tab.set(ideal)
	}
	w.moveTo(s.tab.size[ideal], set)
	labels := s.efficient(w, ideal)
	w.ideal = len(labels) > 0
	var targets []target
	for c := range s.k.classes {
		targets = targets[:0]
		for _, l := range labels {
			if next := s.st.all[s.labels[l].state].next[c]; next != none {
				targets = append(targets, target{label: l, state: next})
			}
		}
		if len(targets) > 0 && w.stop == no {
			w.walk(c, targets)
		}
	}
}

// efficient lists the labels of the base that no other makes needless: one of the same
// ideal with fewer devices, or of one with a super-node more that is welcome there.
func (s *search) efficient(w *walker, ideal int32) []int32 {
	var out []int32
	for l := s.tab.first[ideal]; l != none; l = s.labels[l].next {
		if !s.reached(ideal, l) {
			out = append(out, l)
		}
	}
	w.labour(len(out) * len(out))
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
	if s.beam > 0 && len(out) > s.beam {
		w.cut = true
		slices.SortStableFunc(out, func(a, b int32) int { return cmp.Compare(s.labels[b].promise, s.labels[a].promise) })
		out = out[:s.beam]
	}
	return out
}

// reached reports whether an ideal has a label, not this one, with no more devices.
func (s *search) reached(ideal, than int32) bool {
	for l := s.tab.first[ideal]; l != none; l = s.labels[l].next {
		if l != than && s.st.within(&s.labels[l], &s.labels[than]) {
			return true
		}
	}
	return false
}

// gather makes labels of what an expansion has found, and says whether to go on.
func (s *search) gather(h *harvest, stop decision) decision {
	s.steps += h.steps
	s.narrow = s.narrow || h.cut
	if h.ideal {
		s.explored++
	}
	if stop == no {
		stop = s.bounds.judge(h)
	}
	if stop != no {
		return stop
	}
	words := s.tab.words
	for i, a := range h.found {
		set := bitset(h.sets[i*words : (i+1)*words])
		ideal := s.tab.find(a.hash, a.size, set)
		if ideal == none {
			ideal = s.tab.add(a.hash, a.size, set)
			s.promise = append(s.promise, a.promise)
			s.bySize[a.size] = append(s.bySize[a.size], ideal)
		}
		s.promise[ideal] = max(s.promise[ideal], a.promise)
		for _, t := range h.suits[a.from:a.to] {
			s.note(ideal, label{parent: t.label, state: t.state, class: a.class, promise: t.promise})
		}
	}
	switch {
	case len(s.bySize[s.k.n]) > 0:
		return yes
	case s.steps > s.bounds.steps:
		return tooLong
	case s.tab.bytes()+s.st.bytes()+int64(8*len(s.promise))+int64(len(s.labels))*labelBytes > s.bounds.bytes:
		return tooLarge
	}
	return no
}

// note gives an ideal a label unless it has one with no more devices.
func (s *search) note(ideal int32, l label) {
	l.used = s.st.all[l.state].packed
	seen := 0
	for m := s.tab.first[ideal]; m != none; m = s.labels[m].next {
		if seen++; s.st.within(&s.labels[m], &l) {
			return
		}
	}
	s.steps += int64(seen / labelsAStep)
	for c := range s.k.classes { // so that expanding makes no states
		s.st.after(l.state, c)
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
