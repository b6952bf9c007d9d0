package training

import (
	"fmt"
	"slices"
	"strings"

	"partita/formulation/cost"
)

// Split is an outer choice of the search: all of a layout but where its stages begin, what
// they recompute, and in which order the pipeline goes through the pools.
type Split struct {
	DP, TP, CP, EP, ETP int
	SP                  bool
	ZeRO                int
	Virtual             int
	MicroBatch          int
	Ranks               []int // pipeline ranks on each pool; shared between splits
}

// PP is the number of pipeline ranks.
func (s *Split) PP() int { return sum(s.Ranks) }

// equal reports whether two splits are one.
func (s *Split) equal(o *Split) bool {
	return s.DP == o.DP && s.TP == o.TP && s.CP == o.CP && s.EP == o.EP && s.ETP == o.ETP && s.SP == o.SP && s.ZeRO == o.ZeRO &&
		s.Virtual == o.Virtual && s.MicroBatch == o.MicroBatch && slices.Equal(s.Ranks, o.Ranks)
}

// RankGPUs is the number of GPUs of a pipeline rank.
func (s *Split) RankGPUs() int { return s.DP * s.TP * s.CP }

// GPUs is the number that the split takes.
func (s *Split) GPUs() int { return s.PP() * s.RankGPUs() }

// MicroBatches of a replica in one step of a global batch.
func (s *Split) MicroBatches(global int) int { return global / (s.DP * s.MicroBatch) }

// Shape is the split as the cost model takes it.
func (s *Split) Shape() cost.TrainShape {
	return cost.TrainShape{DP: s.DP, TP: s.TP, CP: s.CP, EP: s.EP, ETP: s.ETP, ZeRO: s.ZeRO, SP: s.SP}
}

// String names the split for people.
func (s *Split) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "DP %d, TP %d, PP %d", s.DP, s.TP, s.PP())
	for _, d := range []struct {
		name  string
		value int
	}{{"CP", s.CP}, {"EP", s.EP}, {"expert TP", s.ETP}} {
		if d.value > 1 {
			fmt.Fprintf(&b, ", %s %d", d.name, d.value)
		}
	}
	if s.SP {
		b.WriteString(", SP")
	}
	fmt.Fprintf(&b, ", ZeRO %d, micro-batch %d", s.ZeRO, s.MicroBatch)
	if s.Virtual > 1 {
		fmt.Fprintf(&b, ", %d virtual stages", s.Virtual)
	}
	return b.String()
}

// SplitOf is the split of a layout on so many pools.
func SplitOf(l *Layout, pools int) Split {
	s := Split{DP: l.DP, TP: l.TP, CP: l.CP, EP: l.EP, ETP: l.ETP, SP: l.SP, ZeRO: l.ZeRO, Virtual: l.Virtual, MicroBatch: l.MicroBatch, Ranks: make([]int, pools)}
	for _, st := range l.Stages[:l.PP()] {
		s.Ranks[st.Pool]++
	}
	return s
}

func sum(list []int) int {
	n := 0
	for _, x := range list {
		n += x
	}
	return n
}
