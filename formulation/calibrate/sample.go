package calibrate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/kernels"
	"partita/inputs/profile"
)

// prices makes the pricer of a device whose constants are those of a profile.
func prices(a *inputs.Accelerator, p *inputs.Profile) (pricer, error) {
	own := *a
	own.Profile, own.Efficiency = p, nil
	first, err := cost.NewSingle(&own, inputs.BF16)
	if err != nil {
		return nil, err
	}
	singles := map[inputs.DType]*cost.Single{inputs.BF16: first}
	return func(s *kernels.Sample) float64 {
		format := priced(s)
		on := singles[format]
		if on == nil {
			var err error
			if on, err = cost.NewSingle(&own, format); err != nil {
				panic(err) // the device was priced above; formats it lacks run wider
			}
			singles[format] = on
		}
		return price(on, s)
	}, nil
}

// priced is the format of weights that a plan with a sample's operator has: of products that
// in which they are stored, which tells the one they are computed in.
func priced(s *kernels.Sample) inputs.DType {
	if s.Op == kernels.Matmul || s.Op == kernels.Experts {
		return s.Weight
	}
	return s.Compute
}

// price is the time of an operator in seconds.
func price(on *cost.Single, s *kernels.Sample) float64 {
	attention := func(phase inputs.Phase, latent bool) float64 {
		a := cost.SingleAttention{
			Latent: latent, Heads: s.Heads, KVHeads: s.KVHeads, Width: s.HeadDim, Window: s.Window,
			Sequences: s.Batch, New: s.New, Cached: s.Context, CacheBytes: s.KV.Bytes(),
		}
		if phase == inputs.Decode {
			a.Cached = max(0, s.Context-1) // the new token is one of the context
		}
		return on.Attention(phase, a)
	}
	switch s.Op {
	case kernels.Matmul:
		return on.Matmul(float64(s.M), float64(s.N), float64(s.K), s.Weight.Bytes())
	case kernels.PrefillAttention, kernels.PrefillLatent:
		return attention(inputs.Prefill, s.Op == kernels.PrefillLatent)
	case kernels.DecodeAttention, kernels.DecodeLatent:
		return attention(inputs.Decode, s.Op == kernels.DecodeLatent)
	case kernels.Experts:
		return on.Experts(cost.SingleExperts{Tokens: s.Tokens, Hidden: s.Hidden, Width: s.Width, Experts: s.Experts, TopK: s.TopK, EP: s.EP, ETP: s.ETP, WeightBytes: s.Weight.Bytes()})
	case kernels.Stream:
		return on.Stream(s.Bytes)
	case kernels.AllReduce:
		if s.Library {
			on = on.Library()
		}
		return on.AllReduce(s.Bytes, s.GPUs)
	case kernels.AllGather, kernels.ReduceScatter:
		return on.AllGather(s.Bytes, s.GPUs)
	case kernels.AllToAll:
		return on.AllToAll(s.Bytes, s.GPUs)
	case kernels.Send:
		return on.Send(s.Bytes)
	}
	return math.NaN()
}

// pathOf is the path that the constants of a sample's price lie below, on a device. The
// reason says why a sample is of none.
func (d *device) pathOf(s *kernels.Sample) (path, reason string) {
	a := &d.accelerator
	if !s.Op.Collective() && s.Op != kernels.Stream && a.FLOPS[s.Compute] == 0 && !sixteen(a, s.Compute) {
		return "", fmt.Sprintf("%s does not compute in %s", a.Name, s.Compute)
	}
	switch s.Op {
	case kernels.Matmul:
		return d.products(s)
	case kernels.Experts:
		if _, reason = d.products(s); reason != "" {
			return "", reason
		}
		return "operators.experts", ""
	case kernels.PrefillAttention, kernels.PrefillLatent, kernels.DecodeAttention, kernels.DecodeLatent:
		prefill := s.Op == kernels.PrefillAttention || s.Op == kernels.PrefillLatent
		switch narrow := s.Compute.Bytes() < 2; {
		case narrow && (prefill || !d.readsOnly(s)):
			return "", "attention is priced at its 16-bit rate, not in " + string(s.Compute)
		case prefill:
			return "operators.prefill", ""
		}
		return "operators.decode", ""
	case kernels.Stream:
		return "operators.stream", ""
	}
	if s.Nodes > 1 {
		return "", "collectives across nodes: the rate of their network is not in the table"
	}
	switch a.Link.Kind {
	case inputs.LinkNVLink:
		return "links.nvlink", ""
	case inputs.LinkMesh:
		return "links.mesh", ""
	case inputs.LinkPCIe, inputs.LinkPair:
		if a.Link.Kind == inputs.LinkPair && s.GPUs == 2 {
			return "", "two devices may or may not share a bridge"
		}
		return "links.pcie", ""
	}
	return "", "the link of " + a.Name + " is not known"
}

