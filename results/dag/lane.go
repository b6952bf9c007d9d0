package dag

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
	"partita/results"
)

// rank is one GPU of a stage of a replica: its place in the split and what it holds.
// Ranks count tensor-parallel first, then context, then attention data parallelism, as
// the cost model places their groups on nodes.
type rank struct {
	t, c, d   int
	sequences int // of the drawn micro-batch or group
	tokens    int // new tokens of each
}

// lane is what is drawn as one GPU: one rank, or several that do the same.
type lane struct {
	ranks     []int // of the stage
	sequences int
	tokens    int
	hidden    int // its slice of the hidden state, where TP ranks take a slice each
	vocab     int // its columns of the vocabulary
	gpus      []string
	leaders   []string // GPUs that sample: first TP rank
	heads     bool     // computes the head: first context rank
	line      string   // the GPU line of its nodes
	lead      string   // the GPU line of sampling
	cluster   string   // the name of its cluster, escaped
	buf       []byte   // nodes that are not yet written
}

// idle tells that no new token is on the lane.
func (l *lane) idle() bool { return l.sequences*l.tokens == 0 }

// group is a set of ranks that communicate, by the lanes they lie in.
type group struct {
	lanes []int
	size  int    // ranks of one group
	line  string // its GPUs
}

// stage is one stage of a replica, or of several that are alike.
type stage struct {
	src       *results.Stage
	pool      *inputs.Pool
	ranks     []rank
	lanes     []lane
	laneOf    []int
	batch     int // sequences of the drawn micro-batch or group
	seqLen    int // new tokens of each
	replica   string
	index     int
	runs      []run
	perNode   int     // GPUs of a node
	inside    float64 // seconds of a byte inside a node, and over the network
	network   float64
	tp, cp    []group // of the ranks that have tokens
	cpAll, dp []group // of all ranks: context, and attention data parallel
	whole     []group // all ranks of the stage: one group
}

// most is the number of GPUs that a node of a folded graph lists; the cluster lists all.
const most = 16

// perLine is the number of GPUs in a line of a label.
const perLine = 4

// list joins names of GPUs, a few a line.
func list(gpus []string) string {
	var b strings.Builder
	for i, g := range gpus {
		switch {
		case i == 0:
		case i%perLine == 0:
			b.WriteString(`,\n  `)
		default:
			b.WriteString(", ")
		}
		b.WriteString(g)
	}
	return b.String()
}

func gpuLine(gpus []string) string {
	if len(gpus) == 1 {
		return "GPU: " + gpus[0]
	}
	return "GPUs: " + list(gpus)
}

// gpuLines is gpuLine of a node outside of the clusters of GPUs.
func gpuLines(gpus []string) string { return "GPUs: " + list(gpus) }

// place is a rank in the split of its stage.
func (s *stage) place(j int) rank {
	tp, cp := s.src.TP, s.src.CP
	return rank{t: j % tp, c: j / tp % cp, d: j / (tp * cp)}
}

// deal gives every rank of a stage its sequences and tokens.
func (s *stage) deal() {
	s.ranks = make([]rank, s.src.TP*s.src.CP*s.src.DPAttention)
	for j := range s.ranks {
		r := s.place(j)
		r.sequences = share(s.batch, s.src.DPAttention, r.d)
		r.tokens = share(s.seqLen, s.src.CP, r.c)
		s.ranks[j] = r
	}
}

// sortLanes puts ranks into lanes: each into its own, or those that do the same into one.
// before and after are the stages next to it, dealt; nil where there is none.
// gpus names the GPUs of a rank: one, or one of each replica that is drawn with it.
func (s *stage) sortLanes(m *inputs.Model, before, after *stage, fold, folded bool, gpus func(j int) []string) {
	type key struct {
		rank                     int
		sequences, tokens        int
		hidden, vocab, firstOnly int
		sends, gets              string
	}
	known := map[key]int{}
	s.laneOf = make([]int, len(s.ranks))
	for j, r := range s.ranks {
		k := key{rank: -1, sequences: r.sequences, tokens: r.tokens, hidden: share(m.Hidden, s.src.TP, r.t)}
		if s.src.LastLayer == len(m.Layers)-1 {
			k.vocab = share(m.Vocab, s.src.TP, r.t)
			if r.c > 0 {
				k.firstOnly = 1 // only the first context rank computes the head
			}
		}
		if !fold {
			k.rank = j
		} else {
			if before != nil {
				k.gets = exchange(before, s, j, m.Hidden, false)
			}
			if after != nil {
				k.sends = exchange(s, after, j, m.Hidden, true)
			}
		}
		i, seen := known[k]
		if !seen {
			i = len(s.lanes)
			known[k] = i
			s.lanes = append(s.lanes, lane{sequences: r.sequences, tokens: r.tokens, hidden: k.hidden, vocab: k.vocab, heads: r.c == 0})
		}
		s.laneOf[j] = i
		l := &s.lanes[i]
		ids := gpus(j)
		l.ranks = append(l.ranks, j)
		l.gpus = append(l.gpus, ids...)
		if r.t == 0 {
			l.leaders = append(l.leaders, ids...)
		}
	}
	for i := range s.lanes {
		l := &s.lanes[i]
		l.cluster = "cluster_gpu_" + l.gpus[0]
		l.line, l.lead = gpuLine(l.gpus), ""
		if len(l.leaders) > 0 {
			l.lead = gpuLine(l.leaders)
		}
		if folded && len(l.gpus) > most {
			l.line = gpuLine(l.gpus[:1])
		}
		if folded && len(l.leaders) > most {
			l.lead = gpuLine(l.gpus[:1])
		}
	}
	active := func(j int) bool { return s.ranks[j].sequences*s.ranks[j].tokens > 0 }
	all := func(int) bool { return true }
	place := func(r rank, t, c, d int) int { return (r.d*d*s.src.CP+r.c*c)*s.src.TP + r.t*t }
	s.tp = s.groups(folded, active, func(r rank) int { return place(r, 0, 1, 1) })
	s.cp = s.groups(folded, active, func(r rank) int { return place(r, 1, 0, 1) })
	s.cpAll = s.groups(folded, all, func(r rank) int { return place(r, 1, 0, 1) })
	s.dp = s.groups(folded, all, func(r rank) int { return place(r, 1, 1, 0) })
	s.whole = s.groups(folded, all, func(rank) int { return 0 })
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

// gpusOf are the GPUs of lanes as a node of a folded graph lists them.
func (s *stage) gpusOf(lanes []int) []string {
	var gpus []string
	for _, i := range lanes {
		gpus = append(gpus, s.lanes[i].gpus...)
	}
	if len(gpus) <= most {
		return gpus
	}
	gpus = nil
	for _, i := range lanes {
		gpus = append(gpus, s.lanes[i].gpus[0])
	}
	return gpus
}
