package dagcheck

import (
	"strconv"
	"strings"
)

// findCluster tells whether a subgraph is the cluster of a GPU: by its attribute, by its
// name or by its label, in this order. A subgraph inside one belongs to it.
func (g *graph) findCluster(i int32) {
	s := &g.subs[i]
	if s.parent == none {
		return
	}
	if up := g.subs[s.parent].cluster; up != none {
		s.cluster = up
	}
	id := s.gpu
	if id == "" && s.cluster == none {
		id = gpuOf(s.name, s.label)
	}
	if id == "" {
		return
	}
	c := cluster{at: s.at, sub: i, name: id}
	for name := range strings.FieldsSeq(s.gpus) {
		c.ids = append(c.ids, g.gpus.gpu(name))
	}
	if len(c.ids) == 0 {
		c.ids = []uint32{g.gpus.gpu(id)}
	}
	s.cluster = int32(len(g.clusters))
	g.clusters = append(g.clusters, c)
	for _, gpu := range c.ids {
		if _, twice := g.clusterOf[gpu]; !twice {
			g.clusterOf[gpu] = s.cluster
		}
	}
}

// gpuOf is the GPU that a cluster without the attribute is drawn for, as its name or its
// label tells; empty where neither does.
func gpuOf(name, label string) string {
	rest, ok := cutFold(name, "cluster")
	if !ok {
		return "" // only clusters are drawn
	}
	if rest, ok := cutFold(strings.TrimLeft(rest, "_- "), "gpu"); ok && strings.TrimLeft(rest, "_- ") != "" {
		return strings.TrimLeft(rest, "_- ")
	}
	first, _, _ := strings.Cut(strings.TrimSpace(label), "\n")
	if rest, ok := cutFold(first, "gpu"); ok {
		if word := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == ':' || r == ',' || r == '(' || r == '#' }); len(word) > 0 {
			return word[0]
		}
	}
	return ""
}

// infer fills in what a writer without the attributes op and layer left to the title.
func (g *graph) infer(i int32) {
	n := &g.nodes[i]
	if n.layer != none && n.op != noOp || n.op == opOperator {
		return // an operator's title is a name that its graph gave it
	}
	title := strings.ToLower(g.titles.texts[n.title])
	if n.layer == none {
		if l, ok := numberAfter(title, "layer"); ok {
			n.layer = l
		}
	}
	if n.op == noOp {
		n.op = opOfTitle(title, n.shape)
	}
}

// titleWords tell operators by their titles; the first that is in the title counts.
var titleWords = []struct {
	words string
	op    op
}{
	{"all-reduce", opAllReduce}, {"allreduce", opAllReduce}, {"all_reduce", opAllReduce}, {"all reduce", opAllReduce},
	{"reduce-scatter", opReduceScatter}, {"reducescatter", opReduceScatter}, {"reduce_scatter", opReduceScatter}, {"reduce scatter", opReduceScatter},
	{"all-gather", opAllGather}, {"allgather", opAllGather}, {"all_gather", opAllGather}, {"all gather", opAllGather},
	{"all-to-all", opAllToAll}, {"alltoall", opAllToAll}, {"all_to_all", opAllToAll}, {"all to all", opAllToAll},
	{"residual", opResidualAdd},
	{"kv read", opKVRead}, {"read kv", opKVRead}, {"kv cache read", opKVRead}, {"kv_read", opKVRead},
	{"kv write", opKVWrite}, {"write kv", opKVWrite}, {"kv cache write", opKVWrite}, {"kv_write", opKVWrite},
	{"softmax", opSoftmax},
	{"dispatch", opDispatch}, {"combine", opCombine}, {"top-k", opTopK}, {"top_k", opTopK}, {"topk", opTopK}, {"router", opGate}, {"gating", opGate},
	{"receive", opReceive}, {"recv", opReceive}, {"send", opSend},
}

// opOfTitle is the operator that a title tells: it starts with its name, or has it inside
// and the outline fits.
func opOfTitle(title string, s shape) op {
	start := withoutLayer(title)
	for _, t := range titleWords {
		if strings.HasPrefix(start, t.words) || strings.Contains(title, t.words) && s == t.op.shape() {
			return t.op
		}
	}
	if strings.Contains(title, "gate") && s == parallelogram {
		return opGate
	}
	if _, ok := numberAfter(title, "expert"); ok && s == box {
		return opExpert
	}
	switch first, _, _ := strings.Cut(title, " "); strings.Trim(first, ":") {
	case "input":
		return opInput
	case "output":
		if !strings.Contains(title, "proj") {
			return opOutput
		}
	}
	return noOp
}

// withoutLayer takes "layer 12: " or "layer 12 " off a title.
func withoutLayer(title string) string {
	rest, ok := strings.CutPrefix(title, "layer")
	if !ok {
		return title
	}
	if _, after, ok := strings.Cut(rest, ":"); ok {
		return strings.TrimSpace(after)
	}
	return strings.TrimLeft(rest, "0123456789 _-")
}

// numberAfter is the number that follows a word in a text: "layer 12", "layer_12".
func numberAfter(text, word string) (int32, bool) {
	at := strings.Index(text, word)
	if at < 0 {
		return 0, false
	}
	rest := strings.TrimLeft(text[at+len(word):], " _-#:")
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(rest[:end], 10, 32)
	return int32(n), err == nil
}
