package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"partita/results"
)

// Names of the files of a frontier.
const (
	frontierJSONName = "pareto.json"
	frontierCSVName  = "pareto.csv"
	frontierSVGName  = "pareto.svg"
)

// FrontierJSON is the content of pareto.json. Lists are never null.
func FrontierJSON(f *results.Frontier) ([]byte, error) {
	c := *f
	c.Axes, c.Points, c.Heuristics, c.Reasons, c.Warnings = list(c.Axes), list(c.Points), list(c.Heuristics), list(c.Reasons), list(c.Warnings)
	k := &c.Certificate
	k.LeftOut, k.Choices = list(k.LeftOut), list(k.Choices)
	if k.Quantisation == nil {
		k.Quantisation = map[string]float64{}
	}
	return indented(c, frontierJSONName)
}

// FrontierCSV is the points as a table for other programs, one line each, by latency.
// Absent figures are empty.
func FrontierCSV(f *results.Frontier) ([]byte, error) {
	rows := [][]string{{"latency_ms", "tokens_per_s", "usd_per_hour", "ttft_ms", "tpot_ms", "deployment_tokens_per_s", "tokens_per_s_per_gpu", "gpus", "status", "chosen_by", "replicas", "pp", "tp", "ep", "cp", "dp_attention", "micro_batches", "decode_groups", "layers", "strategy"}}
	for i := range f.Points {
		p := &f.Points[i]
		s := &p.Strategy
		rows = append(rows, []string{
			number(&p.LatencyMS), number(&p.TokensPerS), number(p.USDPerHour), number(p.TTFTMS), number(p.TPOTMS),
			number(&p.DeploymentTokens), number(&p.TokensPerSEachGPU), strconv.Itoa(p.GPUs), p.Status, strings.Join(p.ChosenBy, " "),
			strconv.Itoa(s.Replicas), strconv.Itoa(s.PP), joined(s.TP), joined(s.EP), joined(s.CP), joined(s.DPAttention),
			strconv.Itoa(s.MicroBatches), strconv.Itoa(s.DecodeGroups), joined(s.Layers), plain(p.Summary),
		})
	}
	return csvOf(rows)
}

// csvOf writes rows as RFC 4180 has them.
func csvOf(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("the table cannot be written as CSV: %w", err)
	}
	return b.Bytes(), nil
}

// joined is one degree where stages agree, else one a stage: "8/4/4".
func joined(v []int) string {
	if len(v) > 0 && all(v, v[0]) {
		v = v[:1]
	}
	text := make([]string, len(v))
	for i, d := range v {
		text[i] = strconv.Itoa(d)
	}
	return strings.Join(text, "/")
}

// errUnverifiedPoint says which plan of a frontier must not be written.
var errUnverifiedPoint = errors.New("a point of the frontier was not verified, or failed; nothing was written")

// WriteFrontier leaves pareto.json, pareto.csv and pareto.svg in dir, all or none, and
// returns their paths. A frontier with a plan whose verification does not hold is
// refused. Same frontier, same bytes.
func WriteFrontier(dir string, f *results.Frontier) ([]string, error) {
	for i := range f.Points {
		if v := f.Points[i].Plan.Verification; v == nil || !v.OK {
			return nil, errUnverifiedPoint
		}
	}
	data, err := FrontierJSON(f)
	if err != nil {
		return nil, err
	}
	rows, err := FrontierCSV(f)
	if err != nil {
		return nil, err
	}
	return writeAll(dir, Whole(frontierJSONName, data), Whole(frontierCSVName, rows), Whole(frontierSVGName, FrontierSVG(f)))
}

// writeAll writes a set of files and returns their absolute paths.
func writeAll(dir string, files ...Stream) ([]string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder %q has no absolute path: %w", dir, err)
	}
	if err := onDisk.writeStreams(absolute, files, nil); err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(absolute, f.Name))
	}
	return paths, nil
}

