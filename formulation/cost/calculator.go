package cost

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"partita/inputs"
)

// Calculator prices stages of one condition. It holds what is resolved once per
// pool and per kind of layer and is not changed after New.
type Calculator struct {
	model    modelFigures
	kinds    []kindFigures
	devices  []device
	sends    []sendLink // inside a host, at from*pools+to
	warnings []string

	// Of training alone.
	layers         []int // kind of each
	gradientBytes  float64
	optimizerBytes float64
}

// modelFigures are the sizes that all kinds of layer share.
type modelFigures struct {
	hidden          float64
	vocab           float64
	tied            bool
	weightBytes     float64 // an element of the matrices, scales included
	denseBytes      float64 // an element of those beside the routed experts
	projectionBytes float64 // an element of attention's
	activationBytes float64
	kvBytes         float64
	// wideBytes is an element of embedding, head, router and norms: these stay in 16
	// bits where the matrices are quantised (Hugging Face FP8 and 4-bit checkpoints).
	wideBytes float64
}

// device is one GPU of a pool.
type device struct {
	name        string
	generation  string // of the constants in use
	constants   *inputs.Profile
	own         bool // constants are of a profile of the device, not the built-in ones
	precision   precision
	matmul      roofline // weight matrices
	dense       roofline // those beside the routed experts, in their format
	projections roofline // attention's matrices
	experts     roofline // those of the routed experts, many at once
	wide        roofline // router and head
	prefill     roofline // attention over new tokens
	decode      roofline // attention of one new token
	stream      roofline // norms and other memory-bound operators
	train       trainRates
	imbalance   float64 // of the busiest expert rank; 0: all have the mean
	stated      bool    // the condition states a utilisation
	complete    bool    // and leaves no efficiency of ours in use
	alike       bool    // devices of the generation that were measured are of its class
	gpusPerNode int
	node        *wire
	network     *wire
	host        inputs.HostConstants
	memory      engineMemory
	reserves    reserves
	notes       []OperatorEfficiency
}

// Defaults for links that no input states (bytes/s per GPU and direction).
const (
	defaultNodeRate    = 200e9
	defaultNetworkRate = 25e9
	defaultGPUsPerNode = 8
)

// New resolves the efficiencies, number formats and links of each pool.
//
// The error joins everything that makes the condition impossible to price, one
// sentence each with what to state.
func New(c *inputs.Condition) (*Calculator, error) {
	if c == nil {
		return nil, errors.New("cost: no condition given")
	}
	calc := &Calculator{}
	problems := checkModel(&c.Model)
	if len(c.Cluster.Pools) == 0 {
		problems = append(problems, errors.New("cluster: no pool of GPUs; state at least one accelerator"))
	}
	if len(problems) == 0 {
		calc.model = newModelFigures(&c.Model)
		calc.layers = slices.Clone(c.Model.Layers)
		calc.gradientBytes, calc.optimizerBytes = trainFormats(c.Workload.Training)
		for i := range c.Model.Kinds {
			calc.kinds = append(calc.kinds, newKindFigures(&c.Model, &c.Model.Kinds[i]))
		}
	}
	for i := range c.Cluster.Pools {
		d, warnings, err := newDevice(&c.Cluster, &c.Cluster.Pools[i], &c.Model, c.Engine)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		calc.devices = append(calc.devices, d)
		calc.warnings = append(calc.warnings, warnings...)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("cost: %w", errors.Join(problems...))
	}
	calc.sends = hostLinks(calc.devices)
	return calc, nil
}

// Warnings lists, in the order of the pools, what differs from the stated formats
// and links.
func (c *Calculator) Warnings() []string { return append([]string(nil), c.warnings...) }

// ComputeFormat is the number format that the pool multiplies weights in.
func (c *Calculator) ComputeFormat(pool int) inputs.DType { return c.devices[pool].precision.matmul }

func newModelFigures(m *inputs.Model) modelFigures {
	f := modelFigures{
		hidden:          float64(m.Hidden),
		vocab:           float64(m.Vocab),
		tied:            m.Tied,
		weightBytes:     storedBytes(m, m.Weights),
		denseBytes:      storedBytes(m, denseFormat(m)),
		projectionBytes: storedBytes(m, denseFormat(m)),
		activationBytes: m.Activation.Bytes(),
		kvBytes:         m.KV.Bytes(),
	}
	f.wideBytes = math.Max(2, f.weightBytes)
	if m.Projections != "" {
		f.projectionBytes = storedBytes(m, m.Projections)
	}
	return f
}

// storedBytes is an element of a matrix in a format, with its share of the scales that it is
// stored with. Those of eight bits have one a channel or a block of thousands: nothing.
func storedBytes(m *inputs.Model, format inputs.DType) float64 {
	b := format.Bytes()
	switch {
	case format == inputs.INT4:
		// AWQ, GPTQ: a scale of 16 bits and a zero of 4 for 128 elements.
		return b + 2.5/128
	case format == inputs.FP4 && m.Dense != "":
		// MXFP4, which quantises the experts alone: 8 bits for 32 elements (OCP Microscaling 1.0).
		return b + 1.0/32
	case format == inputs.FP4:
		// NVFP4: 8 bits for 16 elements.
		return b + 1.0/16
	}
	return b
}

// denseFormat is the format of the matrices beside the routed experts.
func denseFormat(m *inputs.Model) inputs.DType {
	if m.Dense != "" {
		return m.Dense
	}
	return m.Weights
}

// checkModel reports what cannot be priced.
func checkModel(m *inputs.Model) []error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf("model: "+format, args...)) }
	if m.Hidden <= 0 {
		add("hidden width is %d; state the width of a token", m.Hidden)
	}
	if m.Vocab < 0 {
		add("vocabulary is %d; it must not be negative", m.Vocab)
	}
	if len(m.Kinds) == 0 || len(m.Layers) == 0 {
		add("no layers; state their number and shape")
	}
	for i, kind := range m.Layers {
		if kind < 0 || kind >= len(m.Kinds) {
			add("layer %d is of kind %d, of which there are %d", i, kind, len(m.Kinds))
			break
		}
	}
	if s := m.FFNScale; s < 0 || math.IsNaN(s) || math.IsInf(s, 0) {
		add("the scale of the feed-forward widths is %g; it must be positive", s)
	}
	for i := range m.Kinds {
		k := &m.Kinds[i]
		a, f := &k.Attention, &k.FFN
		if a.Heads <= 0 || a.HeadDim <= 0 {
			add("layer kind %q has %d heads of width %d; both must be positive", k.Name, a.Heads, a.HeadDim)
		}
		if a.Kind == inputs.MLA {
			if a.KVLoraRank <= 0 || a.RopeDim < 0 || a.RopeDim > a.HeadDim {
				add("layer kind %q: latent attention needs a KV rank (got %d) and a rotary width between 0 and the head width (got %d)", k.Name, a.KVLoraRank, a.RopeDim)
			}
		} else if a.KVHeads <= 0 {
			add("layer kind %q has %d KV heads; state them (as many as heads for MHA)", k.Name, a.KVHeads)
		}
		if f.Intermediate < 0 || f.Shared < 0 || f.Experts < 0 || a.Window < 0 || a.QLoraRank < 0 || a.VHeadDim < 0 {
			add("layer kind %q has a negative size", k.Name)
		}
		if f.Experts > 0 && (f.TopK < 1 || f.TopK > f.Experts) {
			add("layer kind %q routes each token to %d of %d experts; it must be 1 to %d", k.Name, f.TopK, f.Experts, f.Experts)
		}
	}
	return problems
}
