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
}

// mostConstants is how many may be fitted of a generation, over all its parts.
const mostConstants = 11

var serving = part{name: "serving", totals: []string{"time per output token", "tokens or requests per second"}}

// training leaves releases of one table out together: they have the same runs. Not fitted
// on, and scored all the same: runs on a part of lower power than its datasheet's peaks
// belong to (H100 of 500 W), which tell of no other; and Megatron-DeepSpeed (BLOOM, MT-NLG),
// whose steps take 5 to 25 % longer than what all other runs on A100 agree on, for reasons
// that its sources do not tell.
var training = part{
	name: "training", totals: []string{"training step", "training layer"},
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
	bandwidth := func(path string) constant { return constant{path + ".bandwidth", 0.2, 0.95, 0.2} }
	share := func(name string) constant { return constant{"training." + name, 0.1, 0.95, 0.3} }
	return []generation{
		{"hopper", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			floor("operators.gemm8"), compute("operators.gemm8"),
			floor("operators.decode"), bandwidth("operators.decode"),
			floor("operators.stream"),
		}, serving},
		{"ampere", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			floor("operators.decode"), bandwidth("operators.decode"),
			floor("operators.stream"),
		}, serving},
		{"blackwell", []constant{
			floor("operators.gemm4"), compute("operators.gemm4"),
			floor("operators.decode"), bandwidth("operators.decode"),
			floor("operators.stream"),
		}, serving},
		{"cdna2", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			floor("operators.stream"),
		}, serving},
		{"hopper", []constant{share("gemm16"), share("gemm8"), share("attention")}, training},
		{"ampere", []constant{share("gemm16"), share("attention")}, training},
		{"blackwell", []constant{share("gemm8"), share("gemm4"), share("attention")}, training},
	}
}
