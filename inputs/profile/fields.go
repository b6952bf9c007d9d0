package profile

import (
	"reflect"
	"slices"
	"strings"

	"partita/inputs"
)

// Assumed begins the name of an assumption that constants of a device are not the built-in
// ones.
const Assumed = "constants of "

// Fields are the constants of a profile where they stand, by path, for what sets them many
// times over, as a fit does.
func Fields(p *inputs.Profile) map[string]*float64 {
	out := map[string]*float64{}
	walk(reflect.ValueOf(p).Elem(), "", func(path string, v reflect.Value) { out[path] = v.Addr().Interface().(*float64) })
	return out
}

// IsTime reports whether the constant of a path is a time in seconds.
func IsTime(path string) bool {
	name := last(path)
	return name == "floor" || strings.Contains(name, "latency") || strings.Contains(name, "seconds")
}

// IsShare reports whether the constant of a path is a share of a figure of the datasheet, at
// most 1.
func IsShare(path string) bool {
	name := last(path)
	return name == "compute" || name == "bandwidth" || strings.Contains(name, "share")
}

// Enters reports whether the constant of a path is in the price of a training step, or of a
// step of serving. Products and attention of training have shares of their own, and no
// serving engine is beside them. A stated utilisation stands for the efficiencies of all
// operators, and leaves no floor, latency or host.
func Enters(path string, training bool, stated *inputs.Efficiency) bool {
	below := func(beginnings ...string) bool {
		return slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(path, b) })
	}
	if stated != nil {
		switch {
		case below("operators.experts."):
			return false
		case below("operators."):
			return last(path) == "compute" && stated.Compute == 0 || last(path) == "bandwidth" && stated.Bandwidth == 0
		case below("training."):
			return training && below("training.tensor_exposed", "training.data_exposed")
		case below("links."):
			return IsShare(path) && !below("links.nvlink.switch", "links.mesh.switch", "links.pcie.switch")
		}
		return below("memory.")
	}
	switch {
	case below("training."):
		return training
	case below("operators.gemm", "operators.prefill.", "operators.decode.", "operators.experts.compute", "operators.experts.bandwidth", "host."):
		return !training
	}
	return true
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
