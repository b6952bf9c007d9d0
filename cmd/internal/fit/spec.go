package main

import (
	"strings"

	"partita/inputs/measured"
)

// generation is a part of what is fitted of one generation of devices: the constants that
// its rows decide. Generations and parts are in the order in which they start from each
// other.
type generation struct {
	name      string
	constants []constant
	part      part
}

// part is what rows are of: serving, or training.
type part struct {
	name   string
	totals []string // kinds of metric that are fitted on, as validate counts them
	// source names what tables share a source: they are left out together. nil: each its own.
	source func(family string) string
	// unfit reports a row that is no evidence of the constants of its generation.
	unfit func(*measured.Row) bool
	// fullSay is what a large family weighs, in independent rows.
	fullSay float64
	// goldOnly: of a family that has rows of the gold tier the others do not count.
	goldOnly bool
}

// mostConstants is how many may be fitted of a generation, over all its parts.
const mostConstants = 11

// serving leaves the time to the first token out, which under load is the queue's.
var serving = part{
	name: "serving", totals: []string{"time per output token", "tokens or requests per second"},
	fullSay: 150, goldOnly: true,
}

// training leaves releases of one table out together: they have the same runs. Not fitted
// on, and scored all the same: runs on a part of lower power than its datasheet's peaks
// belong to (H100 of 500 W), which tell of no other; and Megatron-DeepSpeed (BLOOM, MT-NLG),
// whose steps take 5 to 25 % longer than what all other runs on A100 agree on, for reasons
// that its sources do not tell.
var training = part{
	name: "training", totals: []string{"training step", "training layer"}, fullSay: 40,
	source: func(family string) string {
		name, release, ok := strings.Cut(family, "-")
		if ok && strings.Trim(release, "0123456789.vt") == "" {
			return name
		}
		if strings.HasPrefix(family, "korthikanti") || strings.HasPrefix(family, "mlperf-train") {
			return name
		}
		return family
	},
	unfit: func(r *measured.Row) bool {
		return strings.HasSuffix(r.GPU, "-500W") || r.Framework == "Megatron-DeepSpeed"
	},
}

// declared lists what is fitted. Everything else keeps the value of profiles.yaml.
func declared() []generation {
	floor := func(path string) constant { return constant{path + ".floor", 0.5e-6, 60e-6, 0.7} }
	compute := func(path string) constant { return constant{path + ".compute", 0.1, 0.95, 0.3} }
	// No kernel reads more than some 93 % of the datasheet's bandwidth.
	bandwidth := func(path string) constant { return constant{path + ".bandwidth", 0.2, 0.93, 0.2} }
	share := func(name string) constant { return constant{"training." + name, 0.1, 0.95, 0.3} }
	return []generation{
		// 16 bits are FP16 and BF16 tables of Llama and Mixtral, 8 bits their FP8 tables, and
		// 4 bits gpt-oss-120b, unpacked inside the product.
		{"hopper", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			floor("operators.gemm8"), compute("operators.gemm8"),
			compute("operators.gemm4"), bandwidth("operators.gemm4"),
			bandwidth("operators.decode"),
		}, serving},
		{"ampere", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			bandwidth("operators.decode"),
		}, serving},
		// Both 4-bit Llama and gpt-oss-120b, whose attention is of 16 bits.
		{"blackwell", []constant{
			floor("operators.gemm16"),
			floor("operators.gemm4"), compute("operators.gemm4"), bandwidth("operators.gemm4"),
			floor("operators.decode"), bandwidth("operators.decode"),
			{"operators.experts.bandwidth", 0.2, 1.2, 0.2},
			{"host.step", 1e-5, 1e-2, 1},
		}, serving},
		{"cdna2", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
		}, serving},
		{"hopper", []constant{share("gemm16"), share("gemm8"), share("attention")}, training},
		{"ampere", []constant{share("gemm16"), share("attention")}, training},
		{"blackwell", []constant{share("gemm8"), share("gemm4"), share("attention")}, training},
	}
}
