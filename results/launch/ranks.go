package launch

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/results"
)

// ready is what the writer of an engine needs once the engine can run the plan.
type ready struct {
	checkpoint Checkpoint
	nodes      []node // of all replicas
	vendor     string
}

// ready asks the rules of an engine; more are reasons that its writer has found itself. The
// engine is one that has all stages of one size.
func (s *Serving) ready(engine, title string, more ...string) (ready, error) {
	var r ready
	reasons, err := s.limits(engine)
	if err != nil {
		return r, err
	}
	reasons = append(append(reasons, s.unlike()...), more...)
	if len(reasons) > 0 {
		return r, &Refusal{title, reasons}
	}
	if r.checkpoint, err = s.checkpoint(); err != nil {
		return r, err
	}
	if r.nodes, err = s.nodes(); err != nil {
		return r, err
	}
	vendors, err := s.vendors()
	if err == nil {
		r.vendor = vendors[0]
	}
	return r, err
}

// unlike says why replicas cannot share the words of one script; nothing where they can, as
// those that a search finds.
func (s *Serving) unlike() []string {
	for r, stages := range s.Replicas {
		same := slices.EqualFunc(stages, s.Replicas[0], func(a, b *results.Stage) bool {
			return a.FirstLayer == b.FirstLayer && a.LastLayer == b.LastLayer && a.TP == b.TP && a.EP == b.EP && a.ETP == b.ETP && a.CP == b.CP && a.DPAttention == b.DPAttention
		})
		if !same {
			return []string{fmt.Sprintf("replica %d differs from replica 0 in its degrees or layers: start each by a plan of its own", r)}
		}
	}
	return nil
}

// node is what one process starts on: GPUs of one host that stand together in the order
// of the ranks of a replica (stage after stage, in the order of each stage's GPUs).
type node struct {
	Replica int
	Rank    int // among the nodes of its replica
	Host    string
	GPUs    []string // numbers on the host, in the order of the ranks
}

// gpus are a node's GPUs as the variables of the drivers take them: 0,1,2,3.
func (n node) gpus() string { return strings.Join(n.GPUs, ",") }

// nodesOf cuts the ranks of a replica into as few nodes of one size as lie on one host each.
// A node holds whole stages, or an equal part of one stage; the stages must be of one size.
// That is what the launchers of the engines can express: they give every node the same
// number of ranks. Two nodes may stand on the same host.
func (s *Serving) nodesOf(stages []*results.Stage) ([]node, error) {
	size := len(stages[0].GPUs)
	var ranks []Device
	for _, x := range stages {
		if len(x.GPUs) != size {
			return nil, fmt.Errorf("stages have %d and %d GPUs: they have no nodes of one size", size, len(x.GPUs))
		}
		devices, err := s.devices(x)
		if err != nil {
			return nil, err
		}
		ranks = append(ranks, devices...)
	}
	n := 1 // ranks of a node: 1 always does
	for _, c := range nodeSizes(len(stages), size) {
		if onOneHost(ranks, c) {
			n = c
			break
		}
	}
	var out []node
	for part := range slices.Chunk(ranks, n) {
		out = append(out, node{Replica: stages[0].Replica, Rank: len(out), Host: part[0].Host, GPUs: indexes(part)})
	}
	return out, nil
}

// nodeSizes lists what a node may have of stages of one size, the largest first: whole
// stages that divide the pipeline, then equal parts of a stage.
func nodeSizes(stages, size int) []int {
	var out []int
	for k := stages; k >= 1; k-- {
		if stages%k == 0 {
			out = append(out, k*size)
		}
	}
	for part := size - 1; part >= 1; part-- {
		if size%part == 0 {
			out = append(out, part)
		}
	}
	return out
}

func onOneHost(ranks []Device, size int) bool {
	for part := range slices.Chunk(ranks, size) {
		if slices.ContainsFunc(part, func(d Device) bool { return d.Host != part[0].Host }) {
			return false
		}
	}
	return true
}

// nodes are the nodes of all replicas.
func (s *Serving) nodes() ([]node, error) {
	var out []node
	for _, r := range s.Replicas {
		of, err := s.nodesOf(r)
		if err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}

// beside are the GPUs of a node's replica on its host, in the order of the ranks, and the
// place of the node's first among them.
func beside(all []node, n node) (together node, at int) {
	together = n
	together.GPUs = nil
	for _, other := range all {
		if other.Replica != n.Replica || other.Host != n.Host {
			continue
		}
		if other.Rank == n.Rank {
			at = len(together.GPUs)
		}
		together.GPUs = append(together.GPUs, other.GPUs...)
	}
	return together, at
}

// layers are the layers of each stage, the same in every replica.
func (s *Serving) layers() []int {
	var out []int
	for _, x := range s.Replicas[0] {
		out = append(out, x.LastLayer-x.FirstLayer+1)
	}
	return out
}

// memory is what a plan may fill of a GPU of a stage before the share that it leaves free,
// in GiB: what an engine finds free when it starts.
func (s *Serving) memory(x *results.Stage) float64 {
	pool, err := s.pool(x.Pool)
	if err != nil {
		return x.CapacityGiB // a plan that was verified has none such
	}
	return float64(pool.MemoryBytes) / (1 << 30)
}

// room is what a GPU of a stage may give to the KV cache, in GiB: its capacity less
// weights, activations and reserve.
func room(x *results.Stage) float64 {
	return x.CapacityGiB - x.Memory.WeightsGiB - x.Memory.ActivationsGiB - x.Memory.ReserveGiB
}

func kvGiB(x *results.Stage) float64 { return x.Memory.KVGiB }

// most is the largest figure of the stages, least the smallest.
func most(stages []*results.Stage, of func(*results.Stage) float64) float64 {
	out := of(stages[0])
	for _, x := range stages[1:] {
		out = max(out, of(x))
	}
	return out
}

func least(stages []*results.Stage, of func(*results.Stage) float64) float64 {
	return -most(stages, func(x *results.Stage) float64 { return -of(x) })
}

// mostShare is the most of a GPU's memory that an engine is told to take.
const mostShare = 0.999

// share is a share of memory as a flag takes it, rounded down: never more than the plan's.
func share(x float64) float64 {
	return math.Floor(min(max(x, 0.0001), mostShare)*1e4+1e-6) / 1e4
}
