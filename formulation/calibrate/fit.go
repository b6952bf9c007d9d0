package calibrate

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"partita/inputs"
	"partita/inputs/evidence"
	"partita/inputs/kernels"
	"partita/inputs/profile"
	"partita/results"
)

// What a law needs, and what is taken for impossible.
const (
	// leastShapes is how many different shapes each fitted constant needs; fewer than twice
	// that are too few for any.
	leastShapes = 4
	// tooFast is the share of the least time by the datasheet below which a time is
	// impossible. Between 1 and this, caches and reductions inside a switch may help.
	tooFast = 0.5
	// someImpossible is the share of impossible rows above which all are doubted.
	someImpossible = 0.1
	// farOff is the ratio to the built-in prices, in the median, that only a wrong unit or
	// another operator explains.
	farOff = 30.0
	// outlier is how many standard deviations a shape may be off, and outlierLeast how much
	// at least makes one.
	outlier      = 5.0
	outlierLeast = 0.15
)

// lawOf is the price of the operators below a path, on a device with a profile.
func lawOf(a *inputs.Accelerator, base *inputs.Profile, path string) (*law, error) {
	if path == "operators.experts" {
		// Tables have experts whose tokens are spread evenly.
		even, err := profile.With(base, map[string]float64{"operators.experts.imbalance": 0}, "")
		if err != nil {
			return nil, err
		}
		base = even
	}
	l := &law{path: path, device: a}
	for _, p := range profile.Paths() {
		v, _ := profile.Value(base, p)
		if len(p) <= len(path) || p[:len(path)+1] != path+"." || v == 0 {
			continue // a constant of 0 stands for something that the device does not have
		}
		c := constant{path: p, builtIn: v, low: v / 30, high: v * 30}
		switch kindOf(p) {
		case isTime:
			c.low, c.high = 5e-8, 5e-3
		case isShare:
			c.low, c.high = 0.002, 1
		}
		l.constants = append(l.constants, c)
	}
	if _, err := prices(a, base); err != nil {
		return nil, err
	}
	own := *base
	own.Sources, own.Inherited = nil, nil // what is written for people costs time at every price
	fields := profile.Fields(&own)
	l.at = func(values []float64) pricer {
		for i, v := range values {
			*fields[l.constants[i].path] = v
		}
		p := own
		price, err := prices(a, &p)
		if err != nil {
			panic(err) // it was priced above, with other numbers
		}
		return price
	}
	return l, nil
}

func (l *law) builtIn() []float64 {
	out := make([]float64, len(l.constants))
	for i := range out {
		out[i] = l.constants[i].builtIn
	}
	return out
}

// calibrated fits a law to samples, or says why not. The values are those to use, by path;
// none where all stay built in.
func (l *law) calibrated(samples []*kernels.Sample, least pricer) (results.CalibratedLaw, map[string]float64) {
	out := results.CalibratedLaw{Path: l.path, Rows: len(samples), Ops: []string{}, Files: []string{}}
	var possible, impossible []*kernels.Sample
	for _, s := range samples {
		if s.Framework != "" {
			out.Frameworks = append(out.Frameworks, s.Framework)
		}
		out.Ops, out.Files = append(out.Ops, string(s.Op)), append(out.Files, filepath.Base(s.Place.File))
		if s.Seconds < tooFast*least(s) {
			impossible = append(impossible, s)
			continue
		}
		possible = append(possible, s)
	}
	out.Impossible = len(impossible)
	out.Ops, out.Files, out.Frameworks = unique(out.Ops), unique(out.Files), unique(out.Frameworks)
	for _, c := range l.constants {
		out.Constants = append(out.Constants, results.CalibratedConstant{Path: c.path, BuiltIn: c.builtIn})
	}
	values := l.builtIn()
	points := pointsOf(possible)
	if out.Impossible > 0 && float64(out.Impossible) > someImpossible*float64(len(samples)) {
		all := pointsOf(samples)
		out.Shapes, out.BuiltIn = len(all), scored(l.errors(all, values))
		return refused(out, fmt.Sprintf("%d of %d times are impossible: less than half of what the datasheet's peaks take, the middle one of them 1/%.0f. Are times in the unit that their column names?",
			out.Impossible, len(samples), middleRatio(impossible, least)))
	}
	out.Shapes, out.BuiltIn = len(points), scored(l.errors(points, values))
	if len(points) < 2*leastShapes {
		return refused(out, fmt.Sprintf("too few shapes: %d, where at least %d are needed", len(points), 2*leastShapes))
	}
	if r := math.Exp(-evidence.Quantile(l.errors(points, values), 0.5)); r > farOff {
		return refused(out, fmt.Sprintf("the times are %.0f times those of the built-in constants, in the middle. Are they in the unit that their column names, and of one operator?", r))
	}
	return l.told(out, points)
}

