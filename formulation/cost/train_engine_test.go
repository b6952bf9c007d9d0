package cost

import (
	"testing"

	"partita/inputs"
)

// TestWhatEnginesLack: each thing that an engine lacks makes a layer longer, in the pass
// that it is of.
func TestWhatEnginesLack(t *testing.T) {
	calc := mustNew(t, conditionOf(llama8B(inputs.BF16), poolOf(a100(), 64)))
	pass := func(s TrainShape, e TrainEngine) (float64, float64) {
		return calc.TrainLayer(0, 0, s, TrainStep{MicroBatch: 2, Sequence: 2048, TrainEngine: e}, inputs.NoRecompute)
	}
	sharded := TrainShape{DP: 64, TP: 1, CP: 1, EP: 1, ETP: 1, ZeRO: 3}
	for _, c := range []struct {
		name              string
		shape             TrainShape
		engine            TrainEngine
		forward, backward bool // longer
	}{
		{"unfused attention", trainTensor(1), TrainEngine{Unfused: true}, true, true},
		{"the first flash attention", trainTensor(1), TrainEngine{FirstFlash: true}, true, true},
		{"eager layers", trainTensor(1), TrainEngine{Eager: true}, true, true},
		{"gradients apart", trainTensor(1), TrainEngine{Apart: true}, false, true},
		{"serial collectives, forward", trainTensor(8), TrainEngine{Serial: true}, true, true},
		{"serial collectives, backward", trainTensor(8), TrainEngine{SerialBackward: true}, false, true},
		{"no tensor parallelism to be serial", trainTensor(1), TrainEngine{Serial: true, SerialBackward: true}, false, false},
		{"a flat ring", sharded, TrainEngine{Flat: true}, true, true},
		{"no ring to be flat", trainTensor(1), TrainEngine{Flat: true}, false, false},
	} {
		f0, b0 := pass(c.shape, TrainEngine{})
		f, b := pass(c.shape, c.engine)
		if (f > f0) != c.forward || (b > b0) != c.backward || f < f0 || b < b0 {
			t.Errorf("%s: forward %g to %g s, backward %g to %g s", c.name, f0, f, b0, b)
		}
	}
}

// TestHeadsThatTensorCoresDoNotTake: BLOOM's heads of 150 elements made its sweeps slower
// by a third and more; heads of 144 did not. Flash attention pads heads instead.
func TestHeadsThatTensorCoresDoNotTake(t *testing.T) {
	layer := func(heads int, unfused bool) float64 {
		m := denseModel("sweep", 1, 14400, heads, heads, 14400/heads, 57600, 0, inputs.BF16)
		f, b := mustNew(t, conditionOf(m, poolOf(a100(), 8))).TrainLayer(0, 0, trainTensor(4),
			TrainStep{MicroBatch: 4, Sequence: 2048, TrainEngine: TrainEngine{Unfused: unfused}}, inputs.FullRecompute)
		return f + b
	}
	if odd, even := layer(96, true), layer(100, true); odd < 1.2*even {
		t.Errorf("heads of 150: %g s, of 144: %g s", odd, even)
	}
	if odd, even := layer(96, false), layer(100, false); odd > 1.02*even {
		t.Errorf("flash attention, heads of 150: %g s, of 144: %g s", odd, even)
	}
}

// TestFlatRingByHand: four nodes of two GPUs of the plain device, 100 GB/s inside and 50 GB/s
// between, 80 MB to gather.
func TestFlatRingByHand(t *testing.T) {
	calc := mustNew(t, conditionOf(small(), plain(8)))
	d := &calc.devices[0]
	g := group{size: 8, perNode: 2}
	const inside = 80e6 / 2 / (0.75 * 100e9)
	const between = 3.0 / 4 * 80e6 / (0.72 * 50e9)
	near(t, "links of all GPUs", d.trainGather(80e6, g, false), inside+between/2, 1e-9)
	near(t, "one link", d.trainGather(80e6, g, true), inside+between, 1e-9)
}

// TestOverlapOfTheExchange: interleaved stages hide more of it, up to all micro-batches.
func TestOverlapOfTheExchange(t *testing.T) {
	if one, more := Interleaved(8, 1), Interleaved(8, 4); one != 1 || more != 6 {
		t.Errorf("%g and %g micro-batches", one, more)
	}
	if two := Interleaved(1, 2); two != 1 {
		t.Errorf("never less than one: %g", two)
	}
	calc := mustNew(t, conditionOf(llama70B(inputs.BF16), poolOf(h100(), 1024)))
	s := TrainShape{DP: 64, TP: 4, CP: 1, EP: 1, ETP: 1, ZeRO: 1, SP: true}
	sync := func(overlap float64, micros int) float64 {
		return calc.TrainSync(0, []int{10}, true, false, s, TrainStep{MicroBatch: 1, Sequence: 2048, Overlap: overlap}, micros)
	}
	if one, six, few := sync(1, 64), sync(6, 64), sync(6, 1); six >= one || few != one {
		t.Errorf("along with one %g s, with six %g s, with six of one %g s", one, six, few)
	}
}
