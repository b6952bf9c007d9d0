package dag

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
)

// group is a set of ranks that communicate, by the lanes they lie in.
type group struct {
	lanes []int
	size  int    // ranks of one group
	times int    // groups that it stands for in a folded graph: of ranks and replicas that are alike
	line  string // its GPUs
}

// named is the name of a collective of the group, with how many it stands for.
func (g *group) named(name string) string {
	if g.times > 1 {
		name += fmt.Sprintf(" (×%d, %d GPUs each)", g.times, g.size)
	}
	return name
}

// alike numbers the ranks of a stage by what they do, from 0 in the order they come: ranks
// of one number have tensors of the same sizes, send and get the same, and communicate
// with ranks of the same numbers.
func (s *stage) alike(m *inputs.Model, before, after *stage, last bool) []int {
	number := s.numbered(func(j int) string {
		r := s.ranks[j]
		var b strings.Builder
		fmt.Fprint(&b, r.sequences, r.tokens, share(m.Hidden, s.src.TP, r.t))
		if last { // the first context rank alone computes the head
			fmt.Fprint(&b, " ", share(m.Vocab, s.src.TP, r.t), r.c == 0)
		}
		if before != nil {
			b.WriteString(exchange(before, s, j, m.Hidden, false))
		}
		if after != nil {
			b.WriteString(exchange(s, after, j, m.Hidden, true))
		}
		return b.String()
	})
	for {
		with := s.company(number)
		finer := s.numbered(func(j int) string { return fmt.Sprint(number[j], with[j]) })
		if slices.Max(finer) == slices.Max(number) {
			return number
		}
		number = finer
	}
}

// company tells of each rank which numbers there are in each of its groups.
func (s *stage) company(number []int) []string {
	out := make([]string, len(s.ranks))
	for _, of := range []func(rank) int{s.tpGroup, s.cpGroup, s.dpGroup} {
		there := map[int][]int{}
		for j, r := range s.ranks {
			if g := of(r); !slices.Contains(there[g], number[j]) {
				there[g] = append(there[g], number[j])
			}
		}
		for g := range there {
			slices.Sort(there[g])
		}
		for j, r := range s.ranks {
			out[j] += fmt.Sprint(there[of(r)])
		}
	}
	return out
}

// numbered numbers the ranks by a key.
func (s *stage) numbered(key func(j int) string) []int {
	known := map[string]int{}
	out := make([]int, len(s.ranks))
	for j := range s.ranks {
		k := key(j)
		if _, seen := known[k]; !seen {
			known[k] = len(known)
		}
		out[j] = known[k]
	}
	return out
}

// groups sorts the ranks that take part by a key; groups of the same lanes are one.
func (s *stage) groups(folded bool, takes func(j int) bool, key func(r rank) int) []group {
	var out []group
	at := map[int]int{}
	members := [][]int{}
	for j, r := range s.ranks {
		if !takes(j) {
			continue
		}
		k := key(r)
		i, seen := at[k]
		if !seen {
			i = len(members)
			at[k] = i
			members = append(members, nil)
		}
		members[i] = append(members[i], j)
	}
	same := map[string]int{}
	gpus := [][]string{}
	for _, ranks := range members {
		var lanes []int
		for _, j := range ranks {
			if !slices.Contains(lanes, s.laneOf[j]) {
				lanes = append(lanes, s.laneOf[j])
			}
		}
		name := fmt.Sprint(lanes)
		i, seen := same[name]
		if !seen {
			i = len(out)
			same[name] = i
			out = append(out, group{lanes: lanes, size: len(ranks)})
			gpus = append(gpus, nil)
		}
		first := &s.lanes[lanes[0]]
		out[i].times += len(first.gpus) / len(first.ranks)
		if !folded {
			for _, j := range ranks {
				gpus[i] = append(gpus[i], s.lanes[s.laneOf[j]].gpus...)
			}
		}
	}
	for i := range out {
		if folded { // all GPUs of these lanes take part, in one group or another
			gpus[i] = s.gpusOf(out[i].lanes)
		}
		out[i].line = gpuLines(gpus[i])
	}
	return out
}
