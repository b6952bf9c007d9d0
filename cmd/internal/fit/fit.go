package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// constant is one that is fitted: a path of inputs.Profile with its bounds.
type constant struct {
	path      string
	low, high float64
	// loose is how far the constant may be from where it starts, as a standard deviation of
	// its logarithm: what is known of it without the measurements.
	loose float64
}

// observation is a measured row: its family, its weight, and no value of its own; errors
// of all rows come from the model together.
type observation struct {
	family string
	weight float64
}

// model gives the logarithm of predicted over measured of every observation for the
// values of the constants; NaN where nothing is predicted.
type model func(ctx context.Context, values []float64) ([]float64, error)

// problem is a fit: constants, where they start, and what they are held against.
type problem struct {
	constants []constant
	start     []float64
	rows      []observation
	model     model
}

// What the fit is made with. An error of 15 % is what the same layout shows between
// machines, submitters and releases; beyond twice that a row pulls no harder.
const (
	noise      = 0.15
	robust     = 2.0
	difference = 0.04 // of a constant's logarithm, for slopes
	steps      = 8
	enough     = 1e-3 // of the loss: a smaller gain ends the fit
	// supported is the least pull that rows must have on a constant, as the share of its
	// variance that they explain beside what was known before.
	supported = 0.25
)

// solution is what a fit found.
type solution struct {
	values      []float64
	loss        float64
	unsupported []int     // constants that the rows do not decide: they stay where they start
	pulls       []float64 // of the rows on each constant
}

// solve fits by Gauss and Newton on the logarithms, rows weighted down where they are far
// off (Huber), constants held to where they start by what is known of them.
func (p *problem) solve(ctx context.Context, from []float64, fixed []bool) (*solution, error) {
	x := logs(from)
	r, err := p.model(ctx, from)
	if err != nil {
		return nil, err
	}
	loss := p.loss(x, r)
	var pulls []float64
	for range steps {
		j, err := p.slopes(ctx, x, r, fixed)
		if err != nil {
			return nil, err
		}
		step, pull, err := p.step(x, r, j, fixed)
		if err != nil {
			return nil, err
		}
		pulls = pull
		better := false
		for share := 1.0; share > 0.1; share /= 2 {
			try := p.moved(x, step, share)
			rt, err := p.model(ctx, exps(try))
			if err != nil {
				return nil, err
			}
			if l := p.loss(try, rt); l < loss {
				better = loss-l > enough*loss
				x, r, loss = try, rt, l
				break
			}
		}
		if !better {
			break
		}
	}
	return &solution{values: exps(x), loss: loss, pulls: pulls}, nil
}

// supportedFit solves, and where rows do not decide a constant solves again with it where
// it starts.
func (p *problem) supportedFit(ctx context.Context, from []float64) (*solution, error) {
	return p.fit(ctx, from, make([]bool, len(p.constants)))
}

// fit solves for the constants that are not fixed, until rows have pull enough on each.
func (p *problem) fit(ctx context.Context, from []float64, fixed []bool) (*solution, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	for {
		s, err := p.solve(ctx, from, fixed)
		if err != nil {
			return nil, err
		}
		settled := true
		for i, pull := range s.pulls {
			if !fixed[i] && pull < supported {
				fixed[i], settled = true, false
			}
		}
		for i, f := range fixed {
			if f {
				s.unsupported = append(s.unsupported, i)
				s.values[i] = p.start[i]
			}
		}
		if settled {
			return s, nil
		}
		from = s.values
	}
}

// check refuses what no data could decide.
func (p *problem) check() error {
	if len(p.constants) == 0 {
		return errors.New("no constants are declared")
	}
	n := 0.0
	for _, o := range p.rows {
		if o.weight > 0 {
			n++
		}
	}
	if n < 3*float64(len(p.constants)) {
		return fmt.Errorf("%g rows for %d constants: at least three each are needed", n, len(p.constants))
	}
	for i, c := range p.constants {
		if v := p.start[i]; !(v >= c.low && v <= c.high && c.low > 0) {
			return fmt.Errorf("%s starts at %g, outside of %g to %g", c.path, v, c.low, c.high)
		}
	}
	return nil
}

