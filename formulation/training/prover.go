package training

import (
	"context"
	"fmt"

	"partita/formulation/encode"
	"partita/solver"
)

// Names of the backends, as flags and plans write them.
const (
	backendAuto   = "auto"
	backendLabels = "labels"
	backendILP    = "ilp"
	backendSAT    = "sat"
)

// prover finds the layout of a split with the least step below a cutoff in seconds, nil
// where there is none; proved: it is the least, or there is none.
type prover func(ctx context.Context, s Split, cutoff float64) (l *Layout, proved bool, err error)

func (r *run) prover() (prover, string, error) {
	switch r.o.Backend {
	case "", backendAuto, backendLabels:
		return r.labels, backendLabels, nil
	case backendILP, backendSAT:
		b, err := r.open(r.o.Backend)
		if err != nil {
			return nil, "", err
		}
		return r.modelled(b), r.o.Backend, nil
	}
	return nil, "", fmt.Errorf("backend %q: want auto, labels, ilp or sat", r.o.Backend)
}

// open makes a backend by name; the error says what this program lacks.
func (r *run) open(name string) (solver.Backend, error) {
	make := r.o.SAT
	if name == backendILP {
		make = r.o.ILP
	}
	if make == nil {
		return nil, fmt.Errorf("backend %q is not built in", name)
	}
	b, err := make()
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", name, err)
	}
	return b, nil
}

// labels proves by shortest paths.
func (r *run) labels(_ context.Context, s Split, cutoff float64) (*Layout, bool, error) {
	n := r.x.network(s, r.tick, cutoff)
	if t := n.best(n.most(cutoff)); t != nil {
		return n.layout(t), true, nil
	}
	return nil, true, nil
}

// modelled proves by integer models of the stage graph.
func (r *run) modelled(b solver.Backend) prover {
	prove := encode.Prover(b, r.o.Log)
	return func(ctx context.Context, s Split, cutoff float64) (*Layout, bool, error) {
		n := r.x.network(s, r.tickOf(b.Name()), cutoff)
		t, status, err := n.bestBy(ctx, prove, n.most(cutoff))
		if err != nil {
			return nil, false, fmt.Errorf("%s: the stages of %s: %w", b.Name(), s.String(), err)
		}
		var l *Layout
		if t != nil {
			l = n.layout(t)
		}
		return l, status == solver.Optimal || status == solver.Infeasible, nil
	}
}
