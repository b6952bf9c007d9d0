package makespan

import "math"

// onCPU runs an item on the CPU after a label.
func (s *search) onCPU(l *lattice, labels [][]*label, lb *label, it *item, child int32) {
	done := lb.done
	for _, v := range it.nodes {
		start := 0.0
		for _, u := range s.pred[v] {
			if i := s.pos[u]; i >= 0 {
				start = max(start, lb.finish[i])
			} else { // of the same item
				start = max(start, s.time[u])
			}
		}
		s.time[v] = start + s.cpu[v]
		done = max(done, s.time[v])
	}
	s.add(l, labels, lb, child, lb.used, done, 0)
}

// starts fills in when the block at hand, begun in the ideal at hand, starts after each
// label: its inputs have to be there.
func (s *search) starts(l *lattice, here []*label) {
	s.inputs = s.inputs[:0]
	for i, v := range l.frontier[here[0].ideal] {
		if s.block.inside[v] > 0 {
			s.inputs = append(s.inputs, i)
		}
	}
	s.start = s.start[:0]
	for _, lb := range here {
		start := 0.0
		for _, i := range s.inputs {
			start = max(start, lb.finish[i])
		}
		s.start = append(s.start, start)
	}
}

// promising reports whether after some label the block at hand, which ends in child, or a
// larger one can still be part of something better: whatever comes after the block adds to its
// work, be it within the larger one or after it.
func (s *search) promising(l *lattice, here []*label, child int32) bool {
	s.starts(l, here)
	for i, lb := range here {
		left := s.blocks - int(lb.used)
		if s.restAt[left] != s.work { // not yet in this step
			s.restAt[left], s.rest[left] = s.work, 0
			for _, c := range l.crosses[child] {
				if s.block.in[l.frontier[child][c.at]] {
					s.rest[left] = max(s.rest[left], s.tails.from[left][s.target[c.edge]])
				}
			}
		}
		if s.start[i]+s.block.work+s.rest[left] < s.best*(1-resolution) {
			return true
		}
	}
	return false
}

// onAccelerator runs the block at hand, which ends in child, after each label; starts has
// been called.
func (s *search) onAccelerator(l *lattice, labels [][]*label, here []*label, child int32) {
	length, exact := s.block.length(nil)
	if !exact {
		s.inexact = true
		return
	}
	for i, lb := range here {
		if s.tick() {
			return
		}
		finish := s.start[i] + length
		s.add(l, labels, lb, child, lb.used+1, max(lb.done, finish), finish)
	}
}

// add keeps a label of an ideal if it is not hopeless nor dominated. Nodes of the new
// frontier that were in the old one keep their finish; the others have that of the block,
// or on the CPU their own in time.
func (s *search) add(l *lattice, labels [][]*label, from *label, child, used int32, done, block float64) {
	s.explored++
	onCPU := used == from.used
	finishOf := func(v int32) float64 {
		switch i := s.pos[v]; {
		case i >= 0:
			return from.finish[i]
		case onCPU:
			return s.time[v]
		default:
			return block
		}
	}
	bound := max(from.bound, done)
	rest := s.tails.over[s.blocks-int(used)]
	frontier := l.frontier[child]
	for _, c := range l.crosses[child] {
		bound = max(bound, finishOf(frontier[c.at])+rest[c.edge])
	}
	if bound >= s.best*(1-resolution) || math.IsInf(bound, 1) {
		return
	}
	lb := &label{ideal: child, used: used, bound: bound, done: done, parent: from}
	if int(child) == l.size()-1 {
		s.best, s.last, s.at = done, lb, l
		return
	}
	lb.finish = make([]float64, len(frontier))
	for i, v := range frontier {
		lb.finish[i] = finishOf(v)
	}
	list := labels[child]
	kept := list[:0]
	for i, other := range list {
		if other.dominates(lb) {
			labels[child] = append(kept, list[i:]...)
			s.live -= len(list) - len(labels[child])
			return
		}
		if !lb.dominates(other) {
			kept = append(kept, other)
		}
	}
	s.live += 1 - (len(list) - len(kept))
	clear(list[len(kept):])
	labels[child] = append(kept, lb)
}

func (lb *label) dominates(other *label) bool {
	if lb.used > other.used || lb.done > other.done {
		return false
	}
	for i, f := range lb.finish {
		if f > other.finish[i] {
			return false
		}
	}
	return true
}

// devices is the assignment of the incumbent's labels. Blocks are numbered as they are
// run.
func (s *search) devices() []int {
	device := make([]int, len(s.itemOf))
	for v := range device {
		device[v] = s.g.Accelerators // the CPU
	}
	var labels []*label
	for lb := s.last; lb != nil; lb = lb.parent {
		labels = append(labels, lb)
	}
	b := newBlock(s.problem)
	for i := len(labels) - 2; i >= 0; i-- {
		before, after := labels[i+1], labels[i]
		if before.used == after.used {
			continue
		}
		for _, it := range s.at.way(before.ideal, after.ideal) {
			b.push(it)
			for _, v := range s.items[it].nodes {
				device[v] = int(before.used)
			}
		}
		var chosen []int
		b.length(&chosen)
		for _, v := range chosen {
			device[v] = int(before.used)
		}
		for len(b.stack) > 0 {
			b.pop()
		}
	}
	return device
}
