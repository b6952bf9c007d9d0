package export

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"partita/inputs/profile"
	"partita/results"
)

// CalibrationText prints what was fitted and what was not, for a terminal.
func CalibrationText(w io.Writer, c *results.Calibration, on Screen) error {
	s := newScreen(on)
	var rows [][]string
	for _, t := range c.Tables {
		rows = append(rows, []string{filepath.Base(t.File), t.Kind, count(t.Rows), count(t.Samples)})
	}
	s.table([]string{"file!", "table", "rows#", "timings#"}, rows)
	if len(c.Devices) > 0 {
		s.gap()
		s.line("Errors ", "of predicted times in % of the measured ones, median and 90th percentile over shapes: with the built-in constants, with the fitted ones on the shapes that they were fitted on, and on shapes that were held out. Out are shapes that are far from the fit and count little, fast are times that the datasheet makes impossible")
	}
	for i := range c.Devices {
		s.calibrated(&c.Devices[i])
	}
	if len(c.Skipped) > 0 {
		rows = nil
		for _, x := range c.Skipped {
			rows = append(rows, []string{count(x.Rows), x.Reason})
		}
		s.gap()
		s.line("Skipped ", "rows that nothing was fitted from")
		s.table([]string{"rows#", "because"}, rows)
	}
	s.gap()
	switch {
	case c.Pack != "":
		s.line("", fmt.Sprintf("Written: %s. Apply it with --knowledge %s", c.Pack, c.Pack))
	case c.Fitted():
		s.line("", "Nothing is written: -o PACK.yaml keeps the fitted constants")
	default:
		s.line("", "No constant is fitted: all stay built in, and nothing is written")
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// calibrated tells of one device: errors of each law, then constants, then what was refused.
func (s *screen) calibrated(d *results.CalibratedDevice) {
	s.gap()
	s.line("Device ", fmt.Sprintf("%s, generation %s", d.Device, d.Generation))
	var errors, constants, stays [][]string
	var mixed []string
	for i := range d.Laws {
		l := &d.Laws[i]
		if len(l.Frameworks) > 1 {
			mixed = append(mixed, fmt.Sprintf("%s of %s", strings.TrimPrefix(l.Path, "operators."), strings.Join(l.Frameworks, ", ")))
		}
		row := []string{strings.TrimPrefix(l.Path, "operators."), strings.ReplaceAll(strings.Join(l.Ops, ", "), "_", " "), count(l.Rows), count(l.Shapes), some(l.Outliers), some(l.Impossible), pair(&l.BuiltIn), pair(l.InSample), pair(l.HeldOut)}
		errors = append(errors, row)
		if l.Refused != "" {
			stays = append(stays, []string{l.Path, l.Refused})
			continue
		}
		for k := range l.Constants {
			x := &l.Constants[k]
			if x.Fitted == nil {
				stays = append(stays, []string{x.Path, x.Refused})
				continue
			}
			constants = append(constants, []string{x.Path, constantText(x.Path, x.BuiltIn), constantText(x.Path, *x.Fitted), fmt.Sprintf("±%.1f %%", x.UncertaintyPct)})
		}
	}
	header := []string{"constants of!", "rows of", "rows#", "shapes#", "out#", "fast#", "built in#", "fitted#", "held out#"}
	if !s.fits(header, errors) {
		for _, row := range errors {
			row[1] = "" // the constants tell what rows are of
		}
	}
	s.table(header, errors)
	if len(mixed) > 0 {
		s.gap()
		s.line("Mixed ", "times of several engines are fitted as one: "+strings.Join(mixed, "; ")+". Give the tables of the engine that you plan for")
	}
	s.table([]string{"fitted", "built in#", "now#", "uncertainty#"}, constants)
	s.table([]string{"stays built in!", "because"}, stays)
}

func some(n int) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

// pair is a median and a 90th percentile.
func pair(e *results.CalibrationError) string {
	if e == nil {
		return ""
	}
	return short3(e.MedianPct) + "/" + short3(e.P90Pct)
}

// short3 is a percentage in the letters that a table has room for.
func short3(x float64) string {
	if x < 99.95 {
		return tenths(x)
	}
	return figure(float64(int(x + 0.5)))
}

// constantText is a constant in the unit that suits it.
func constantText(path string, v float64) string {
	switch {
	case profile.IsTime(path):
		return duration(1e3 * v)
	case profile.IsShare(path):
		return tenths(100*v) + " %"
	}
	return figure(v)
}
