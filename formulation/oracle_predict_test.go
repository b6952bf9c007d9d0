package formulation_test

import (
	"math"
	"testing"

	"partita/formulation"
	"partita/inputs"
)

// given is a candidate in the words of a strategy.
func (x *candidate) given(c *inputs.Condition) *inputs.Strategy {
	s := &inputs.Strategy{GPUs: x.gpus, PP: len(x.path), Replicas: x.replicas, MicroBatches: x.micro, DecodeGroups: x.groups}
	for _, st := range x.path {
		sh := st.shape
		s.TP, s.EP, s.ETP = append(s.TP, sh.TP), append(s.EP, sh.EP), append(s.ETP, sh.ETP)
		s.CP, s.DPAttention = append(s.CP, sh.CP), append(s.DPAttention, sh.DPAttention)
		s.Layers, s.Pools = append(s.Layers, st.layers()), append(s.Pools, c.Cluster.Pools[st.pool].Name)
	}
	return s
}

// A strategy that is given is priced as every plan is: on one host where its replicas fit
// one each, else over the network.
func TestPredictEveryCandidate(t *testing.T) {
	compared := 0
	for seed := range uint64(150) {
		d := newDraw(seed + 1<<49)
		c := d.loaded()
		o, err := newOracle(c, 0)
		if err != nil {
			t.Fatal(err)
		}
		plans := o.enumerate()
		for range min(4, len(plans)) {
			x := &plans[d.IntN(len(plans))]
			if x.wide {
				continue // a send over the network that could stay on the host
			}
			p, err := formulation.Predict(c, x.given(c))
			if err != nil {
				t.Errorf("seed %d: %v: %+v", seed, err, x)
				continue
			}
			compared++
			far := func(a, b float64) bool { return math.Abs(a-b) > 1e-9*max(a, b) }
			if far(p.Round, x.round) || x.micro > 0 && far(*p.Metrics.TTFTMS/1e3, x.ttft) || p.GPUs != x.gpus || !p.Fits {
				ttft := 0.0
				if p.Metrics.TTFTMS != nil {
					ttft = *p.Metrics.TTFTMS / 1e3
				}
				t.Errorf("seed %d: round %g, TTFT %g, %d GPUs, fits %t: want %+v\n%s", seed, p.Round, ttft, p.GPUs, p.Fits, x, describe(c))
			}
		}
	}
	t.Logf("%d strategies", compared)
	if compared < 150 {
		t.Errorf("only %d strategies were compared", compared)
	}
}
