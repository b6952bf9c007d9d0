package read

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/profile"
)

// accelerator is the device of a pool: of the catalogue with stated facts in front,
// or described by its facts alone.
func (d *draft) accelerator(lib library, model inputs.Model, i int, label string) (inputs.Accelerator, bool) {
	name, path, named := poolFact[string](d, i, "accelerator")
	a := inputs.Accelerator{Name: "custom", Provenance: statedProvenance, FLOPS: map[inputs.DType]float64{}, Link: inputs.Link{Kind: inputs.LinkUnknown}}
	if named {
		found, known := lib.Accelerator(name)
		_, _, hasPeak := poolFact[float64](d, i, "flops")
		_, _, hasBandwidth := poolFact[float64](d, i, "memory_bandwidth")
		if !known && hasPeak && hasBandwidth {
			a.Name, found, known, named = name, a, true, false // described by its facts, the name is only a label
			found.Name = name
		}
		if !known {
			d.problem(d.place(path), fmt.Sprintf("accelerator %q is not in the catalogue", name), "a known accelerator, or its flops, memory_bandwidth and memory", suggestedGPU(lib, name))
			return a, false
		}
		d.variants(lib, name, found.Name)
		a = found
		peaks := map[inputs.DType]float64{}
		for k, v := range a.FLOPS {
			peaks[k] = v
		}
		a.FLOPS = peaks
	}
	if v, memoryPath, ok := poolFact[int64](d, i, "memory"); ok {
		a.MemoryBytes = d.statedMemory(v, a, named, memoryPath, label)
	}
	if v, bandwidthPath, ok := poolFact[float64](d, i, "memory_bandwidth"); ok {
		d.warnFact(named, bandwidthPath, v, a.MemoryBandwidth, inputs.FormatBandwidth)
		a.MemoryBandwidth = v
	}
	if v, _, ok := poolFact[float64](d, i, "pcie"); ok {
		a.PCIe = v
		if a.Link.Kind == inputs.LinkPCIe {
			a.Link.BytesPerSecond = v
		}
	}
	d.peaks(&a, model, i)
	d.efficiency(&a, i, label)
	d.calibrated(&a, label)
	return a, d.complete(a, i, label)
}

// calibrated says which constants of the cost model are those of a profile, and which of
// them have no part in what the condition asks for.
func (d *draft) calibrated(a *inputs.Accelerator, label string) {
	if a.Profile == nil {
		return
	}
	builtIn := profile.Of(a.Generation)
	training, _ := d.trains()
	var paths, idle, sources []string
	for _, path := range profile.Paths() {
		if from := a.Profile.Source(path); from != builtIn.Source(path) {
			if !profile.Enters(path, training, a.Efficiency) {
				idle = append(idle, path)
				continue
			}
			v, _ := profile.Value(a.Profile, path)
			paths = append(paths, fmt.Sprintf("%s %g", path, v))
			if !slices.Contains(sources, from) {
				sources = append(sources, from)
			}
		}
	}
	var because []string
	because = append(because, sources...)
	if len(idle) > 0 {
		what := "a step of serving"
		switch {
		case a.Efficiency != nil:
			what = "a step whose utilisation is stated"
		case training:
			what = "a training step, whose products and attention have constants of their own"
		}
		because = append(because, fmt.Sprintf("not in the price of %s: %s", what, strings.Join(idle, ", ")))
	}
	value := strings.Join(paths, ", ")
	switch {
	case value == "":
		value = "none of the profile's"
	case a.Efficiency != nil:
		because = append(because, "all others are stated or built in")
	default:
		because = append(because, "all others are built in, and intervals are those of the built-in constants")
	}
	d.assume(profile.Assumed+label, value, strings.Join(because, "; "))
}

// statedMemory is the capacity that counts. People write 80GB for a device whose
// driver reports 81559 MiB: where the stated number, in GB or in GiB, is the
// catalogue's figure, the same memory is meant and the catalogue's is exact.
func (d *draft) statedMemory(v int64, a inputs.Accelerator, named bool, path, label string) int64 {
	if !named || a.MemoryBytes == 0 || v == a.MemoryBytes {
		return v
	}
	known, binary := float64(a.MemoryBytes), float64(v)/1e9*(1<<30)
	if d.facts[path].rank == fromFile && (math.Abs(float64(v)/known-1) < sameMemory || math.Abs(binary/known-1) < sameMemory) {
		d.assume("memory of "+label, inputs.FormatBytes(a.MemoryBytes), fmt.Sprintf("the catalogue's figure for %s; %s is stated, which leaves GB or GiB open", a.Name, inputs.FormatBytes(v)))
		return a.MemoryBytes
	}
	d.warnFact(named, path, float64(v), float64(a.MemoryBytes), func(f float64) string { return inputs.FormatBytes(int64(f)) })
	return v
}