// readsOnly reports whether reading the cache takes a sample of decode attention so long
// that products at half the 16-bit peak are behind it: the format that they are made in is
// not in its time then.
func (d *device) readsOnly(s *kernels.Sample) bool {
	if d.peak == nil {
		best := ideal(d.base())
		half, err := profile.With(best, map[string]float64{decodeCompute: 0.5}, "half")
		if err != nil {
			panic(err) // the path is one of Paths
		}
		if d.peak, err = prices(&d.accelerator, best); err != nil {
			return false // no price of the device is known, which is told of it
		}
		if d.half, err = prices(&d.accelerator, half); err != nil {
			return false
		}
	}
	return d.half(s) == d.peak(s)
}

const decodeCompute = "operators.decode.compute"

// products is the path of the constants of a sample's products, or why no plan has them:
// the format of weights decides what plans compute in.
func (d *device) products(s *kernels.Sample) (path, reason string) {
	on := d.priced[s.Weight]
	if on == nil {
		var err error
		own := d.accelerator
		own.Efficiency = nil
		if on, err = cost.NewSingle(&own, s.Weight); err != nil {
			return "", err.Error()
		}
		d.priced[s.Weight] = on
	}
	format, path := on.Products()
	if format != s.Compute && (format.Bytes() != 2 || s.Compute.Bytes() != 2) {
		return "", fmt.Sprintf("%s weights multiplied in %s: plans for %s multiply them in %s", s.Weight, s.Compute, d.accelerator.Name, format)
	}
	return path, ""
}

// sixteen reports whether a 16-bit format runs at the rate of the other one.
func sixteen(a *inputs.Accelerator, format inputs.DType) bool {
	return (format == inputs.BF16 || format == inputs.FP16) && (a.FLOPS[inputs.BF16] > 0 || a.FLOPS[inputs.FP16] > 0)
}

// ideal is a profile with everything at its datasheet figure and without latencies: its
// prices are the least that the datasheet allows.
func ideal(base *inputs.Profile) *inputs.Profile {
	values := map[string]float64{}
	for _, path := range profile.Paths() {
		switch kindOf(path) {
		case isTime:
			values[path] = 0
		case isShare:
			values[path] = 1
		}
	}
	p, err := profile.With(base, values, "datasheet")
	if err != nil {
		panic(err) // every path is one of Paths
	}
	return p
}

// kind is what a constant is, as its name tells.
type kind int

const (
	isOther kind = iota
	isTime       // seconds
	isShare      // of a datasheet figure
)

func kindOf(path string) kind {
	switch {
	case profile.IsTime(path):
		return isTime
	case profile.IsShare(path):
		return isShare
	}
	return isOther
}

// pointsOf are the shapes of samples in an order of their own, each with the median of its
// times.
func pointsOf(samples []*kernels.Sample) []point {
	all := make([]point, len(samples))
	for i, s := range samples {
		all[i] = point{Sample: s, log: math.Log(s.Seconds), shape: shapeOf(s), group: groupOf(s)}
	}
	slices.SortFunc(all, func(a, b point) int {
		if c := strings.Compare(a.shape, b.shape); c != 0 {
			return c
		}
		return cmpFloat(a.log, b.log)
	})
	var out []point
	for from := 0; from < len(all); {
		to := from
		for to < len(all) && all[to].shape == all[from].shape {
			to++
		}
		middle := all[from+(to-from)/2]
		if (to-from)%2 == 0 {
			middle.log = (all[from+(to-from)/2-1].log + middle.log) / 2
		}
		out = append(out, middle)
		from = to
	}
	return out
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// shapeOf tells shapes apart; it sorts like sizes beside like sizes.
func shapeOf(s *kernels.Sample) string {
	return fmt.Sprintf("%s %s %s %s n%010d k%010d m%010d h%05d v%05d d%05d w%08d b%06d s%08d c%08d t%08d e%05d %05d %06d %06d %04d %04d g%05d %t %016.0f",
		s.Op, s.Compute, s.Weight, s.KV, s.N, s.K, s.M, s.Heads, s.KVHeads, s.HeadDim, s.Window, s.Batch, s.New, s.Context,
		s.Tokens, s.Experts, s.TopK, s.Hidden, s.Width, s.EP, s.ETP, s.GPUs, s.Library, s.Bytes)
}

// groupOf is what one model's operator has in all its steps: a weight matrix, heads, experts.
func groupOf(s *kernels.Sample) string {
	return fmt.Sprintf("%s %s %d %d %d %d %d %d %d %d %d %d %d", s.Op, s.Weight, s.N, s.K, s.Heads, s.KVHeads, s.HeadDim, s.Window, s.Experts, s.Hidden, s.Width, s.EP, s.GPUs)
}
