package dag

import (
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

// stage is one stage of a replica, or of several that are alike.
type stage struct {
	src     *results.Stage
	pool    *inputs.Pool
	ranks   []rank
	lanes   []lane
	laneOf  []int
	batch   int // sequences of the drawn micro-batch or group
	seqLen  int // new tokens of each
	replica string
	short   bool // nodes outside of the clusters of GPUs name the first GPU of each lane
	index   int
	runs    []run
	perNode int     // GPUs of a node
	inside  float64 // seconds of a byte inside a node, and over the network
	network float64
	// Groups of ranks that have tokens, and of all ranks: tensor-parallel, context, attention
	// data parallel. whole is one group of all.
	tp, cp                  []group
	tpAll, cpAll, dp, whole []group
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
	last := s.src.LastLayer == len(m.Layers)-1
	s.laneOf = make([]int, len(s.ranks))
	for j := range s.laneOf {
		s.laneOf[j] = j
	}
	if fold {
		s.laneOf = s.alike(m, before, after, last)
	}
	for j, r := range s.ranks {
		i := s.laneOf[j]
		if i == len(s.lanes) {
			l := lane{sequences: r.sequences, tokens: r.tokens, hidden: share(m.Hidden, s.src.TP, r.t), heads: r.c == 0}
			if last {
				l.vocab = share(m.Vocab, s.src.TP, r.t)
			}
			s.lanes = append(s.lanes, l)
		}
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
	s.tp, s.cp = s.groups(folded, active, s.tpGroup), s.groups(folded, active, s.cpGroup)
	s.tpAll, s.cpAll, s.dp = s.groups(folded, all, s.tpGroup), s.groups(folded, all, s.cpGroup), s.groups(folded, all, s.dpGroup)
	s.whole = s.groups(folded, all, func(rank) int { return 0 })
}

// The groups of a rank, numbered by a rank that would be their first.
func (s *stage) tpGroup(r rank) int { return (r.d*s.src.CP + r.c) * s.src.TP }
func (s *stage) cpGroup(r rank) int { return r.d*s.src.CP*s.src.TP + r.t }
func (s *stage) dpGroup(r rank) int { return r.c*s.src.TP + r.t }

// gpusOf are the GPUs of lanes as a node outside of their clusters lists them: all, or the
// first of each where the graph has too many.
func (s *stage) gpusOf(lanes []int) []string {
	var gpus []string
	for _, i := range lanes {
		if s.short {
			gpus = append(gpus, s.lanes[i].gpus[0])
		} else {
			gpus = append(gpus, s.lanes[i].gpus...)
		}
	}
	return gpus
}
