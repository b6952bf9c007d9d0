package encode

import (
	"fmt"
	"slices"

	"partita/solver"
	"partita/solver/path"
)

// packingConstraint is the packing condition of (2): the groups of one path, taken
// Copies times, fit into the bins (nodes), no group across bins.
//
// Where the sizes divide each other down, one row for each size s settles it:
//
//	Copies · Σ used_r over the resources with size ≥ s  ≤  Σ_bins ⌊bin/s⌋·s
//
// Otherwise bins are filled by patterns. y_{B,π} bins of capacity B hold pattern π, a
// maximal choice of π_s groups of each size s; g_s is the number of groups:
//
//	Size_r·g_r ≥ used_r      Copies·Σ g_r over r of size s ≤ Σ_{B,π} π_s·y_{B,π}      Σ_π y_{B,π} ≤ bins of capacity B
//
// A Total adds  Σ used_r = Total.
type packingConstraint struct {
	p     *path.Problem
	index int
}

// maxPatterns bounds the patterns of one packing. Nodes hold 16 devices at most, for
// which three sizes have under 40 maximal patterns; far above, the model is of no use.
const maxPatterns = 4000

func (c packingConstraint) label() string { return fmt.Sprintf("packing_%d", c.index) }

func (c packingConstraint) packing() *path.Packing { return &c.p.Packings[c.index] }

// Explain is the constraint as a sentence.
func (c packingConstraint) Explain() string {
	k := c.packing()
	s := fmt.Sprintf("%d copies of the groups of sizes %v fit into %d nodes, none across two", k.Copies, k.Sizes, len(k.Bins))
	if k.Total >= 0 {
		s += fmt.Sprintf(", and one copy uses exactly %d units", k.Total)
	}
	return s
}

// sizes are the distinct sizes, the largest first.
func (c packingConstraint) sizes() []int {
	sizes := slices.Clone(c.packing().Sizes)
	slices.Sort(sizes)
	slices.Reverse(sizes)
	return slices.Compact(sizes)
}

// counted: the rows of rows are the whole condition, no pattern is needed.
func (c packingConstraint) counted() bool {
	k := c.packing()
	if !path.DividesDown(c.sizes()) {
		return false
	}
	for _, options := range c.p.Options {
		for _, o := range options {
			for i, r := range k.Resources {
				if r == int(o.Resource) && int(o.Units)%k.Sizes[i] != 0 {
					return false
				}
			}
		}
	}
	return true
}

// rows are the total and, for each size, what counting alone says; necessary for any
// sizes, sufficient where counted.
func (c packingConstraint) rows(known) []row {
	k := c.packing()
	var rows []row
	for _, s := range c.sizes() {
		f, room := form{unit: make([]int64, len(c.p.Resources))}, 0
		for i, r := range k.Resources {
			if k.Sizes[i]%s == 0 {
				f.unit[r] += int64(k.Copies)
			}
		}
		for _, bin := range k.Bins {
			room += bin / s * s
		}
		rows = append(rows, row{name: fmt.Sprintf("%s_size_%d", c.label(), s), form: f, bound: int64(room)})
	}
	if k.Total >= 0 {
		f := form{unit: make([]int64, len(c.p.Resources))}
		for _, r := range k.Resources {
			f.unit[r]++
		}
		rows = append(rows, row{name: c.label() + "_total", form: f, bound: int64(k.Total), equal: true})
	}
	return rows
}

func (c packingConstraint) add(b *builder) []solver.Constraint {
	rows := b.bounds(c.rows(b.known))
	if c.counted() {
		return rows
	}
	return append(rows, c.patterns(b)...)
}

func (c packingConstraint) patterns(b *builder) []solver.Constraint {
	k, sizes := c.packing(), c.sizes()
	held := make([]solver.Expr, len(sizes)) // groups of each size in the bins, less those needed
	var rows []solver.Constraint
	for i, r := range k.Resources {
		f := form{unit: make([]int64, len(c.p.Resources))}
		f.unit[r] = -1
		g := b.m.Int(fmt.Sprintf("g_%d_%d", c.index, i), 0, int64(c.p.Resources[r].Capacity))
		rows = append(rows, b.m.AtLeast(fmt.Sprintf("%s_groups_%d", c.label(), i), b.expr(&f, 1).Add(int64(k.Sizes[i]), g), 0))
		s := slices.Index(sizes, k.Sizes[i])
		held[s] = held[s].Add(-int64(k.Copies), g)
	}
	bins := slices.Clone(k.Bins)
	slices.Sort(bins)
	for len(bins) > 0 {
		n := 1
		for n < len(bins) && bins[n] == bins[0] {
			n++
		}
		var used solver.Expr
		patterns, ok := fillings(bins[0], sizes)
		if !ok {
			b.err = fmt.Errorf("packing %d: a node of %d has more than %d ways to hold groups of sizes %v: leave out sizes", c.index, bins[0], maxPatterns, sizes)
			return rows
		}
		for i, pattern := range patterns {
			y := b.m.Int(fmt.Sprintf("y_%d_%d_%d", c.index, bins[0], i), 0, int64(n))
			used = used.Add(1, y)
			for s, count := range pattern {
				if count > 0 {
					held[s] = held[s].Add(int64(count), y)
				}
			}
		}
		rows = append(rows, b.m.AtMost(fmt.Sprintf("%s_bins_%d", c.label(), bins[0]), used, int64(n)))
		bins = bins[n:]
	}
	for s, e := range held {
		rows = append(rows, b.m.AtLeast(fmt.Sprintf("%s_held_%d", c.label(), sizes[s]), e, 0))
	}
	return rows
}

// fillings are the maximal patterns of a bin: counts by size, to which no further
// group can be added. Not ok where there are more than maxPatterns.
func fillings(bin int, sizes []int) (patterns [][]int, ok bool) {
	counts := make([]int, len(sizes))
	smallest := sizes[len(sizes)-1]
	var fill func(i, room int) bool
	fill = func(i, room int) bool {
		if i == len(sizes) {
			if room < smallest {
				patterns = append(patterns, slices.Clone(counts))
			}
			return len(patterns) <= maxPatterns
		}
		for counts[i] = room / sizes[i]; counts[i] >= 0; counts[i]-- {
			if !fill(i+1, room-counts[i]*sizes[i]) {
				return false
			}
		}
		counts[i] = 0
		return true
	}
	return patterns, fill(0, bin)
}
