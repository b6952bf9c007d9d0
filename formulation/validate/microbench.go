package validate

import (
	"fmt"
	"strings"

	"partita/formulation/cost"
	"partita/inputs"
	"partita/inputs/measured"
)

// micro is a kernel or a link by itself.
type micro struct {
	format  inputs.DType
	m, n, k float64 // of a product; 0: a collective
	bytes   float64 // of a collective
	devices int
}

// copied is the buffer of a rate of copies, bytes: large enough that its latency is not seen.
const copied = 1 << 30

// mapAlone maps a row of a kernel or a link, or notes why it is not.
func (o *outcome) mapAlone(k known, r *measured.Row) {
	o.measure, o.why = microMeasure(r)
	if o.why != "" {
		return
	}
	if r.GPU == "" {
		o.why = "the device of a kernel or a link is not stated"
		return
	}
	if r.Nodes > 1 {
		o.why = "the network of a collective across nodes is not stated"
		return
	}
	if _, ok := k.Accelerator(r.GPU); !ok {
		o.why = fmt.Sprintf("GPU %q is not in the catalogue", r.GPU)
		return
	}
	u := &micro{format: inputs.BF16, devices: max(1, r.GPUs)}
	if r.Precision != "" {
		format, ok := formatOf(r.Precision)
		if !ok {
			o.why = fmt.Sprintf("number format %q is not known", r.Precision)
			return
		}
		u.format = format
	}
	switch o.quantity {
	case matmulRate:
		var ok bool
		if u.m, u.n, u.k, ok = r.Product(); !ok {
			o.why = "the shape of the product is not stated"
			return
		}
	case reduceTime, reduceRate:
		var ok bool
		if u.bytes, ok = r.Payload(); !ok {
			o.why = "the size of the collective is not stated"
			return
		}
	}
	o.micro = u
}

// microMeasure is the measure of a metric of a kernel or a link.
func microMeasure(r *measured.Row) (measure, string) {
	switch r.Metric {
	case "max_matmul_tflops":
		return measure{quantity: matmulRate, scale: 1e-12}, ""
	case "allreduce_time_us":
		return measure{quantity: reduceTime, scale: 1e6}, ""
	case "allreduce_busbw_gbs", "allreduce_algbw_gbs":
		return measure{quantity: reduceRate, scale: 1e-9}, ""
	case "p2p_write_gbs":
		return measure{quantity: sendRate, scale: 1e-9}, ""
	}
	return measure{}, notPredicted(r.Kind, r.Metric)
}

// priceAlone prices a kernel or a link.
func (o *outcome) priceAlone(k known, r *measured.Row, constants Constants) {
	a, _ := k.Accelerator(r.GPU)
	if constants != nil {
		a.Profile = constants(a.Generation, r.Family)
	}
	single, err := cost.NewSingle(&a, o.micro.format)
	if err != nil {
		o.why = err.Error()
		return
	}
	u := o.micro
	switch o.quantity {
	case matmulRate:
		o.predicted = 2 * u.m * u.n * u.k / single.Matmul(u.m, u.n, u.k, u.format.Bytes())
	case reduceTime:
		o.predicted = single.Library().AllReduce(u.bytes, u.devices)
	case reduceRate:
		o.predicted = u.bytes / single.Library().AllReduce(u.bytes, u.devices)
		if strings.Contains(r.Metric, "busbw") {
			o.predicted *= measured.BusShare(u.devices)
		}
	case sendRate:
		o.predicted = copied / single.Send(copied)
	}
	o.predicted *= o.scale
}
