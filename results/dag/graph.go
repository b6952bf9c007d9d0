package dag

import (
	"fmt"
	"strings"
)

// twins are replicas that are drawn as one: those that are alike, or one alone.
type twins struct {
	replicas []int
	batch    int // sequences of the drawn micro-batch or group
}

// batchOf is the number of sequences of a replica's drawn micro-batch or group: its first,
// which none is larger than.
func (g *graph) batchOf(replica int) int {
	return share(share(g.batch, len(g.replicas), replica), g.parts, 0)
}

// sets sorts the replicas into those that are drawn as one.
func (g *graph) sets(fold bool) []twins {
	var out []twins
	known := map[string]int{}
	for r := range g.replicas {
		b := g.batchOf(r)
		key := fmt.Sprint(r)
		if fold {
			key = g.likeness(r)
		}
		i, seen := known[key]
		if !seen {
			i = len(out)
			known[key] = i
			out = append(out, twins{batch: b})
		}
		out[i].replicas = append(out[i].replicas, r)
	}
	return out
}

// likeness is equal for replicas that differ in their GPUs alone.
func (g *graph) likeness(r int) string {
	var b strings.Builder
	fmt.Fprint(&b, g.batchOf(r))
	for _, s := range g.replicas[r] {
		fmt.Fprintf(&b, " %q %d %d %d %d %d %d", s.Pool, s.LastLayer, s.TP, s.CP, s.DPAttention, s.EP, s.ETP)
	}
	return b.String()
}

// crowded is the number of nodes from which on the ranks of a replica are drawn as one
// where they do the same; manyRanks is the number of GPUs of a stage from which on.
// opsOfLayer is about how many nodes a layer has on a rank.
const (
	crowded    = 600
	manyRanks  = 8
	opsOfLayer = 20
)

// build lays out the stages of a set of replicas; where nodes are only counted, without
// the names of GPUs.
func (g *graph) build(t *twins, folded, counting bool) []*stage {
	stages := g.replicas[t.replicas[0]]
	out := make([]*stage, len(stages))
	nodes := 0
	for i, src := range stages {
		s := &stage{src: src, pool: g.pools[src.Pool], batch: t.batch, seqLen: g.seqLen, index: i, replica: fmt.Sprintf("cluster_replica_%d", t.replicas[0])}
		s.short = folded && g.gpus > most
		s.deal()
		kinds := g.model.Layers[src.FirstLayer : src.LastLayer+1]
		if folded || counting {
			s.runs = foldLayers(kinds, src.FirstLayer)
		} // else each layer is made when it is drawn
		s.perNode = max(1, s.pool.GPUsPerNode)
		for _, n := range s.pool.Nodes {
			s.perNode = max(s.perNode, len(n.GPUs))
		}
		s.inside, s.network = secondsPerByte(s.pool.Intra.BytesPerSecond), secondsPerByte(g.cluster.Network.BytesPerSecond)
		nodes += len(s.runs) * opsOfLayer * len(s.ranks)
		out[i] = s
	}
	for i, s := range out {
		var before, after *stage
		if i > 0 {
			before = out[i-1]
		}
		if i+1 < len(out) {
			after = out[i+1]
		}
		fold := folded && (len(s.ranks) > manyRanks || nodes > crowded)
		s.sortLanes(g.model, before, after, fold, folded, func(j int) []string {
			if counting {
				return []string{""} // nobody reads it
			}
			names := make([]string, len(t.replicas))
			for k, r := range t.replicas {
				names[k] = g.names.of(g.replicas[r][i].GPUs[j])
			}
			return names
		})
	}
	return out
}

// secondsPerByte of a link; one that is not known counts as slow.
func secondsPerByte(rate float64) float64 {
	if rate <= 0 {
		return 1
	}
	return 1 / rate
}

// draw writes the whole graph, or counts it.
func (g *graph) draw(p *pen, folded bool) {
	counting := p.w == nil
	sets := g.sets(folded || counting)
	var entrance []string
	if !counting {
		entrance = g.open(p, sets, folded)
	}
	p.weight = 1
	from := g.input(p, sets, entrance, folded)
	var results []id
	var outs []Tensor
	var gpus []string
	for i := range sets {
		t := &sets[i]
		if counting && !folded {
			p.weight = int64(len(t.replicas))
		}
		base := p.weight
		stages := g.build(t, folded, counting)
		n, o, line := g.replica(p, stages, from, base, folded, counting)
		results, outs, gpus = append(results, n...), append(outs, o...), append(gpus, line...)
	}
	p.weight = 1
	g.output(p, sets, results, outs, gpus, folded)
	p.text("}\n")
}

