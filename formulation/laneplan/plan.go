package laneplan

import (
	"cmp"
	"math"
	"slices"
)

// Machine is one GPU of a plan.
type Machine struct {
	Pool        int
	First, Last int // layers, both included
	Sequences   int // that take their way through it
}

func (m *Machine) layers() int { return m.Last - m.First + 1 }

// Route is how many sequences go on from one machine to another, by index; -1 is the
// outside.
type Route struct{ From, To, Sequences int }

// Plan is lanes with their figures.
type Plan struct {
	Groups, Micro int
	Machines      []Machine // by first layer, last layer, pool
	Routes        []Route
	Round         float64 // seconds
	TTFT          float64 // seconds; 0 in decode alone
}

// shared makes a plan of ranges: every machine carries as many sequences as a step of the
// same length allows all of them, and no more than are needed. False where the ranges do
// not hold all sequences.
func (p *prices) shared(machines []Machine) (*Plan, bool) {
	layers, batch := len(p.c.Model.Layers), p.c.Workload.Batch
	slices.SortStableFunc(machines, func(a, b Machine) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Pool, b.Pool))
	})
	steps := make([][]float64, len(machines)) // by the sequences, as many as fit
	low, high := 0.0, 0.0
	for i := range machines {
		steps[i] = p.shortest(&machines[i])
		high = max(high, steps[i][len(steps[i])-1])
	}
	fill := func(limit float64) bool {
		at := make([]int, layers)
		for i := range machines {
			m := &machines[i]
			m.Sequences = largest(len(steps[i])-1, func(n int) bool { return steps[i][n] <= limit })
			for l := m.First; l <= m.Last; l++ {
				at[l] += m.Sequences
			}
		}
		return slices.Min(at) >= batch
	}
	// The least step: between one that does and the next shorter one that a machine has.
	if !fill(high) {
		return nil, false
	}
	for high > low*(1+1e-12) {
		middle := (low + high) / 2
		if middle <= low || middle >= high {
			break
		}
		if fill(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	fill(high)
	p.trim(machines)
	routes(machines, layers, batch)
	idle := func(m Machine) bool { return m.Sequences == 0 }
	plan := &Plan{Groups: p.groups, Micro: p.micro, Machines: slices.DeleteFunc(machines, idle)}
	plan.Routes = routes(plan.Machines, layers, batch)
	slowest := 0.0
	times := make([]float64, len(plan.Machines))
	for i := range plan.Machines {
		m := &plan.Machines[i]
		times[i] = p.exactly(m, m.Sequences)
		slowest = max(slowest, times[i])
	}
	plan.Round = max(longest(plan.Routes, times), float64(p.groups)*slowest)
	return plan, true
}

// exactly is the step of a machine with n sequences, in seconds.
func (p *prices) exactly(m *Machine, n int) float64 {
	return p.rate(m.Pool, n).exact(m.layers(), m.First == 0, m.Last == len(p.c.Model.Layers)-1)
}

// most is how many sequences a machine's memory holds.
func (p *prices) most(m *Machine) int {
	first, last := m.First == 0, m.Last == len(p.c.Model.Layers)-1
	capacity := p.costs.Capacity(m.Pool)
	return largest(p.c.Workload.Batch, func(n int) bool {
		return p.memory(m.Pool, m.layers(), n, first, last).Total() <= capacity
	})
}

// trim takes sequences off machines that no layer needs them of, those with the slowest
// steps first, but leaves each machine one.
func (p *prices) trim(machines []Machine) {
	layers, batch := len(p.c.Model.Layers), p.c.Workload.Batch
	at := make([]int, layers)
	order := make([]int, len(machines))
	for i, m := range machines {
		order[i] = i
		for l := m.First; l <= m.Last; l++ {
			at[l] += m.Sequences
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(p.exactly(&machines[b], max(1, machines[b].Sequences)), p.exactly(&machines[a], max(1, machines[a].Sequences)))
	})
	for _, i := range order {
		m := &machines[i]
		spare := min(slices.Min(at[m.First:m.Last+1])-batch, m.Sequences-1)
		if spare <= 0 {
			continue
		}
		m.Sequences -= spare
		for l := m.First; l <= m.Last; l++ {
			at[l] -= spare
		}
	}
}

// routes sends batch sequences through the machines, which hold enough on every layer: a
// machine hands over where its layers end, to those that hold the next layer and have
// room, those that end last first. Each is left with the sequences that it got.
func routes(machines []Machine, layers, batch int) []Route {
	order := make([]int, len(machines))
	room, carries := make([]int, len(machines)), make([]int, len(machines))
	for i, m := range machines {
		order[i], room[i] = i, m.Sequences
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(machines[b].Last, machines[a].Last) })
	var out []Route
	hand := func(from, amount, layer int) {
		for _, to := range order {
			if amount == 0 {
				return
			}
			if machines[to].First > layer || machines[to].Last < layer || room[to] == 0 {
				continue
			}
			x := min(amount, room[to])
			amount, room[to], carries[to] = amount-x, room[to]-x, carries[to]+x
			out = append(out, Route{from, to, x})
		}
	}
	hand(-1, batch, 0)
	for l := 1; l < layers; l++ {
		for i, m := range machines {
			if m.Last == l-1 {
				hand(i, carries[i], l)
			}
		}
	}
	for i, m := range machines {
		if m.Last == layers-1 && carries[i] > 0 {
			out = append(out, Route{i, -1, carries[i]})
		}
	}
	for i := range machines {
		machines[i].Sequences = carries[i]
	}
	return out
}

// longest is the longest way along routes, which are in the order of the layers where
// machines hand over; times are those of the machines.
func longest(routes []Route, times []float64) float64 {
	reach := make([]float64, len(times))
	for i := range reach {
		reach[i] = math.Inf(-1)
	}
	end := 0.0
	for _, r := range routes {
		before := 0.0
		if r.From >= 0 {
			before = reach[r.From]
		}
		if r.To < 0 {
			end = max(end, before)
			continue
		}
		reach[r.To] = max(reach[r.To], before+times[r.To])
	}
	return end
}
