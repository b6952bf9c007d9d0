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

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