// variants lists the choice that a short name leaves open: "H100" may be the SXM or
// the PCIe part.
func (d *draft) variants(lib library, name, chosen string) {
	v, ok := lib.(interface{ Variants(name string) []string })
	if !ok {
		return
	}
	others := v.Variants(name)
	if len(others) == 0 || phrase(name) == phrase(chosen) {
		return
	}
	for _, a := range d.assumptions {
		if a.What == "accelerator "+name {
			return
		}
	}
	d.assume("accelerator "+name, chosen, "the catalogue's default for the name; it could also be "+strings.Join(others, ", "))
}

// sameMemory is how far a driver's figure may lie below the nominal one: 81559 of
// 81920 MiB on an H100, 24564 of 24576 on a 4090, 15360 of 16384 on a T4 is already another.
const sameMemory = 0.02

// warnFact warns where a stated fact is a tenth or more off the catalogue's.
func (d *draft) warnFact(named bool, path string, stated, known float64, show func(float64) string) {
	if named && known > 0 && math.Abs(stated/known-1) >= 0.1 {
		k, _ := d.keyOf(path)
		d.warn("%s: %s is stated (%s), the catalogue says %s: the stated figure is used", k.noun(), show(stated), d.origin(d.facts[path]), show(known))
	}
}

// peaks sets the stated peak compute. A figure without a number format counts for
// the formats the model computes in.
func (d *draft) peaks(a *inputs.Accelerator, model inputs.Model, i int) {
	if v, path, ok := poolFact[float64](d, i, "flops"); ok {
		formats := map[inputs.DType]bool{model.Weights: true, model.Activation: true}
		for _, f := range dtypes() {
			if formats[f] {
				a.FLOPS[f] = v
			}
		}
		if model.Weights != "" {
			d.used(d.facts[path].statement, "taken for "+string(model.Weights)+", the number format of the model")
			if model.Weights != model.Activation && i == 0 {
				d.assume("peak compute in "+string(model.Activation), inputs.FormatFLOPS(v), "the stated figure has no number format: taken for weights and activations alike")
			}
		}
	}
	for _, f := range dtypes() {
		if v, _, ok := poolFact[float64](d, i, "flops."+string(f)); ok {
			a.FLOPS[f] = v
		}
	}
	// BF16 and FP16 share one peak: who states one of them for a device of their own means both.
	for f, twin := range map[inputs.DType]inputs.DType{inputs.BF16: inputs.FP16, inputs.FP16: inputs.BF16} {
		if v, ok := a.FLOPS[f]; ok && a.FLOPS[twin] == 0 && a.Provenance == statedProvenance {
			a.FLOPS[twin] = v
		}
	}
}

// statedProvenance marks a device that the inputs describe.
const statedProvenance = "stated"

// assumedMFU is taken where only the bandwidth utilisation is stated: what large
// BF16 products reach on an H100 (docs/cost-model.md).
const assumedMFU = 0.81

// efficiency sets stated utilisations.
func (d *draft) efficiency(a *inputs.Accelerator, i int, label string) {
	mfu, _, hasMFU := poolFact[float64](d, i, "mfu")
	bandwidth, _, hasBandwidth := poolFact[float64](d, i, "bandwidth_utilization")
	if !hasMFU && !hasBandwidth {
		return
	}
	if !hasMFU {
		mfu = assumedMFU
		d.assume("share of the peak compute of "+label, inputs.FormatShare(mfu), "only the bandwidth utilisation is stated")
	}
	a.Efficiency = &inputs.Efficiency{Compute: mfu, Bandwidth: bandwidth}
}

// complete reports what is missing of a device.
func (d *draft) complete(a inputs.Accelerator, i int, label string) bool {
	var missing []string
	// A figure without a number format waits for that of the model.
	if _, _, waits := poolFact[float64](d, i, "flops"); len(a.FLOPS) == 0 && !waits {
		missing = append(missing, "peak compute (such as 400TFLOPS)")
	}
	if a.MemoryBandwidth <= 0 {
		missing = append(missing, "memory bandwidth (such as 1.8TB/s)")
	}
	if a.MemoryBytes <= 0 {
		missing = append(missing, "memory (such as 64GB)")
	}
	if len(missing) > 0 {
		d.missing(strings.Join(missing, ", ")+" of "+label, "an accelerator of the catalogue or all three facts", "name the GPU, such as 8 x H100; `partita catalog gpus` lists the known ones")
		return false
	}
	return len(a.FLOPS) > 0
}
