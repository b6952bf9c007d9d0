package export

import (
	"fmt"
	"strings"

	"partita/results"
)

// Limits of the pictures: what is larger is drawn by its unlike parts, and listed in full
// beside it.
const (
	drawnGPUs  = 64   // GPUs that have a row each
	drawnKinds = 12   // runs of layers of one kind that are named above the others
	floorRows  = 32   // rows of nodes in the picture of a large cluster
	drawnBars  = 4096 // stages beyond which those of several replicas on a node share a bar
)

// htmlMap shows which layers lie on which GPUs.
func htmlMap(w *webpage, p *results.Plan, ph *results.PhasePlan) {
	classes := replicaClasses(ph)
	w.heading(3, "Where the "+pieces(ph)+"s lie")
	total := gpusOfPlan(ph)
	stageTables := func() { htmlStages(w, ph, classes) }
	switch {
	case total <= drawnGPUs:
		w.figure(strings.ToUpper(pieces(ph)[:1])+pieces(ph)[1:]+"s by GPU", mapAbout(ph, "Each row is a GPU, the bar shows the "+pieces(ph)+"s it holds its share of."), nil, gpuMap(p, ph), stageTables)
	default:
		w.figure("GPUs by replica and stage", floorAbout(ph), floorKey(ph), floorMap(p, ph), func() { htmlPlacement(w, ph) })
		w.figure(strings.ToUpper(pieces(ph)[:1])+pieces(ph)[1:]+"s by stage", mapAbout(ph, "Each row is a stage; of replicas that are alike the first is drawn."), nil, stageMap(p, ph, classes), stageTables)
	}
}

func mapAbout(ph *results.PhasePlan, start string) string {
	if ofTraining(ph) {
		return fmt.Sprintf("%s %s of %s with %s each.", start, plural(ph.Strategy.Replicas, "replica"), plural(ph.Strategy.PP, "rank"), plural(ph.Strategy.VirtualStages, "stage"))
	}
	return fmt.Sprintf("%s %s of %s each.", start, plural(ph.Strategy.Replicas, "replica"), plural(ph.Strategy.PP, "stage"))
}

// stageColour tells stages apart; where a replica has one stage only, replicas.
func stageColour(ph *results.PhasePlan, s *results.Stage) string {
	if ph.Strategy.PP > 1 {
		return colour(s.Index)
	}
	return colour(s.Replica)
}

// stageTexts name a stage in a bar, the longest first.
func stageTexts(ph *results.PhasePlan, s *results.Stage) []string {
	name, short := fmt.Sprintf("stage %d", s.Index), fmt.Sprintf("s%d", s.Index)
	if ph.Strategy.Replicas > 1 {
		name, short = fmt.Sprintf("replica %d, stage %d", s.Replica, s.Index), fmt.Sprintf("r%d s%d", s.Replica, s.Index)
	}
	layers := layerRange(s)
	return []string{
		fmt.Sprintf("%s: %s, %s on %s", name, layers, split(s), plain(s.Pool)),
		fmt.Sprintf("%s: %s, %s", name, layers, split(s)), name + ": " + layers, name, short,
	}
}

func layerRange(s *results.Stage) string {
	if s.Nodes != nil {
		return plural(len(s.Nodes), "node")
	}
	if s.FirstLayer == s.LastLayer {
		return fmt.Sprintf("layer %d", s.FirstLayer)
	}
	return fmt.Sprintf("layers %d–%d", s.FirstLayer, s.LastLayer)
}

func stageTip(s *results.Stage) string {
	return fmt.Sprintf("replica %d, stage %d: %s, %s\n%s: %s\n%s of %s on each GPU", s.Replica, s.Index, layerRange(s), split(s),
		plain(s.Pool), gpuRange(plainAll(s.GPUs)), gibibytes(s.MemoryGiB), gibibytes(s.CapacityGiB))
}

// layersOf is the number of layers of the model.
func layersOf(ph *results.PhasePlan) int {
	n := 0
	for i := range ph.Stages {
		n = max(n, ph.Stages[i].LastLayer+1)
	}
	return n
}

