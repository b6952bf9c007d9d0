package kernels

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/measured"
)

// measurements takes the rows on single operators from a table as validate reads it. Of a
// run that states its time and rates made of it, the time is taken.
func (p *parser) measurements(data []byte) {
	rows, err := measured.Parse(p.table.File, data)
	if err != nil {
		if !errors.As(err, &p.problems) {
			p.problem(1, 1, err.Error(), "", "")
		}
		return
	}
	p.table.Rows = len(rows)
	runs := map[string][]*measured.Row{}
	var order []string
	for i := range rows {
		r := &rows[i]
		if r.Kind != "" && r.Kind != "microbench" {
			p.skipped["rows on whole runs, which tell no constant of an operator"]++
			continue
		}
		if runs[r.Run] == nil {
			order = append(order, r.Run)
		}
		runs[r.Run] = append(runs[r.Run], r)
	}
	for _, run := range order {
		list := runs[run]
		slices.SortStableFunc(list, func(a, b *measured.Row) int { return rank(a.Metric) - rank(b.Metric) })
		for i, r := range list {
			switch s, why := operatorOf(r); {
			case why != "":
				p.skipped[why]++
			case i > 0:
				p.skipped["rates of a run whose time is there"]++
			default:
				s.Place = r.Place
				p.table.Samples = append(p.table.Samples, s)
			}
		}
	}
}

// operatorMetrics are the metrics of single operators, those that say most first.
var operatorMetrics = []string{"allreduce_time_us", "allreduce_algbw_gbs", "allreduce_busbw_gbs", "max_matmul_tflops"}

func rank(metric string) int {
	if i := slices.Index(operatorMetrics, metric); i >= 0 {
		return i
	}
	return len(operatorMetrics)
}

// operatorOf is the timing that a row states, or why it states none.
func operatorOf(r *measured.Row) (Sample, string) {
	switch {
	case r.Unseen:
		return Sample{}, "values from memory, which are no evidence"
	case rank(r.Metric) == len(operatorMetrics):
		return Sample{}, "metric " + clean(r.Metric) + " is the time of no operator that is priced"
	case r.GPU == "":
		return Sample{}, "the device is not stated"
	case r.Metric == "max_matmul_tflops":
		return largestProduct(r)
	}
	bytes, ok := r.Payload()
	if !ok || r.GPUs < 2 {
		return Sample{}, "size or number of devices of a collective is not stated"
	}
	s := Sample{Op: AllReduce, Device: r.GPU, Compute: inputs.BF16, GPUs: r.GPUs, Nodes: max(1, r.Nodes), Bytes: bytes, Library: true}
	switch r.Metric {
	case "allreduce_time_us":
		s.Seconds = r.Value * 1e-6
	case "allreduce_algbw_gbs":
		s.Seconds = bytes / (r.Value * 1e9)
	default:
		s.Seconds = measured.BusShare(r.GPUs) * bytes / (r.Value * 1e9)
	}
	return s, ""
}

// largestProduct is the product that reached the rate of a row.
func largestProduct(r *measured.Row) (Sample, string) {
	m, n, k, ok := r.Product()
	format := inputs.DType(strings.ToLower(r.Precision))
	if !ok || format != inputs.BF16 && format != inputs.FP16 && format != inputs.FP8 {
		return Sample{}, "sizes or number format of a product are not stated"
	}
	s := Sample{Op: Matmul, Device: r.GPU, Compute: format, Weight: format, M: int(m), N: int(n), K: int(k)}
	s.Seconds = 2 * m * n * k / (r.Value * 1e12)
	return s, ""
}

// isMeasurements reports whether the columns are those of a table of measurements.
func isMeasurements(data []byte) bool {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	names := strings.Split(strings.TrimSpace(string(line)), ",")
	for _, need := range []string{"gpu", "metric", "value"} {
		if !slices.Contains(names, need) {
			return false
		}
	}
	return true
}
