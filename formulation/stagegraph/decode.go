package stagegraph

import (
	"fmt"
	"slices"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/solver/path"
)

// Part is one stage of a replica: what a path's arc stands for.
type Part struct {
	First, Last int // layers, both included
	Pool        int
	Shape       cost.Shape
}

// Placed is a Part on its GPUs.
type Placed struct {
	Part
	Replica, Index int
	Hosts          []string // of each GPU
	GPUs           []string
	Seconds        [2]float64 // time in both phases, send included
	Memory         cost.Memory
}

// Parts reads the stages of a replica off a path of the graph.
func (g *Graph) Parts(stages []path.Stage) []Part {
	out := make([]Part, len(stages))
	for i, st := range stages {
		out[i] = g.Part(st)
	}
	return out
}

// Part is the stage that an arc of the graph stands for.
func (g *Graph) Part(st path.Stage) Part {
	o := g.Problem.Options[st.Class][st.Option]
	k := g.poolOf(o)
	return Part{First: st.From, Last: st.To - 1, Pool: k, Shape: g.space.pools[k].shapes[o.Ref]}
}

// poolOf is the pool whose resource an option takes.
func (g *Graph) poolOf(o path.Option) int {
	next := 0
	for k := range g.space.pools {
		if g.space.pools[k].chains {
			next++
		} else {
			next += len(g.space.pools[k].sizes)
		}
		if int(o.Resource) < next {
			return k
		}
	}
	return len(g.space.pools) - 1
}

// Path finds the arcs of the graph that run these parts; false where one of them
// is not a candidate (it does not fit, or another shape beats it).
func (g *Graph) Path(parts []Part) ([]path.Stage, bool) {
	out := make([]path.Stage, len(parts))
	for i, pt := range parts {
		class := g.Problem.ClassOf(pt.First, pt.Last+1)
		if class < 0 {
			return nil, false
		}
		found := false
		for j, o := range g.Problem.Options[class] {
			if g.poolOf(o) == pt.Pool && g.space.pools[pt.Pool].shapes[o.Ref] == pt.Shape {
				out[i] = path.Stage{From: pt.First, To: pt.Last + 1, Class: class, Option: int32(j)}
				found = true
			}
		}
		if !found {
			return nil, false
		}
	}
	return out, true
}

// Place gives every replica its GPUs, by name. Larger groups first; a replica that
// is to stay on one host is placed as a whole.
func (s *Space) Place(ch Choice, parts []Part) ([]Placed, error) {
	r := ch.Layout.Replicas
	a := s.newAssignment(r, parts)
	var ok bool
	if ch.Layout.SameHost {
		ok = a.byHost(parts, r)
	} else {
		ok = a.byGroup(parts, r)
		if ok && a.together(len(parts)) {
			a.spread(parts)
		}
	}
	if !ok {
		return nil, fmt.Errorf("%d replicas of %d stages do not pack into the nodes", r, len(parts))
	}
	price := s.pricing(r, ch.Micro, ch.Groups)
	out := make([]Placed, 0, r*len(parts))
	oneHost := true // each replica; all are priced alike, as the slowest
	for rep := range r {
		hosts := map[string]bool{}
		for i, pt := range parts {
			p := Placed{Part: pt, Replica: rep, Index: i}
			for _, slot := range a.taken[rep*len(parts)+i] {
				p.GPUs = append(p.GPUs, slot.gpu)
				p.Hosts = append(p.Hosts, slot.host)
				hosts[slot.host] = true
			}
			out = append(out, p)
		}
		oneHost = oneHost && len(hosts) == 1
	}
	for from := 0; from < len(out); from += len(parts) {
		for i := range parts {
			s.price(&price, ch, out[from:from+len(parts)], i, oneHost)
		}
	}
	return out, nil
}

// price fills in the time and memory of stage i of a replica.
func (s *Space) price(price *pricing, ch Choice, stages []Placed, i int, oneHost bool) {
	p := &stages[i]
	shape := slices.Index(s.pools[p.Pool].shapes, p.Shape)
	c := &s.classes.list[s.classes.of[p.First*(s.layers+1)+p.Last+1]]
	p.Seconds = price.times(p.Pool, shape, c)
	if i+1 < len(stages) {
		send := price.sends(p.Pool, shape, stages[i+1].Pool, oneHost)
		p.Seconds[0] += send[0]
		p.Seconds[1] += send[1]
	}
	p.Memory = s.Memory(ch, p.Part)
}

