package export

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"partita/results"
)

// Names of the files of a variation.
const (
	variationJSONName = "vary.json"
	variationCSVName  = "vary.csv"
	variationSVGName  = "vary.svg"
)

// WriteVariation leaves vary.json, vary.csv and vary.svg in dir, all or none, and returns
// their paths. One with a plan whose verification does not hold is refused.
func WriteVariation(dir string, v *results.Variation) ([]string, error) {
	for i := range v.Points {
		if p := v.Points[i].Plan; p != nil && (p.Verification == nil || !p.Verification.OK) {
			return nil, errUnverifiedPoint
		}
	}
	data, err := indented(v, variationJSONName)
	if err != nil {
		return nil, err
	}
	rows, err := VariationCSV(v)
	if err != nil {
		return nil, err
	}
	return writeAll(dir, Whole(variationJSONName, data), Whole(variationCSVName, rows), Whole(variationSVGName, VariationSVG(v)))
}

// VariationCSV is the values as a table for other programs, one line each. Absent figures
// are empty; between is 1 for a value that was looked at to locate a change.
func VariationCSV(v *results.Variation) ([]byte, error) {
	rows := [][]string{{"value", "number", "unit", "status", "latency_ms", "tokens_per_s", "usd_per_hour", "ttft_ms", "tpot_ms", "gpus", "objective", "kind", "strategy", "between", "reason"}}
	for i := range v.Points {
		p := &v.Points[i]
		row := []string{plain(p.Value), number(&p.Number), plain(v.Unit), string(p.Status), "", "", "", "", "", "", number(p.Objective), plain(p.Kind), plain(p.Summary), "0", plain(p.Reason)}
		if g := p.FrontierFigures; g != nil {
			copy(row[4:], []string{number(&g.LatencyMS), number(&g.TokensPerS), number(g.USDPerHour), number(g.TTFTMS), number(g.TPOTMS), strconv.Itoa(g.GPUs)})
		}
		if p.Between {
			row[13] = "1"
		}
		rows = append(rows, row)
	}
	return csvOf(rows)
}

// VariationText prints a variation for a terminal: the values asked for,
// then the changes.
func VariationText(w io.Writer, v *results.Variation, on Screen) error {
	s := newScreen(on)
	s.styled(strong, "", fmt.Sprintf("The best plan (%s) at each %s, verified.", v.Objective, v.Path))
	rate := "tokens/s#"
	if v.ThroughputOf == "gpu" {
		rate = "tokens/s/GPU#"
	}
	var rows [][]string
	for i := range v.Points {
		p := &v.Points[i]
		if p.Between {
			continue
		}
		row := []string{p.Value, "", "", "", "", p.Kind}
		if g := p.FrontierFigures; g != nil {
			row[1], row[2], row[4] = duration(g.LatencyMS), figure(g.TokensPerS), count(g.GPUs)
			if g.USDPerHour != nil {
				row[3] = figure(*g.USDPerHour)
			}
		}
		switch p.Status {
		case results.StatusFeasible:
			row[5] = "not proved: " + p.Kind
		case results.StatusInfeasible, results.StatusUnknown, "invalid":
			row[5] = strings.TrimSuffix(p.Kind+": "+p.Reason, ": ")
		}
		rows = append(rows, row)
	}
	s.table([]string{"value", "request#", rate, "USD/h#", "GPUs#", "strategy"}, rows)
	s.b.WriteByte('\n')
	s.line("", v.Summary+".")
	if len(v.Changes) > 0 && v.Quantity {
		s.line("", fmt.Sprintf("Each change lies between two values that are at most %s apart, or are neighbours.", percent(100*v.Resolution)))
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}
