package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/results/export"
)

// gpuFilters narrow the list of accelerators.
type gpuFilters struct {
	vendor, generation, link namesFlag
	memory, bandwidth, flops comparisonFlag
	power, price             comparisonFlag
	fp8, fp4, int8           bool
}

func newCatalogGPUs(env Environment) *cobra.Command {
	f := &gpuFilters{}
	l := &listing[inputs.Accelerator]{
		what: "accelerator", all: (*catalog.Catalog).Accelerators,
		find: func(known *catalog.Catalog, name string) (inputs.Accelerator, bool, []string, []string) {
			a, ok := known.Accelerator(name)
			return a, ok, known.SuggestAccelerator(name), known.Variants(name)
		},
		detail:  acceleratorDetail,
		json:    func(known *catalog.Catalog, a inputs.Accelerator) any { return acceleratorJSON(known, a) },
		columns: gpuColumns, shown: []string{"name", "generation", "memory_gib", "bandwidth_gb_s", "tflops_16bit", "tops_8bit", "link"},
		filters: f.register, admits: f.admits,
	}
	return l.command(env, "gpus", `gpus lists the accelerators that a condition can name, or shows one with the
provenance of its figures. Filters narrow the list; an entry must pass them all.
Peaks are in dense TFLOP/s, links per GPU and direction. Sizes are compared as they
are printed on the box: an "80 GB" card passes --memory '>=80GB' and --memory 80GB,
whatever its driver leaves of them.`)
}

func (f *gpuFilters) register(flags *pflag.FlagSet) {
	f.memory.value, f.bandwidth.value, f.flops.value = memorySpan, bandwidthSpan, flopsSpan
	f.power.value, f.price.value = numberSpan("W"), numberSpan("USD")
	flags.Var(&f.vendor, "vendor", "of these `VENDORS`, by comma: nvidia,amd")
	flags.Var(&f.generation, "generation", "of these `GENERATIONS`, by comma: hopper")
	flags.Var(&f.link, "link", "with one of these `LINKS` in a node: nvlink, mesh, pair, pcie")
	flags.Var(&f.memory, "memory", "memory of one: '`>=80GB`', or a range 40GB..80GB")
	flags.Var(&f.bandwidth, "bandwidth", "memory bandwidth: '`>=3TB/s`'")
	flags.Var(&f.flops, "flops", "dense peak in 16 bits: '`>=900TFLOPS`'")
	flags.Var(&f.power, "power", "design power in watts: '`<=400`'")
	flags.Var(&f.price, "price", "US dollars an hour: '`<=3`'; an entry without a price fails")
	flags.BoolVar(&f.fp8, "fp8", false, "computes FP8 natively")
	flags.BoolVar(&f.fp4, "fp4", false, "computes FP4 natively")
	flags.BoolVar(&f.int8, "int8", false, "computes INT8 natively")
}

func (f *gpuFilters) admits(known *catalog.Catalog) (func(inputs.Accelerator) bool, error) {
	list := known.Accelerators()
	err := errors.Join(
		f.vendor.check("vendor", distinctNames(list, func(a inputs.Accelerator) string { return a.Vendor })),
		f.generation.check("generation", distinctNames(list, func(a inputs.Accelerator) string { return a.Generation })),
		f.link.check("link", distinctNames(list, linkKind)),
	)
	return func(a inputs.Accelerator) bool {
		entry, _ := known.AcceleratorEntry(a.Name)
		native := func(asked bool, format inputs.DType) bool { return !asked || a.FLOPS[format] > 0 }
		return f.vendor.holds(a.Vendor) && f.generation.holds(a.Generation) && f.link.holds(linkKind(a)) &&
			f.memory.holds(float64(a.MemoryBytes)) && f.bandwidth.holds(a.MemoryBandwidth) && f.flops.holds(flops16(a)) &&
			f.power.holds(entry.TDPWatts) && f.price.holds(a.USDPerHour) &&
			native(f.fp8, inputs.FP8) && native(f.fp4, inputs.FP4) && native(f.int8, inputs.INT8)
	}, err
}

