package profile

import (
	"reflect"
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
// serving engine is beside them.
func Enters(path string, training bool) bool {
	if strings.HasPrefix(path, "training.") {
		return training
	}
	if !training {
		return true
	}
	for _, serving := range []string{"operators.gemm", "operators.prefill.", "operators.decode.", "operators.experts.compute", "operators.experts.bandwidth", "host."} {
		if strings.HasPrefix(path, serving) {
			return false
		}
	}
	return true
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
