package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partita/inputs"
)

// AcceleratorEntry is a device with what the catalogue knows besides.
type AcceleratorEntry struct {
	inputs.Accelerator
	// DefaultFor are the short names that several devices could carry and that
	// mean this one. They are among the aliases too.
	DefaultFor []string
	TDPWatts   float64 // 0: not known
	Notes      string
	Source     string
	Seen       string // "yes", "partly" or "no": whether the source was read for it
}

// copied shares no memory with the catalogue.
func (e AcceleratorEntry) copied() AcceleratorEntry {
	e.Aliases = slices.Clone(e.Aliases)
	e.DefaultFor = slices.Clone(e.DefaultFor)
	e.FLOPS = maps.Clone(e.FLOPS)
	return e
}

// acceleratorRecord is an entry of accelerators.yaml; the file's header gives the units.
type acceleratorRecord struct {
	Name       string
	Vendor     string
	Generation string
	DefaultFor []string `yaml:"default_for"`
	Aliases    []string
	MemoryMiB  int64   `yaml:"memory_mib"`
	MemoryGiB  int64   `yaml:"memory_gib"`
	Bandwidth  float64 `yaml:"memory_bandwidth_gb_s"`
	TFLOPS     map[inputs.DType]float64
	Link       struct {
		Kind inputs.LinkKind
		Rate float64 `yaml:"gb_s"`
		Pair float64 `yaml:"pair_gb_s"`
	}
	PCIe       float64 `yaml:"pcie_gb_s"`
	TDP        float64 `yaml:"tdp_w"`
	USDPerHour float64 `yaml:"usd_per_hour"`
	Notes      string
	Source     string
	Seen       string
}

const (
	giga = 1e9
	tera = 1e12
	mib  = 1 << 20
	// No device is near these; they keep products within range.
	mostGiB    = 1 << 20
	mostFigure = 1e9
)

// entry checks a record of the catalogue, which names its source, and converts it to
// bytes and FLOP/s.
func (r acceleratorRecord) entry() (AcceleratorEntry, error) {
	e, problems := r.figures()
	if r.Vendor == "" || r.Generation == "" {
		problems = append(problems, "vendor and generation are needed")
	}
	if r.Source == "" && r.Seen != "no" || r.Seen != "yes" && r.Seen != "partly" && r.Seen != "no" {
		problems = append(problems, "source and seen are needed")
	}
	var all []error
	for _, p := range problems {
		all = append(all, fmt.Errorf("accelerator %q: %s", r.Name, p))
	}
	e.Provenance = r.provenance()
	return e, errors.Join(all...)
}

// figures checks what a plan is made from, whoever states it.
func (r acceleratorRecord) figures() (AcceleratorEntry, []string) {
	var problems []string
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if r.Name == "" {
		wrong("name is needed")
	}
	if (r.MemoryMiB > 0) == (r.MemoryGiB > 0) || max(r.MemoryMiB>>10, r.MemoryGiB) > mostGiB {
		wrong("one of memory_mib and memory_gib is needed, above 0")
	}
	for _, f := range []struct {
		name     string
		value    float64
		optional bool
	}{
		{"memory_bandwidth_gb_s", r.Bandwidth, false}, {"link: gb_s", r.Link.Rate, false}, {"link: pair_gb_s", r.Link.Pair, true},
		{"pcie_gb_s", r.PCIe, true}, {"tdp_w", r.TDP, true}, {"usd_per_hour", r.USDPerHour, true},
	} {
		if !(f.value > 0 || f.optional && f.value == 0) || f.value > mostFigure {
			wrong("%s is %g, which must be above 0", f.name, f.value)
		}
	}
	if len(r.TFLOPS) == 0 {
		wrong("tflops has no number format")
	}
	flops := make(map[inputs.DType]float64, len(r.TFLOPS))
	for _, d := range slices.Sorted(maps.Keys(r.TFLOPS)) {
		if !knownFormat(d) {
			wrong("tflops: %q is no number format: fp32, bf16, fp16, fp8, int8, fp4, int4", d)
		} else if !(r.TFLOPS[d] > 0) || r.TFLOPS[d] > mostFigure {
			wrong("tflops: %s is %g, which must be above 0", d, r.TFLOPS[d])
		}
		flops[d] = r.TFLOPS[d] * tera
	}
	switch r.Link.Kind {
	case inputs.LinkNVLink, inputs.LinkPair, inputs.LinkMesh, inputs.LinkPCIe:
	default:
		wrong("link kind %q: want nvlink, pair, mesh or pcie", r.Link.Kind)
	}
	memory := r.MemoryMiB * mib
	if r.MemoryGiB > 0 {
		memory = r.MemoryGiB * 1024 * mib
	}
	return AcceleratorEntry{
		Accelerator: inputs.Accelerator{
			Name:            r.Name,
			Aliases:         append(slices.Clone(r.DefaultFor), r.Aliases...),
			Vendor:          r.Vendor,
			Generation:      r.Generation,
			MemoryBytes:     memory,
			MemoryBandwidth: r.Bandwidth * giga,
			FLOPS:           flops,
			Link: inputs.Link{
				Kind:               r.Link.Kind,
				BytesPerSecond:     r.Link.Rate * giga,
				PairBytesPerSecond: r.Link.Pair * giga,
			},
			PCIe:       r.PCIe * giga,
			USDPerHour: r.USDPerHour,
		},
		DefaultFor: r.DefaultFor,
		TDPWatts:   r.TDP,
		Notes:      r.Notes,
		Source:     r.Source,
		Seen:       r.Seen,
	}, problems
}

// provenance says where the figures are from and how far they were checked there.
func (r acceleratorRecord) provenance() string {
	how := map[string]string{
		"yes":    "read at the source",
		"partly": "source, some fields from memory",
		"no":     "from memory, not checked",
	}[r.Seen]
	parts := []string{how}
	if r.Source != "" {
		parts = append(parts, r.Source)
	}
	if r.Notes != "" {
		parts = append(parts, r.Notes)
	}
	return strings.Join(parts, "; ")
}

// knownFormat reports whether the cost model knows the number format.
func knownFormat(d inputs.DType) bool {
	switch d {
	case inputs.FP32, inputs.BF16, inputs.FP16, inputs.FP8, inputs.INT8, inputs.FP4, inputs.INT4:
		return true
	}
	return false
}