// FrontierText prints a frontier for a terminal.
func FrontierText(w io.Writer, f *results.Frontier, on Screen) error {
	s := newScreen(on)
	s.styled(statusTone(f.Status), "", frontierVerdict(f))
	for _, reason := range f.Reasons {
		s.line("- ", reason)
	}
	for _, warning := range f.Warnings {
		s.line("warning   ", warning)
	}
	rows := [][]string{}
	for i := range f.Points {
		p := &f.Points[i]
		price := ""
		if p.USDPerHour != nil {
			price = figure(*p.USDPerHour)
		}
		rows = append(rows, []string{duration(p.LatencyMS), milliseconds(p.TTFTMS), milliseconds(p.TPOTMS), figure(p.TokensPerS), price, count(p.GPUs), pointNote(p) + p.Summary})
	}
	rate := "tokens/s#"
	if f.ThroughputOf == "gpu" {
		rate = "tokens/s/GPU#"
	}
	s.table([]string{"request#", "first token#", "a token#", rate, "USD/h#", "GPUs#", "strategy"}, rows)
	rows = rows[:0]
	for i := range f.Heuristics {
		h := &f.Heuristics[i]
		row := []string{h.Heuristic, "", "", "", plain(h.Strategy)}
		if h.Figures != nil {
			row[1], row[2] = duration(h.Figures.LatencyMS), figure(h.Figures.TokensPerS)
		}
		if !h.Feasible {
			row[4] = "not allowed: " + h.Why
		}
		row[3] = ""
		rows = append(rows, row)
	}
	s.table([]string{"heuristic", "request#", rate, "", "strategy, or why it is not allowed~"}, rows)
	_, err := io.WriteString(w, s.b.String())
	return err
}

func milliseconds(v *float64) string {
	if v == nil {
		return ""
	}
	return duration(*v)
}

// pointNote says what is special about a point, before its strategy.
func pointNote(p *results.FrontierPoint) string {
	var notes []string
	if len(p.ChosenBy) > 0 {
		notes = append(notes, "best by "+strings.Join(p.ChosenBy, ", "))
	}
	if p.Status != string(results.StatusOptimal) {
		notes = append(notes, "not proved")
	}
	if len(notes) == 0 {
		return ""
	}
	return strings.Join(notes, "; ") + ": "
}

// frontierVerdict says what was found and what is proved of it.
func frontierVerdict(f *results.Frontier) string {
	k := &f.Certificate.Outer
	choices := fmt.Sprintf("%s: %s solved, %s without a plan, %s pruned by a bound", plural(k.Solved+k.Infeasible+k.Pruned+k.Open, "outer choice"), count(k.Solved), count(k.Infeasible), count(k.Pruned))
	axes := "latency and throughput"
	if len(f.Axes) > 2 {
		axes = "latency, throughput and cost"
	}
	if f.ThroughputOf == "gpu" {
		axes += " (throughput counts by GPU used, as their number is open)"
	}
	var line string
	switch f.Status {
	case results.StatusOptimal:
		line = fmt.Sprintf("The whole trade-off of %s: %s, proved complete and verified. No plan beats one of them, and every other plan is beaten by one. %s.", axes, plural(len(f.Points), "point"), choices)
	case results.StatusFeasible:
		line = fmt.Sprintf("The trade-off of %s as far as it is known: %s, verified. It is not complete: others may be missing or better. %s, %s open.", axes, plural(len(f.Points), "point"), choices, count(k.Open))
	case results.StatusInfeasible:
		return "Proved: no plan meets the condition, so there is nothing to trade. " + "'partita explain' says which requirements clash; --without-requirements shows what could be had without them."
	default:
		return "No plan and no proof; raise --time-limit."
	}
	switch f.Requirements {
	case "hold":
		line += " All requirements hold on every point; --without-requirements shows more."
	case "left out":
		line += " The condition's requirements are left out."
	}
	return line
}

// statusTone is green for what is proved, yellow for what is found, red for neither.
func statusTone(status results.Status) tone {
	switch status {
	case results.StatusOptimal:
		return good
	case results.StatusFeasible:
		return doubt
	}
	return bad
}