// gpuMap has a row for each GPU, stage by stage, and after them those that stay idle or are
// of the other side of a plan that keeps prefill and decode apart.
func gpuMap(p *results.Plan, ph *results.PhasePlan) *bands {
	c := newBands(pieces(ph), float64(layersOf(ph)), 17)
	c.Whole, c.Exact, c.Beside = true, true, true
	c.kindsOf(p)
	used := map[string]bool{}
	at := map[string]int{} // the row of a GPU
	for i := range ph.Stages {
		s := &ph.Stages[i]
		if row, drawn := at[s.GPUs[0]]; drawn { // another stage of a rank
			c.Bars = append(c.Bars, band{Row: row, Rows: len(s.GPUs), From: float64(s.FirstLayer), To: float64(s.LastLayer + 1),
				Colour: stageColour(ph, s), Texts: stageTexts(ph, s), Tip: stageTip(s)})
			continue
		}
		at[s.GPUs[0]] = len(c.Rows)
		c.Bars = append(c.Bars, band{Row: len(c.Rows), Rows: len(s.GPUs), From: float64(s.FirstLayer), To: float64(s.LastLayer + 1),
			Colour: stageColour(ph, s), Texts: stageTexts(ph, s), Tip: stageTip(s)})
		c.Rows = append(c.Rows, plainAll(s.GPUs)...)
		for _, id := range s.GPUs {
			used[id] = true
		}
	}
	does := otherwise(p, ph)
	for _, id := range idleGPUs(p, used) {
		if len(c.Bars) >= 2*drawnGPUs {
			break
		}
		c.Bars = append(c.Bars, band{Row: len(c.Rows), Rows: 1, From: 0, To: c.End, Colour: "free", Texts: []string{does(id)}, Tip: plain(id) + ": " + does(id)})
		c.Rows = append(c.Rows, plain(id))
	}
	c.byNode()
	return c
}

// kindsOf adds a row with the kinds of layers, where a model has several runs of them, but
// not many.
func (c *bands) kindsOf(p *results.Plan) {
	if p.Deployment == nil || len(p.Deployment.Model.Kinds) < 2 {
		return
	}
	m := &p.Deployment.Model
	changes := 1
	for i := 1; i < len(m.Layers); i++ {
		if m.Layers[i] != m.Layers[i-1] {
			changes++
		}
	}
	if changes > drawnKinds {
		return // kinds that alternate tell nothing in a row
	}
	for i := 0; i < len(m.Layers); {
		j := i
		for j < len(m.Layers) && m.Layers[j] == m.Layers[i] {
			j++
		}
		name := "?"
		if k := m.Layers[i]; k >= 0 && k < len(m.Kinds) {
			name = plain(m.Kinds[k].Name)
		}
		c.Bars = append(c.Bars, band{Row: 0, Rows: 1, From: float64(i), To: float64(j), Colour: "c5", Texts: []string{name}, Tip: fmt.Sprintf("layers %d–%d: %s", i, j-1, name)})
		i = j
	}
	c.Rows = append(c.Rows, "kind of layer")
}

// byNode parts rows of GPUs by node: only the first of a node names it.
func (c *bands) byNode() {
	last := ""
	for i, id := range c.Rows {
		at := strings.LastIndexByte(id, '/')
		if at < 0 {
			continue
		}
		if id[:at] == last {
			c.Rows[i] = id[at+1:]
		} else if i > 0 {
			c.Breaks = append(c.Breaks, i)
		}
		last = id[:at]
	}
}

// otherwise says what a GPU does that a phase has no stage on: it works for another phase,
// or it is idle.
func otherwise(p *results.Plan, ph *results.PhasePlan) func(id string) string {
	busy := map[string]string{}
	for i := range p.Phases {
		other := &p.Phases[i]
		if other.Phase == ph.Phase {
			continue
		}
		for j := range other.Stages {
			for _, id := range other.Stages[j].GPUs {
				busy[id] = string(other.Phase) + " side"
			}
		}
	}
	return func(id string) string {
		if does := busy[id]; does != "" {
			return does
		}
		return "idle"
	}
}

// idleGPUs are the GPUs of a stated cluster that a phase does not use.
func idleGPUs(p *results.Plan, used map[string]bool) []string {
	var idle []string
	if p.Deployment == nil {
		return nil
	}
	for _, pool := range p.Deployment.Cluster.Pools {
		for _, n := range pool.Nodes {
			for _, id := range n.GPUs {
				if !used[id] {
					idle = append(idle, id)
				}
			}
		}
	}
	return idle
}

