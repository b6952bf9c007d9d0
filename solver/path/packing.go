package path

import (
	"fmt"
	"slices"
)

// Fits says whether groups that use used[i] units of Resources[i] fit into the bins,
// all copies together and no group across bins. A remainder below a whole group
// counts as a group. Total is not looked at.
func (k Packing) Fits(used []int) bool {
	groups := make([]int, 0, len(k.Sizes))
	sizes := make([]int, 0, len(k.Sizes))
	order := make([]int, len(k.Sizes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return k.Sizes[j] - k.Sizes[i] })
	for _, i := range order {
		n := (used[i] + k.Sizes[i] - 1) / k.Sizes[i] * max(k.Copies, 1)
		if n <= 0 {
			continue
		}
		if last := len(sizes) - 1; last >= 0 && sizes[last] == k.Sizes[i] {
			groups[last] += n
			continue
		}
		sizes, groups = append(sizes, k.Sizes[i]), append(groups, n)
	}
	if !necessary(sizes, groups, k.Bins) {
		return false
	}
	if DividesDown(sizes) || firstFit(sizes, groups, k.Bins) {
		return true
	}
	bins := slices.Clone(k.Bins)
	slices.SortFunc(bins, func(a, b int) int { return b - a })
	s := packingSearch{sizes: sizes, bins: bins, dead: map[string]bool{}}
	return s.place(0, groups)
}

// DividesDown says whether each of the sizes, in descending order, divides the one
// before it. Packing is then settled by counting (necessary is sufficient): groups
// placed from the largest leave every bin filled in multiples of the next size.
func DividesDown(sizes []int) bool {
	for i := 1; i < len(sizes); i++ {
		if sizes[i-1]%sizes[i] != 0 {
			return false
		}
	}
	return true
}

// necessary: groups of size s and of its multiples fill bins in steps of s, so they
// take at most Σ ⌊bin/s⌋·s; and all groups together take at most Σ bins.
func necessary(sizes, groups, bins []int) bool {
	all, room := 0, 0
	for i := range sizes {
		all += sizes[i] * groups[i]
	}
	for _, b := range bins {
		room += b
	}
	if all > room {
		return false
	}
	for _, s := range sizes {
		need, have := 0, 0
		for j := range sizes {
			if sizes[j]%s == 0 {
				need += sizes[j] * groups[j]
			}
		}
		for _, b := range bins {
			have += b / s * s
		}
		if need > have {
			return false
		}
	}
	return true
}

// firstFit places the groups from the largest, each into the first bin with room.
func firstFit(sizes, groups, bins []int) bool {
	room := slices.Clone(bins)
	slices.Sort(room)
	for i, s := range sizes {
		left := groups[i]
		for b := range room {
			n := min(left, room[b]/s)
			room[b] -= n * s
			left -= n
		}
		if left > 0 {
			return false
		}
	}
	return true
}

// packingSearch fills one bin after the other with every maximal pattern and
// remembers the states that came to nothing.
type packingSearch struct {
	sizes, bins []int
	dead        map[string]bool
}

func (s *packingSearch) place(bin int, left []int) bool {
	units := 0
	for i := range left {
		units += left[i] * s.sizes[i]
	}
	if units == 0 {
		return true
	}
	room := 0
	for _, b := range s.bins[bin:] {
		room += b
	}
	if units > room {
		return false
	}
	key := fmt.Sprint(bin, left)
	if s.dead[key] {
		return false
	}
	rest := slices.Clone(left)
	if s.fill(bin, 0, s.bins[bin], rest) {
		return true
	}
	s.dead[key] = true
	return false
}

// fill chooses how many groups of each size from the i-th on go into the bin; room
// is what is left of it. The last size takes all it can: leaving room never helps.
func (s *packingSearch) fill(bin, i, room int, left []int) bool {
	if i == len(s.sizes) {
		return s.place(bin+1, left)
	}
	most, least := min(left[i], room/s.sizes[i]), 0
	if i == len(s.sizes)-1 {
		least = most
	}
	for n := most; n >= least; n-- {
		left[i] -= n
		done := s.fill(bin, i+1, room-n*s.sizes[i], left)
		left[i] += n
		if done {
			return true
		}
	}
	return false
}