// Seconds prices the stages of one replica in both phases; sameHost as in the layout.
func (s *Space) Seconds(ch Choice, parts []Part) [][2]float64 {
	price := s.pricing(ch.Layout.Replicas, ch.Micro, ch.Groups)
	out := make([][2]float64, len(parts))
	stages := make([]Placed, len(parts))
	for i, pt := range parts {
		stages[i].Part = pt
	}
	for i := range parts {
		s.price(&price, ch, stages, i, ch.Layout.SameHost)
		out[i] = stages[i].Seconds
	}
	return out
}

// Memory is what each GPU of a part holds under an outer choice, bytes.
func (s *Space) Memory(ch Choice, pt Part) cost.Memory {
	c := &s.classes.list[s.classes.of[pt.First*(s.layers+1)+pt.Last+1]]
	return s.Costs.StageMemory(pt.Pool, c.counts, c.first, c.last, pt.Shape, s.loadOf(ch, pt))
}

func (s *Space) loadOf(ch Choice, pt Part) cost.Load {
	return s.load(s.Sequences(ch.Layout.Replicas), ch.Micro, ch.Groups, pt.Shape.DPAttention)
}

// KVTokens is the number of tokens whose KV a replica can hold.
func (s *Space) KVTokens(ch Choice, parts []Part) int64 {
	least := int64(-1)
	for _, pt := range parts {
		n := int64(s.Costs.KVTokens(pt.Pool, s.countsOf(pt.First, pt.Last+1), pt.First == 0, pt.Last == s.layers-1, pt.Shape, s.loadOf(ch, pt)))
		if least < 0 || n < least {
			least = n
		}
	}
	return least
}

// Prefills reports whether the workload has a prefill (latency) phase.
func (s *Space) Prefills() bool { return s.Condition.Workload.Phase != inputs.Decode }

// Decodes reports whether the workload has decode steps.
func (s *Space) Decodes() bool { return s.Condition.Workload.Phase != inputs.Prefill }

// DecodeSeconds prices a decode step of all sequences of a replica at once on each
// stage at the prompts' middle length, sends included: for information where nothing is
// decoded.
func (s *Space) DecodeSeconds(ch Choice, parts []Part) []float64 {
	st := cost.Step{Phase: inputs.Decode, Sequences: s.Sequences(ch.Layout.Replicas), New: 1, Cached: s.Condition.Workload.Input.Mid()}
	return s.stageSeconds(ch, parts, s.steps(st))
}

// PromptSeconds prices the longest prompt by itself on each stage, sends included: what
// kernels have in the time to the first token.
func (s *Space) PromptSeconds(ch Choice, parts []Part) []float64 {
	return s.stageSeconds(ch, parts, s.table(s.serving(1, 1).PromptStep()))
}

func (s *Space) stageSeconds(ch Choice, parts []Part, table [][]prices) []float64 {
	out := make([]float64, len(parts))
	for i, pt := range parts {
		p := &table[pt.Pool][slices.Index(s.pools[pt.Pool].shapes, pt.Shape)]
		out[i] = p.stage(&s.classes.list[s.classes.of[pt.First*(s.layers+1)+pt.Last+1]])
		if i+1 < len(parts) {
			out[i] += p.send(parts[i+1].Pool, ch.Layout.SameHost)
		}
	}
	return out
}

// WholeModel is the memory the model would take on one GPU of the first pool that
// held all of it, with every sequence.
func (s *Space) WholeModel() cost.Memory {
	c := &s.classes.list[s.classes.of[s.layers]]
	one := cost.Shape{TP: 1, CP: 1, DPAttention: 1, EP: 1, ETP: 1}
	n := s.Condition.Workload.Batch
	return s.Costs.StageMemory(0, c.counts, true, true, one, s.load(n, n, 0, 1))
}