// replica draws the stages of a replica and what joins them. It returns the nodes that
// have its results, their shapes, and the GPUs that these are on.
func (g *graph) replica(p *pen, stages []*stage, from id, base int64, folded, counting bool) (results []id, outs []Tensor, gpus []string) {
	var l *layerPen
	for i, s := range stages {
		last := l
		l = &layerPen{p: p, m: g.model, s: s, decode: g.decode, context: g.context}
		if i == 0 {
			l.embed(g.deal(l, from, folded))
		} else {
			handOver(last, l)
			g.flush(p, stages[i-1], nil)
		}
		g.flush(p, s, nil)
		p.flushEdges()
		draw := func(r *run) {
			if counting && !folded {
				p.weight = base * int64(r.times())
			}
			l.run = r
			l.layer(&g.model.Kinds[r.kind])
			l.run = nil
			p.weight = base
			g.flush(p, s, nil)
			p.flushEdges()
		}
		if s.runs != nil {
			for j := range s.runs {
				draw(&s.runs[j])
			}
			continue
		}
		for layer := s.src.FirstLayer; layer <= s.src.LastLayer; layer++ {
			r := foldOne(layer, g.model.Layers[layer])
			draw(&r)
		}
	}
	results, outs = l.head()
	gpus = l.s.leaders(g.model.Vocab > 0)
	results, outs = g.join(l, results, outs, gpus, folded)
	g.flush(p, l.s, nil)
	p.flushEdges()
	return results, outs, gpus
}

// open writes the head of a graph: its attributes and all clusters with theirs. It returns
// the GPUs that the input goes to.
func (g *graph) open(p *pen, sets []twins, folded bool) (entrance []string) {
	name := "prefill"
	if g.decode {
		name = "decode"
	}
	title := fmt.Sprintf("%s: %s of %s", g.plan.Condition, name, g.model.Name)
	fold := ""
	if folded {
		fold = ", folded=true"
	}
	p.text(fmt.Sprintf("digraph \"%s\" {\ngraph [phase=\"%s\", condition=\"%s\"%s, label=\"%s\", labelloc=t, newrank=true, fontname=\"Helvetica\"];\n",
		name, name, escaped(g.plan.Condition), fold, escaped(title)))
	p.text("node [fontname=\"Helvetica\", fontsize=10];\n")
	for i := range sets {
		for j, s := range g.build(&sets[i], folded, false) {
			g.flush(p, s, g.declare(s, &sets[i], folded))
			if j == 0 {
				entrance = append(entrance, s.busy()...)
			}
		}
	}
	return entrance
}

// heads are the attributes of the clusters of a stage.
type heads struct {
	replica, stage string
	lanes          []string
}

func (g *graph) declare(s *stage, t *twins, folded bool) *heads {
	h := &heads{}
	if s.index == 0 {
		h.replica = fmt.Sprintf("label=\"replica %d\";\n", t.replicas[0])
		if n := len(t.replicas); n > 1 {
			h.replica = fmt.Sprintf("label=\"replica %d, and %d like it\";\n", t.replicas[0], n-1)
		}
	}
	layers := fmt.Sprintf("layers %d to %d", s.src.FirstLayer, s.src.LastLayer)
	if s.src.FirstLayer == s.src.LastLayer {
		layers = fmt.Sprintf("layer %d", s.src.FirstLayer)
	}
	h.stage = fmt.Sprintf("label=\"stage %d: %s\";\n", s.index, layers)
	for i := range s.lanes {
		l := &s.lanes[i]
		about := fmt.Sprintf("%s, replica %d, stage %d, rank %d%s", escaped(s.pool.Accelerator.Name), t.replicas[0], s.index, l.ranks[0], s.coordinates(l.ranks[0]))
		ids, rest := l.gpus, ""
		if len(ids) > most {
			rest = fmt.Sprintf(`\n  and %d more, which the attribute gpus lists`, len(ids)-most)
			ids = ids[:most]
		}
		if len(l.gpus) > 1 {
			about += fmt.Sprintf("; %d more do the same", len(l.gpus)-1)
		}
		text := fmt.Sprintf("gpu=\"%s\"; ", l.gpus[0])
		if folded {
			text += fmt.Sprintf("gpus=\"%s\"; ", strings.Join(l.gpus, " "))
		}
		h.lanes = append(h.lanes, fmt.Sprintf("%slabel=\"%s%s\\n%s\";\n", text, list(ids), rest, about))
	}
	return h
}

// coordinates of a rank in the degrees that its stage has.
func (s *stage) coordinates(j int) string {
	r, text := s.place(j), ""
	for _, c := range []struct {
		name     string
		at, size int
	}{{"TP", r.t, s.src.TP}, {"CP", r.c, s.src.CP}, {"attention DP", r.d, s.src.DPAttention}, {"EP", j / s.src.ETP, s.src.EP}} {
		if c.size > 1 {
			text += fmt.Sprintf(", %s %d", c.name, c.at)
		}
	}
	return text
}

// flush writes what the clusters of a stage have got, or their attributes.
func (g *graph) flush(p *pen, s *stage, h *heads) {
	if p.w == nil {
		return
	}
	p.text("subgraph \"" + s.replica + "\" {")
	if h != nil {
		p.text(h.replica)
	}
	p.text(fmt.Sprintf("subgraph \"%s_stage_%d\" {\n", s.replica, s.index))
	if h != nil {
		p.text(h.stage)
	}
	for i := range s.lanes {
		l := &s.lanes[i]
		if h == nil && len(l.buf) == 0 {
			continue
		}
		p.text("subgraph \"" + l.cluster + "\" {\n")
		if h != nil {
			p.text(h.lanes[i])
		}
		p.write(l.buf)
		l.buf = l.buf[:0]
		p.text("}\n")
	}
	p.write(p.line)
	p.line = p.line[:0]
	p.text("}}\n")
}