// loss is the weighted sum of Huber's function of the errors, and what constants pay for
// being away from where they start.
func (p *problem) loss(x, r []float64) float64 {
	sum := 0.0
	for i, e := range r {
		if math.IsNaN(e) {
			continue
		}
		if z := math.Abs(e) / noise; z <= robust {
			sum += p.rows[i].weight * z * z
		} else {
			sum += p.rows[i].weight * (2*robust*z - robust*robust)
		}
	}
	for i, c := range p.constants {
		z := (x[i] - math.Log(p.start[i])) / c.loose
		sum += z * z
	}
	return sum
}

// slopes are those of each error along each constant's logarithm.
func (p *problem) slopes(ctx context.Context, x, r []float64, fixed []bool) ([][]float64, error) {
	out := make([][]float64, len(x))
	for i := range x {
		if fixed[i] {
			out[i] = make([]float64, len(r))
			continue
		}
		h := difference
		if x[i]+h > math.Log(p.constants[i].high) {
			h = -h
		}
		try := append([]float64(nil), x...)
		try[i] += h
		moved, err := p.model(ctx, exps(try))
		if err != nil {
			return nil, err
		}
		out[i] = make([]float64, len(r))
		for k := range r {
			if d := (moved[k] - r[k]) / h; !math.IsNaN(d) {
				out[i][k] = d
			}
		}
	}
	return out, nil
}

// step solves the normal equations. pull tells of each constant the share of its variance
// that the rows explain.
func (p *problem) step(x, r []float64, j [][]float64, fixed []bool) (step, pull []float64, err error) {
	n := len(x)
	normal, right := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for a := range n {
		prior := 1 / (p.constants[a].loose * p.constants[a].loose)
		normal.SetSym(a, a, prior)
		right.SetVec(a, -prior*(x[a]-math.Log(p.start[a])))
	}
	for k, e := range r {
		if math.IsNaN(e) {
			continue
		}
		w := p.rows[k].weight / (noise * noise)
		if z := math.Abs(e) / noise; z > robust {
			w *= robust / z
		}
		for a := range n {
			if fixed[a] {
				continue
			}
			right.SetVec(a, right.AtVec(a)-w*j[a][k]*e)
			for b := a; b < n; b++ {
				if !fixed[b] {
					normal.SetSym(a, b, normal.At(a, b)+w*j[a][k]*j[b][k])
				}
			}
		}
	}
	var c mat.Cholesky
	if !c.Factorize(normal) {
		return nil, nil, errors.New("the normal equations of the fit are singular")
	}
	var solved mat.VecDense
	if err := c.SolveVecTo(&solved, right); err != nil {
		return nil, nil, fmt.Errorf("solving the normal equations: %w", err)
	}
	var covariance mat.SymDense
	if err := c.InverseTo(&covariance); err != nil {
		return nil, nil, fmt.Errorf("inverting the normal equations: %w", err)
	}
	step, pull = make([]float64, n), make([]float64, n)
	for a := range n {
		if !fixed[a] {
			step[a] = solved.AtVec(a)
		}
		loose := p.constants[a].loose
		pull[a] = 1 - covariance.At(a, a)/(loose*loose)
	}
	return step, pull, nil
}

// moved is a point some share of a step away, inside the bounds and not further than a
// factor of e at once.
func (p *problem) moved(x, step []float64, share float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		d := math.Max(-1, math.Min(1, step[i])) * share
		out[i] = math.Max(math.Log(p.constants[i].low), math.Min(math.Log(p.constants[i].high), x[i]+d))
	}
	return out
}

func logs(v []float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = math.Log(v[i])
	}
	return out
}

func exps(v []float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = math.Exp(v[i])
	}
	return out
}
