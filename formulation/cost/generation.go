package cost

import (
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/profile"
)

// efficiency is what one kind of operator reaches of a device's peaks, and where that is
// from.
type efficiency struct {
	inputs.KernelConstants
	source string
}

// profileOf is the profile of a device: its own, or that of its generation.
func profileOf(a *inputs.Accelerator) *inputs.Profile {
	if a.Profile != nil {
		return a.Profile
	}
	return profile.Of(a.Generation)
}

// unknownGeneration is the sentence about a device that no profile is known for; "" about
// any other.
func unknownGeneration(p *inputs.Profile, a *inputs.Accelerator) string {
	if p.Generation != profile.Unknown {
		return ""
	}
	return "no efficiencies are known for generation " + quoteOrUnnamed(a.Generation) + "; those of hopper are used"
}

// efficiencyOf are the constants below a path of a profile. Its source names the sources
// of all three, each once, and what was inherited.
func efficiencyOf(p *inputs.Profile, path string, k inputs.KernelConstants) efficiency {
	var sources, notes []string
	from := map[string][]string{}
	var generations []string
	for _, name := range []string{"floor", "compute", "bandwidth"} {
		at := path + "." + name
		if s := p.Source(at); s != "" && !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
		if g := p.Inherited[at]; g != "" {
			if from[g] == nil {
				generations = append(generations, g)
			}
			from[g] = append(from[g], name)
		}
	}
	for _, g := range generations {
		notes = append(notes, fmt.Sprintf("%s from %s", strings.Join(from[g], ", "), g))
	}
	if len(notes) > 0 {
		sources = append(sources, p.Generation+" inherits "+strings.Join(notes, "; "))
	}
	return efficiency{k, strings.Join(sources, "; ")}
}

// streamOf are the constants of the operators that only move data.
func streamOf(p *inputs.Profile) efficiency {
	s := p.Operators.Stream
	return efficiencyOf(p, "operators.stream", inputs.KernelConstants{Floor: s.Floor, Compute: 1, Bandwidth: s.Bandwidth})
}

// kernelsOf is the format whose kernels multiply weights that are stored in one format in
// another one. Narrower weights are unpacked inside the product: a kernel of its own.
func kernelsOf(weights, computed inputs.DType) inputs.DType {
	if weights.Bytes() < computed.Bytes() {
		return weights
	}
	return computed
}

// matmulConstants are the constants of products in a number format, and their path.
func matmulConstants(o *inputs.OperatorConstants, format inputs.DType) (path string, k inputs.KernelConstants) {
	switch bytes := format.Bytes(); {
	case bytes >= 2:
		return "operators.gemm16", o.GEMM16
	case bytes >= 1:
		return "operators.gemm8", o.GEMM8
	}
	return "operators.gemm4", o.GEMM4
}

func matmulOf(p *inputs.Profile, format inputs.DType) efficiency {
	path, k := matmulConstants(&p.Operators, format)
	return efficiencyOf(p, path, k)
}

func quoteOrUnnamed(name string) string {
	if name == "" {
		return "(unnamed)"
	}
	return `"` + name + `"`
}