// told fits the constants that the points tell.
func (l *law) told(out results.CalibratedLaw, points []point) (results.CalibratedLaw, map[string]float64) {
	values, free := l.builtIn(), make([]bool, len(l.constants))
	for i := range free {
		free[i] = true
	}
	var found []finding
	for {
		index := indices(free)
		if len(index) == 0 {
			return refused(out, "the times tell none of the constants")
		}
		if need := leastShapes * len(index); len(points) < need {
			l.dropWeakest(&out, points, values, free, index, fmt.Sprintf("too few shapes: %d for %d constants", len(points), len(index)))
			continue
		}
		values = l.fit(points, values, free)
		found = l.findings(points, values, index)
		worst := -1
		for k := range found {
			if found[k].reason != "" && (worst < 0 || found[k].weak > found[worst].weak) {
				worst = k
			}
		}
		if worst < 0 {
			break
		}
		l.drop(&out, values, free, index[worst], found[worst].reason)
		if other := found[worst].with; other >= 0 {
			// With one of them at its built-in value the other would take up its error.
			l.drop(&out, values, free, other, alikeReason(l.constants[index[worst]].path))
		}
	}
	errors := l.errors(points, values)
	in, held := scored(slices.Clone(errors)), scored(l.heldOut(points, free))
	out.InSample, out.HeldOut = &in, &held
	far := math.Max(outlierLeast, outlier*spread(errors))
	for _, e := range errors {
		if math.Abs(e) > far {
			out.Outliers++
		}
	}
	if held.MedianPct >= out.BuiltIn.MedianPct {
		return refused(out, fmt.Sprintf("on held-out shapes the error is %.1f %%, with the built-in constants %.1f %%", held.MedianPct, out.BuiltIn.MedianPct))
	}
	set := map[string]float64{}
	for k, i := range indices(free) {
		v := rounded(values[i])
		c := &out.Constants[i]
		c.Fitted, c.UncertaintyPct = &v, 100*found[k].uncertain
		set[c.Path] = v
	}
	return out, set
}

// drop leaves a constant at its built-in value.
func (l *law) drop(out *results.CalibratedLaw, values []float64, free []bool, i int, reason string) {
	free[i], values[i] = false, l.constants[i].builtIn
	out.Constants[i].Refused = reason
}

// dropWeakest drops the constant that the points tell least, as the built-in values see it.
func (l *law) dropWeakest(out *results.CalibratedLaw, points []point, values []float64, free []bool, index []int, reason string) {
	slopes := l.slopes(points, values, index)
	weakest, least := 0, math.Inf(1)
	for k := range index {
		sum := 0.0
		for at := k; at < len(slopes); at += len(index) {
			sum += slopes[at] * slopes[at]
		}
		if sum < least {
			weakest, least = k, sum
		}
	}
	if least < leastRows {
		reason = unseen(l.constants[index[weakest]].path, points)
	}
	l.drop(out, values, free, index[weakest], reason)
}

// refused is a law whose constants all stay built in.
func refused(out results.CalibratedLaw, reason string) (results.CalibratedLaw, map[string]float64) {
	out.Refused = reason
	return out, nil
}

// middleRatio is the least over the measured time in the middle row.
func middleRatio(samples []*kernels.Sample, least pricer) float64 {
	ratios := make([]float64, len(samples))
	for i, s := range samples {
		ratios[i] = least(s) / s.Seconds
	}
	return evidence.Quantile(ratios, 0.5)
}

// rounded keeps four digits: no table tells more, and what is printed is what is used.
func rounded(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

func unique(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}