// gpuColumns are the figures of an accelerator.
func gpuColumns(known *catalog.Catalog) []column[inputs.Accelerator] {
	type accelerator = inputs.Accelerator
	text := func(key, header string, of func(accelerator) string) column[accelerator] {
		return column[accelerator]{key: key, header: header, cell: of, raw: of}
	}
	figure := func(key, header string, of func(accelerator) float64, scale float64, digits string) column[accelerator] {
		scaled := func(a accelerator) string {
			if of(a) == 0 {
				return ""
			}
			return strconv.FormatFloat(of(a)/scale, 'g', -1, 64)
		}
		cell := func(a accelerator) string {
			if of(a) == 0 {
				return "–"
			}
			return fmt.Sprintf(digits, of(a)/scale)
		}
		return column[accelerator]{key: key, header: header, cell: cell, raw: scaled, figure: of}
	}
	entry := func(a accelerator) catalog.AcceleratorEntry {
		e, _ := known.AcceleratorEntry(a.Name)
		return e
	}
	const gib = 1 << 30
	return []column[accelerator]{
		text("name", "accelerator", func(a accelerator) string { return a.Name }),
		text("vendor", "vendor", func(a accelerator) string { return a.Vendor }),
		text("generation", "generation", func(a accelerator) string { return a.Generation }),
		figure("memory_gib", "GiB", func(a accelerator) float64 { return float64(a.MemoryBytes) }, gib, "%.4g"),
		figure("bandwidth_gb_s", "GB/s", func(a accelerator) float64 { return a.MemoryBandwidth }, 1e9, "%.4g"),
		figure("tflops_16bit", "16 bit", flops16, 1e12, "%.4g"),
		figure("tops_8bit", "8 bit", flops8, 1e12, "%.4g"),
		figure("tflops_fp4", "FP4", func(a accelerator) float64 { return a.FLOPS[inputs.FP4] }, 1e12, "%.4g"),
		{key: "link", header: "link", cell: linkText, raw: linkKind},
		figure("link_gb_s", "link GB/s", linkRate, 1e9, "%.4g"),
		figure("pcie_gb_s", "PCIe GB/s", func(a accelerator) float64 { return a.PCIe }, 1e9, "%.4g"),
		figure("power_w", "W", func(a accelerator) float64 { return entry(a).TDPWatts }, 1, "%.4g"),
		figure("price_usd_h", "USD/h", func(a accelerator) float64 { return a.USDPerHour }, 1, "%.4g"),
		text("aliases", "also", func(a accelerator) string { return strings.Join(a.Aliases, ", ") }),
		text("provenance", "provenance", func(a accelerator) string { return a.Provenance }),
	}
}

func flops16(a inputs.Accelerator) float64 { return max(a.FLOPS[inputs.BF16], a.FLOPS[inputs.FP16]) }
func flops8(a inputs.Accelerator) float64  { return max(a.FLOPS[inputs.FP8], a.FLOPS[inputs.INT8]) }

// linkKind is the link between the accelerators of a node; without any it is PCIe.
func linkKind(a inputs.Accelerator) string {
	if a.Link.BytesPerSecond == 0 {
		return string(inputs.LinkPCIe)
	}
	return string(a.Link.Kind)
}

func linkRate(a inputs.Accelerator) float64 {
	if a.Link.BytesPerSecond == 0 {
		return a.PCIe
	}
	return a.Link.BytesPerSecond
}

// memorySpan is a size as printed on a box. GB is meant decimal by some makers and
// binary by others, and drivers report up to half a percent less: what the size could
// be called is within it.
func memorySpan(text string) (span, error) {
	n, err := inputs.ParseBytes(text)
	if err != nil {
		return span{}, err
	}
	const less = 0.005
	v := float64(n)
	if strings.Contains(strings.ToLower(text), "i") { // GiB: as it says
		return span{v * (1 - less), v * (1 + less)}, nil
	}
	binary := v
	for unit := 1e3; unit <= 1e12 && v >= unit; unit *= 1e3 {
		binary *= 1.024
	}
	return span{v * (1 - less), binary}, nil
}

func bandwidthSpan(text string) (span, error) {
	v, err := inputs.ParseBandwidth(text)
	return leeway(0.01)(v), err
}

func flopsSpan(text string) (span, error) {
	v, err := inputs.ParseFLOPS(text)
	return leeway(0.01)(v), err
}

// numberSpan reads a plain number, with its unit behind it or not.
func numberSpan(unit string) func(string) (span, error) {
	return func(text string) (span, error) {
		v, err := inputs.ParseReal(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), unit)))
		return span{v, v}, err
	}
}

func acceleratorDetail(env Environment, known *catalog.Catalog, a inputs.Accelerator, variants []string) error {
	entry, _ := known.AcceleratorEntry(a.Name)
	rows := [][2]string{
		{"name", a.Name},
		{"also known as", strings.Join(a.Aliases, ", ")},
		{"vendor", a.Vendor},
		{"generation", a.Generation},
		{"memory", fmt.Sprintf("%.4g GiB at %.4g TB/s", gib(a.MemoryBytes), a.MemoryBandwidth/1e12)},
	}
	for _, format := range formatsOf(a) {
		rows = append(rows, [2]string{"peak " + string(format), tera(a.FLOPS[format]) + " TFLOP/s dense"})
	}
	rows = append(rows, [2]string{"link", linkText(a)}, [2]string{"pcie", rate(a.PCIe)})
	if entry.TDPWatts > 0 {
		rows = append(rows, [2]string{"design power", fmt.Sprintf("%g W", entry.TDPWatts)})
	}
	return export.PairsText(env.Out, append(rows, [2]string{"notes", entry.Notes}, [2]string{"provenance", a.Provenance}, [2]string{"not to confuse", strings.Join(variants, ", ")}), env.screen())
}
