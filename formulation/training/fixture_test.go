package training

import (
	"errors"
	"fmt"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/catalog"
	"partita/solver"
	"partita/solver/lpsolve"
	"partita/solver/sat"
)

// failer is what the helpers need of a test: of testing and of rapid.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// entry is a pool of a test cluster.
type entry struct {
	accelerator string
	gpus, node  int
}

// cluster makes pools of catalogued devices joined by a network of so many bytes/s a GPU.
func cluster(tb failer, network float64, pools ...entry) inputs.Cluster {
	tb.Helper()
	c := inputs.Cluster{Network: inputs.Link{Kind: inputs.LinkInfiniBand, BytesPerSecond: network}}
	known, err := catalog.Load()
	if err != nil {
		tb.Fatal(err)
	}
	for i, e := range pools {
		a, ok := known.Accelerator(e.accelerator)
		if !ok {
			tb.Fatalf("no accelerator %q", e.accelerator)
		}
		p := inputs.Pool{
			Name: fmt.Sprintf("%s-%d", e.accelerator, i), Accelerator: a, Count: inputs.Count{Min: e.gpus, Max: e.gpus},
			GPUsPerNode: e.node, MemoryBytes: a.MemoryBytes, Utilization: 0.95, Intra: a.Link, USDPerHour: 2,
		}
		for n := 0; n < e.gpus; n += e.node {
			host := inputs.Node{Host: fmt.Sprintf("node-%d-%d", i, n/e.node)}
			for g := range min(e.node, e.gpus-n) {
				host.GPUs = append(host.GPUs, fmt.Sprintf("%s/gpu-%d", host.Host, g))
			}
			p.Nodes = append(p.Nodes, host)
		}
		c.Pools = append(c.Pools, p)
	}
	return c
}

// training is a condition that trains a catalogued model with a global batch of sequences.
func training(tb failer, model string, batch, sequence int, c inputs.Cluster) *inputs.Condition {
	tb.Helper()
	known, err := catalog.Load()
	if err != nil {
		tb.Fatal(err)
	}
	m, ok := known.Model(model)
	if !ok {
		tb.Fatalf("no model %q", model)
	}
	m.Weights, m.Activation = inputs.BF16, inputs.BF16
	return &inputs.Condition{
		Name: model, Cluster: c, Model: m, Goal: inputs.Goal{Objective: inputs.Latency},
		Workload: inputs.Workload{
			Phase: inputs.Training, Batch: batch, Input: inputs.Range{Min: sequence, Max: sequence},
			Training: &inputs.TrainingStep{OptimizerBytes: 12, GradientBytes: 4},
		},
	}
}

func calculator(tb failer, c *inputs.Condition) *cost.Calculator {
	tb.Helper()
	calc, err := cost.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return calc
}

var errNoBackend = errors.New("lp_solve is not built in")

// withBackends are options with all backends that there are.
func withBackends(o Options) Options {
	o.SAT = func() (solver.Backend, error) { return sat.New(), nil }
	o.ILP = func() (solver.Backend, error) {
		if !lpsolve.Available() {
			return nil, errNoBackend
		}
		return lpsolve.New()
	}
	return o
}