// stageMap has a row for each stage of unlike replicas.
func stageMap(p *results.Plan, ph *results.PhasePlan, classes []replicaClass) *bands {
	c := newBands(pieces(ph), float64(layersOf(ph)), 26)
	c.Whole, c.Exact, c.Beside = true, true, true
	c.kindsOf(p)
	add := func(s *results.Stage) {
		c.Bars = append(c.Bars, band{Row: len(c.Rows), Rows: 1, From: float64(s.FirstLayer), To: float64(s.LastLayer + 1),
			Colour: stageColour(ph, s), Texts: stageTexts(ph, s), Tip: stageTip(s)})
		c.Rows = append(c.Rows, gpuRange(plainAll(s.GPUs)))
	}
	for _, class := range classes {
		for _, s := range class.stages {
			if len(c.Rows) < drawnRows {
				add(s)
			}
		}
	}
	return c
}

// htmlStages lists the stages of each unlike replica.
func htmlStages(w *webpage, ph *results.PhasePlan, classes []replicaClass) {
	for _, c := range classes {
		if n := len(c.replicas); n > 1 {
			w.paragraph(fmt.Sprintf("%s are alike (%s); replica %d is shown.", plural(n, "replica"), runs(c.replicas), c.replicas[0]))
		} else if len(classes) > 1 {
			w.paragraph(fmt.Sprintf("Replica %d.", c.replicas[0]))
		}
		header, rows := stageTableOf(ph, c.stages)
		w.titled("Stages", header, rows)
	}
	if len(ph.Stages) > 0 && ph.Strategy.Replicas > 1 && gpusOfPlan(ph) <= drawnGPUs {
		htmlPlacement(w, ph)
	}
}

func gpusOfPlan(ph *results.PhasePlan) int {
	n := 0
	for i := range ph.Stages {
		if c := ph.Stages[i].Chunk; c == nil || *c == 0 { // the others share the GPUs of their rank
			n += len(ph.Stages[i].GPUs)
		}
	}
	return n
}

// htmlPlacement lists the GPUs of every replica by their ids.
func htmlPlacement(w *webpage, ph *results.PhasePlan) {
	rows := [][]string{}
	for i := 0; i < len(ph.Stages); {
		s := &ph.Stages[i]
		if s.Chunk != nil && *s.Chunk > 0 { // on the GPUs of its rank
			i++
			continue
		}
		n := loneGPUs(ph.Stages[i:])
		if n > 1 {
			var ids []string
			for _, one := range ph.Stages[i : i+n] {
				ids = append(ids, one.GPUs...)
			}
			rows = append(rows, []string{fmt.Sprintf("%d–%d", s.Replica, s.Replica+n-1), fmt.Sprint(s.Index), s.Pool, gpuRange(ids) + ", one each"})
		} else {
			rows = append(rows, []string{fmt.Sprint(s.Replica), fmt.Sprint(s.Index), s.Pool, gpuRange(s.GPUs)})
		}
		i += n
	}
	w.fold(fmt.Sprintf("GPUs by replica and stage, by their ids (%s)", plural(len(rows), "row")), func() {
		w.titled("GPUs by replica and stage", []string{"replica#", "stage#", "pool", "GPUs"}, rows)
	})
}

// loneGPUs counts the stages at the head of a list that follow each other as replicas of
// one GPU each on one node: they share a line. One at least.
func loneGPUs(stages []results.Stage) int {
	node := func(s *results.Stage) string { return s.GPUs[0][:max(0, strings.LastIndexByte(s.GPUs[0], '/'))] }
	n := 1
	for ; n < len(stages); n++ {
		a, b := &stages[n-1], &stages[n]
		if len(a.GPUs) != 1 || len(b.GPUs) != 1 || b.Replica != a.Replica+1 || b.Pool != a.Pool || node(a) != node(b) {
			break
		}
	}
	return n
}

