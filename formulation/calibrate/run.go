package calibrate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/kernels"
	"partita/inputs/profile"
	"partita/results"
)

// Options say what tables do not.
type Options struct {
	Catalog *catalog.Catalog // of the devices
	// Device is that of all rows, whatever tables say; "": the one that each row names.
	Device string
}

// paths are what constants are fitted below, in an order in which each relies on those
// before it alone: experts are priced as shares of plain products.
func paths() []string {
	return []string{
		"operators.gemm16", "operators.gemm8", "operators.gemm4", "operators.prefill", "operators.decode", "operators.stream", "operators.experts",
		"links.nvlink", "links.mesh", "links.pcie",
	}
}

// Run fits what the tables tell of each device in them. The error is inputs.Diagnostics:
// devices that are not known.
func Run(tables []*kernels.Table, opts Options) (*results.Calibration, error) {
	out := &results.Calibration{Tables: []results.CalibrationTable{}, Devices: []results.CalibratedDevice{}, Skipped: []results.CalibrationSkip{}}
	r := run{opts: opts, skipped: map[string]int{}, of: map[string]*device{}}
	for _, t := range tables {
		out.Tables = append(out.Tables, results.CalibrationTable{File: t.File, Kind: t.Kind, Rows: t.Rows, Samples: len(t.Samples)})
		for _, s := range t.Skipped {
			r.skipped[s.Reason] += s.Rows
		}
		r.sort(t)
	}
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(r.of)) {
		found, err := r.of[name].calibrated()
		if err != nil {
			return nil, err
		}
		if len(found.Laws) > 0 {
			out.Devices = append(out.Devices, found)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(r.skipped)) {
		out.Skipped = append(out.Skipped, results.CalibrationSkip{Rows: r.skipped[reason], Reason: reason})
	}
	slices.SortStableFunc(out.Skipped, func(a, b results.CalibrationSkip) int { return cmp.Compare(b.Rows, a.Rows) })
	return out, nil
}

// run sorts samples by device and path.
type run struct {
	opts     Options
	of       map[string]*device // by name
	skipped  map[string]int     // rows by reason
	problems inputs.Diagnostics
	asked    []string // names of devices that are not known, told once each
}

// device is one accelerator with its samples.
type device struct {
	accelerator inputs.Accelerator
	samples     map[string][]*kernels.Sample  // by path
	priced      map[inputs.DType]*cost.Single // by the format of weights
	// Prices at the datasheet's figures, and with half of the peak for decode attention.
	peak, half pricer
}

func (r *run) sort(t *kernels.Table) {
	for i := range t.Samples {
		s := &t.Samples[i]
		d := r.device(s, t.Kind == kernels.Measurements)
		if d == nil {
			continue
		}
		path, reason := d.pathOf(s)
		switch {
		case reason != "":
			r.skipped[reason]++
		default:
			d.samples[path] = append(d.samples[path], s)
		}
	}
}

// device is that of a sample; nil where it is not known, which is a problem unless the
// table is of all kinds of devices.
func (r *run) device(s *kernels.Sample, any bool) *device {
	name := s.Device
	if r.opts.Device != "" {
		name = r.opts.Device
	}
	a, ok := r.opts.Catalog.Accelerator(name)
	if !ok && any {
		r.skipped["devices that are not in the catalogue"]++
		return nil
	}
	if !ok {
		if !slices.Contains(r.asked, name) {
			r.asked = append(r.asked, name)
			d := inputs.Diagnostic{Place: s.Place, Problem: fmt.Sprintf("device %q is not known", name), Want: "a name of partita catalog gpus", Hint: "name it with --device, or bring its figures with --knowledge"}
			if name == "" {
				d.Problem = "the table names no device"
			} else if near := r.opts.Catalog.SuggestAccelerator(name); len(near) > 0 {
				d.Hint = "did you mean " + strings.Join(near, ", ") + "?"
			}
			r.problems = append(r.problems, d)
		}
		return nil
	}
	d := r.of[a.Name]
	if d == nil {
		d = &device{accelerator: a, samples: map[string][]*kernels.Sample{}, priced: map[inputs.DType]*cost.Single{}}
		r.of[a.Name] = d
	}
	return d
}

// base are the constants that a fit begins at.
func (d *device) base() *inputs.Profile {
	if p := d.accelerator.Profile; p != nil {
		return p
	}
	return profile.Of(d.accelerator.Generation)
}

// calibrated fits the laws of a device one after the other, each with what was fitted
// before it.
func (d *device) calibrated() (results.CalibratedDevice, error) {
	base := d.base()
	out := results.CalibratedDevice{Device: d.accelerator.Name, Generation: base.Generation, Laws: []results.CalibratedLaw{}}
	least, err := prices(&d.accelerator, ideal(base))
	if err != nil {
		return out, err
	}
	for _, path := range paths() {
		if len(d.samples[path]) == 0 {
			continue
		}
		l, err := lawOf(&d.accelerator, base, path)
		if err != nil {
			return out, err
		}
		law, values := l.calibrated(d.samples[path], least)
		out.Laws = append(out.Laws, law)
		if base, err = profile.With(base, values, "calibrated"); err != nil {
			return out, err
		}
	}
	return out, nil
}
