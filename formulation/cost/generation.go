package cost

import "strings"

// efficiency is what one kind of operator reaches of a device's peaks.
type efficiency struct {
	floor     float64 // seconds a launch
	compute   float64 // share of the peak FLOP/s
	bandwidth float64 // share of the peak memory bandwidth
	source    string
}

// generation holds the efficiencies of one device generation.
type generation struct {
	name   string
	matmul efficiency // 16 bits and wider
	narrow efficiency // 8 bits and narrower, quantising the activations included
	// prefill and decode attention kernels.
	prefill efficiency
	decode  efficiency
	// stream: norm, residual, rotary embedding, activation function.
	stream efficiency
}

const microsecond = 1e-6

// unknownGeneration names the constants of a device that no entry is known for.
const unknownGeneration = "unknown"

const (
	fittedHopper = "fitted on H100 and H200 operator timings (one floor and fitted efficiencies; median error 5-6 % bf16, 7-18 % fp8, 6-16 % decode attention)"
	maxMatmul    = "largest achieved matmul over the datasheet peak, github.com/stas00/ml-engineering compute/accelerator (MAMF table)"
)

// hopper is the generation that was measured operator by operator; the others
// start from it. Ranges are used at their middle.
var hopper = generation{
	name: "hopper",
	// t0 3.75 µs, ηf .81, ηb .86. The largest achieved matmul of an H100 is 794.5 of
	// 989 TFLOP/s = .80, which agrees.
	matmul: efficiency{3.75 * microsecond, 0.81, 0.86, fittedHopper},
	// t0 8-13 µs, ηf .42-.56, ηb .82-.86.
	narrow: efficiency{10.5 * microsecond, 0.49, 0.84, fittedHopper},
	// t0 13.6 µs, ηf .56; ηb was not fitted and is taken from decode attention.
	prefill: efficiency{13.6 * microsecond, 0.56, 0.88, fittedHopper},
	// t0 12.5 µs, ηb .88; ηf was not fitted and is taken from prefill attention.
	decode: efficiency{12.5 * microsecond, 0.56, 0.88, fittedHopper},
	// "A few µs" and 0.8 of the bandwidth.
	stream: efficiency{3 * microsecond, 1, 0.80, "rule of thumb for memory-bound kernels: 80 % of the bandwidth and a few µs a launch"},
}

// matmulShare is the achieved share of the 16-bit and 8-bit matmul peak of a
// generation. A zero is unknown and inherited.
type matmulShare struct {
	name         string
	half, narrow float64
	next         string // generation that unknown figures come from
}

// matmulShares in the order of their names; figures are maxMatmul, those of 8 bits
// times hopperNarrowRatio.
var matmulShares = []matmulShare{
	// No figures: Ada and Turing tensor cores are closest to Ampere's, Volta's too.
	{"ada", 0, 0, "ampere"},
	// A100 SXM 271.2/312 = .869, A100 PCIe 252.9/312 = .811: the mean.
	{"ampere", 0.84, 0, "hopper"},
	{"ascend", 0, 0, "hopper"},
	// B200 1745/2250 = .776, GB200 1822/2500 = .729, B300 1769/2250 = .786: the mean;
	// FP8 .763, .723, .745: the mean .744 times the ratio.
	{"blackwell", 0.764, 0.744 * hopperNarrowRatio, "hopper"},
	// No figure for MI210/MI250: nearest is CDNA 3.
	{"cdna2", 0, 0, "cdna3"},
	// MI300X 668.4/1307 = .511, MI325X 784.9/1307 = .600: the mean. FP8 unknown.
	{"cdna3", 0.556, 0, "hopper"},
	// MI355X 1565/2516 = .622. FP8 unknown.
	{"cdna4", 0.622, 0, "hopper"},
	// Gaudi2 418.7/432 = .969, Gaudi3 1243/1677 = .741: the mean; FP8 .955, .769: the mean.
	{"gaudi", 0.855, 0.862 * hopperNarrowRatio, "hopper"},
	{"tpu", 0, 0, "hopper"},
	{"trainium", 0, 0, "hopper"},
	{"turing", 0, 0, "ampere"},
	{"volta", 0, 0, "ampere"},
}

// hopperNarrowRatio turns a largest achieved FP8 matmul into what serving shapes
// reach, quantisation included: on H100 .49 fitted of .709 achieved at best
// (1402.6 of 1979 TFLOP/s).
const hopperNarrowRatio = 0.49 / 0.709

// generationOf finds the efficiencies for a generation's name. The sentence says
// what was inherited and is empty where nothing was.
func generationOf(name string) (generation, string) {
	key := strings.ToLower(strings.TrimSpace(name))
	if strings.HasPrefix(key, hopper.name) {
		return hopper, ""
	}
	share, ok := findShare(key)
	if !ok {
		g := hopper
		g.name = unknownGeneration
		return g, "no efficiencies are known for generation " + quoteOrUnnamed(name) + "; those of hopper are used"
	}
	g := hopper
	g.name = share.name
	var notes []string
	half, from := inheritedShare(share, func(s matmulShare) float64 { return s.half })
	if half > 0 {
		g.matmul.compute, g.matmul.source = half, maxMatmul
	}
	if from != share.name {
		notes = append(notes, "16-bit matmul from "+from)
	}
	narrow, from := inheritedShare(share, func(s matmulShare) float64 { return s.narrow })
	if narrow > 0 {
		g.narrow.compute, g.narrow.source = narrow, maxMatmul+", scaled to serving shapes as on H100"
	}
	if from != share.name {
		notes = append(notes, "8-bit matmul from "+from)
	}
	notes = append(notes, "launch floors, memory bandwidth share and attention from hopper")
	return g, share.name + " inherits: " + strings.Join(notes, ", ")
}

// findShare matches a name or the longest known beginning of it, so that "gaudi3"
// and "blackwell ultra" find their family.
func findShare(key string) (matmulShare, bool) {
	best := -1
	for i := range matmulShares {
		if strings.HasPrefix(key, matmulShares[i].name) && (best < 0 || len(matmulShares[i].name) > len(matmulShares[best].name)) {
			best = i
		}
	}
	if best < 0 {
		return matmulShare{}, false
	}
	return matmulShares[best], true
}

// inheritedShare follows the generations until a figure is known; 0 means hopper's own.
func inheritedShare(s matmulShare, figure func(matmulShare) float64) (float64, string) {
	for {
		if v := figure(s); v > 0 {
			return v, s.name
		}
		next, ok := findShare(s.next)
		if !ok {
			return 0, hopper.name
		}
		s = next
	}
}

func quoteOrUnnamed(name string) string {
	if name == "" {
		return "(unnamed)"
	}
	return `"` + name + `"`
}