// floorMap shows a large cluster node by node: a row holds several nodes, the bars are
// their GPUs by replica and stage.
func floorMap(p *results.Plan, ph *results.PhasePlan) *bands {
	nodes, at := nodesOf(p, ph)
	perRow := (len(nodes) + floorRows - 1) / floorRows
	alike := func(a, b *results.Stage) bool { return a == b }
	if len(ph.Stages) > drawnBars {
		alike = func(a, b *results.Stage) bool { return a == b || a != nil && b != nil && a.Index == b.Index } // replicas run together
	}
	does := otherwise(p, ph)
	c := newBands("GPU of the row", 0, 18)
	c.Whole, c.Exact = true, true
	for from := 0; from < len(nodes); from += perRow {
		row := nodes[from:min(from+perRow, len(nodes))]
		var hosts []string
		x := 0
		for _, n := range row {
			hosts = append(hosts, plain(n.host))
			for j := 0; j < len(n.gpus); {
				k := j + 1
				for k < len(n.gpus) && alike(at[n.gpus[k]], at[n.gpus[j]]) && does(n.gpus[k]) == does(n.gpus[j]) {
					k++
				}
				b := band{Row: len(c.Rows), Rows: 1, From: float64(x + j), To: float64(x + k), Colour: "free", Tip: plain(n.host) + ": " + does(n.gpus[j])}
				if s, last := at[n.gpus[j]], at[n.gpus[k-1]]; s != nil && s != last {
					b.Colour, b.Tip = stageColour(ph, s), fmt.Sprintf("replicas %d to %d, stage %d\n%s", s.Replica, last.Replica, s.Index, gpuRange(plainAll(n.gpus[j:k])))
				} else if s != nil {
					b.Colour, b.Tip, b.Faint = stageColour(ph, s), stageTip(s), s.Replica%2 == 1 && ph.Strategy.PP > 1
					b.Texts = []string{fmt.Sprintf("replica %d, stage %d", s.Replica, s.Index), fmt.Sprintf("r%d s%d", s.Replica, s.Index), fmt.Sprintf("r%d", s.Replica)}
				}
				c.Bars = append(c.Bars, b)
				j = k
			}
			x += len(n.gpus)
		}
		c.Rows = append(c.Rows, gpuRange(hosts))
		c.End = max(c.End, float64(x))
	}
	return c
}

// host is a node with its GPUs, as the picture of a large cluster needs it.
type host struct {
	host string
	gpus []string
}

// nodesOf are the nodes of the cluster, of those made as needed the ones in use, and the
// stage on each GPU.
func nodesOf(p *results.Plan, ph *results.PhasePlan) ([]host, map[string]*results.Stage) {
	at := map[string]*results.Stage{}
	var used []string
	for i := range ph.Stages {
		for _, id := range ph.Stages[i].GPUs {
			if at[id] == nil { // the stages of a rank share its GPUs
				at[id] = &ph.Stages[i]
				used = append(used, id)
			}
		}
	}
	var nodes []host
	listed := map[string]bool{}
	if p.Deployment != nil {
		for _, pool := range p.Deployment.Cluster.Pools {
			for _, n := range pool.Nodes {
				nodes = append(nodes, host{n.Host, n.GPUs})
				for _, id := range n.GPUs {
					listed[id] = true
				}
			}
		}
	}
	index := map[string]int{}
	for _, id := range used {
		if listed[id] {
			continue
		}
		name := id[:max(0, strings.LastIndexByte(id, '/'))] // made as needed: node-0/gpu-3
		i, seen := index[name]
		if !seen {
			i = len(nodes)
			index[name] = i
			nodes = append(nodes, host{host: name})
		}
		nodes[i].gpus = append(nodes[i].gpus, id)
	}
	return nodes, at
}

func floorAbout(ph *results.PhasePlan) string {
	paler := ""
	if ph.Strategy.PP > 1 {
		paler = "; every other replica is paler"
	}
	return fmt.Sprintf("Each row is one node or several, each bar the GPUs of a node that work on one stage of one replica%s. %s on %s.",
		paler, plural(ph.Strategy.Replicas, "replica"), plural(gpusOfPlan(ph), "GPU"))
}

// floorKey names the colours: those of stages, where they differ.
func floorKey(ph *results.PhasePlan) []keyEntry {
	if ph.Strategy.PP < 2 {
		return nil
	}
	var key []keyEntry
	for i := range min(ph.Strategy.PP, len(colours)) {
		name := fmt.Sprintf("stage %d", i)
		if more := (ph.Strategy.PP - 1 - i) / len(colours); more > 0 {
			name += fmt.Sprintf(", %d, …", i+len(colours))
		}
		key = append(key, keyEntry{colour(i), name})
	}
	return key
}
