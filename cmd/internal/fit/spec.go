package main

// generation is what is fitted of one generation of devices, in the order of inheritance.
type generation struct {
	name      string
	constants []constant
}

// mostConstants is how many may be fitted of a generation.
const mostConstants = 11

// declared lists what is fitted. Everything else keeps the value of profiles.yaml.
func declared() []generation {
	floor := func(path string) constant { return constant{path + ".floor", 0.5e-6, 60e-6, 0.7} }
	compute := func(path string) constant { return constant{path + ".compute", 0.1, 0.95, 0.3} }
	bandwidth := func(path string) constant { return constant{path + ".bandwidth", 0.2, 0.95, 0.2} }
	return []generation{
		{"hopper", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			floor("operators.gemm8"), compute("operators.gemm8"),
			floor("operators.decode"), bandwidth("operators.decode"),
			floor("operators.stream"),
		}},
		{"ampere", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			floor("operators.decode"), bandwidth("operators.decode"),
			floor("operators.stream"),
		}},
		{"blackwell", []constant{
			floor("operators.gemm4"), compute("operators.gemm4"),
			floor("operators.decode"), bandwidth("operators.decode"),
			floor("operators.stream"),
		}},
		{"cdna2", []constant{
			floor("operators.gemm16"), compute("operators.gemm16"), bandwidth("operators.gemm16"),
			floor("operators.stream"),
		}},
	}
}

// totals are the kinds of metric that are fitted on, as validate counts them.
func totals() []string { return []string{"time per output token", "tokens or requests per second"} }
