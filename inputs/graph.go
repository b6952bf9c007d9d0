package inputs

import "strconv"

// Graph is a model given as operators with their costs, for models that are no chain
// of layers: branches, several towers, an encoder beside a decoder. Costs are those of
// one sample, whatever the file takes a sample to be.
type Graph struct {
	Nodes []GraphNode `json:"nodes"` // in the order of the file
	Edges []GraphEdge `json:"edges"` // data that flows; acyclic
}

// GraphNode is one operator or layer. What is not stated is zero or absent; a time is
// taken from TimesMS, else from the work, else from TimeMS (docs/cost-model.md, G1).
type GraphNode struct {
	ID   int    `json:"id"`             // as in the file; edges go by index
	Name string `json:"name,omitempty"` // for people
	// TimesMS are measured times by the name of the accelerator, as the catalogue has it.
	TimesMS map[string]float64 `json:"times_ms,omitempty"`
	// TimeMS is the time on any accelerator, of a file that does not say which.
	TimeMS *float64 `json:"time_ms,omitempty"`
	// FLOPs is the work; nil: not stated. Kernels is how many launches it takes.
	FLOPs   *float64 `json:"flops,omitempty"`
	Kernels int      `json:"kernels,omitempty"`
	// TrafficBytes is what is read and written; nil: weights, inputs and output once.
	TrafficBytes *float64 `json:"traffic_bytes,omitempty"`
	// MemoryBytes is held all the time: weights, and activations where the file says so.
	MemoryBytes int64 `json:"memory_bytes"`
	// WeightBytes and ActivationBytes are the parts of MemoryBytes where the file tells
	// them apart.
	WeightBytes     int64 `json:"weight_bytes,omitempty"`
	ActivationBytes int64 `json:"activation_bytes,omitempty"`
	// OutputBytes is what each edge out of it carries; nil: SendMS is the cost of sending.
	OutputBytes *float64 `json:"output_bytes,omitempty"`
	SendMS      float64  `json:"send_ms,omitempty"`
	// Colour: nodes of one class share a GPU; nil: free.
	Colour   *int  `json:"colour,omitempty"`
	Backward bool  `json:"backward,omitempty"` // part of the backward pass
	Place    Place `json:"-"`
}

// GraphEdge is data that flows from a node to another, by index into Nodes.
type GraphEdge struct {
	From int `json:"from"` // node that sends
	To   int `json:"to"`   // node that takes
}

// Training reports whether the graph has a backward pass.
func (g *Graph) Training() bool {
	for i := range g.Nodes {
		if g.Nodes[i].Backward {
			return true
		}
	}
	return false
}

// Label names a node for people: its name and id.
func (n *GraphNode) Label() string {
	id := "node " + strconv.Itoa(n.ID)
	if n.Name == "" {
		return id
	}
	return id + " (" + n.Name + ")"
}
