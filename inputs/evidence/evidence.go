// Package evidence holds how far predictions of the cost model have been from published
// measurements, by what is predicted and on what: the ground of every interval that a plan
// carries and of every statement on how often such a prediction held.
//
// The figures are ratios, measured over predicted, of rows of public tables by constants
// that were fitted without the table of the row. Constants by hand and forms were made with
// the tables in view (docs/validation.md). Regimes are written by `make
// intervals`; nothing is read from the network or a file at run time.
package evidence

import (
	_ "embed"
	"fmt"
	"math"
	"sort"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Metric is what a ratio is of.
type Metric string

// Metrics that were held against measurements. Times in seconds, rates in tokens/s.
const (
	TTFT     Metric = "ttft"      // time to the first token of a request in service
	TPOT     Metric = "tpot"      // time per output token
	Rate     Metric = "rate"      // tokens/s or requests/s of serving
	EndToEnd Metric = "e2e"       // time of a whole request
	Step     Metric = "step_time" // time of a training step
)

// Kinds of model that regimes tell apart.
const (
	Dense   = "dense"
	Experts = "experts"
)

// Levels is the number of quantiles of a Regime: 0, 5, …, 100 %.
const Levels = 21

// Regime is the evidence on one metric on one kind of device and model. An empty
// Generation or Model stands for all of them.
type Regime struct {
	Metric     Metric   `yaml:"metric"`
	Generation string   `yaml:"generation,omitempty"`
	Model      string   `yaml:"model,omitempty"` // Dense or Experts
	Cases      int      `yaml:"cases"`           // runs
	Routed     int      `yaml:"routed"`          // runs of them whose model has experts
	Families   []string `yaml:"families,flow"`   // tables that the runs are from
	// Low and High are the quantiles of 5 and 95 %, widened until they hold 95 % of the cases
	// of each table left out in turn. Of tables that had no part at all they hold about nine
	// of ten, 82 to 97 % by metric (docs/validation.md, column "in").
	Low  float64 `yaml:"low"`
	High float64 `yaml:"high"`
	// Ratios are the quantiles at 0, 5, …, 100 %, every table of the same weight.
	Ratios []float64 `yaml:"ratios,flow"`
}

// HeldBelow is the share of cases, 0 to 1, whose measured value was at most so many times
// the predicted one.
func (r *Regime) HeldBelow(ratio float64) float64 {
	i := sort.SearchFloat64s(r.Ratios, ratio)
	switch {
	case i == 0 && ratio < r.Ratios[0]:
		return 0
	case i == len(r.Ratios):
		return 1
	}
	for i+1 < len(r.Ratios) && r.Ratios[i+1] <= ratio {
		i++ // equal quantiles: the last of them
	}
	if r.Ratios[i] <= ratio {
		return float64(i) / (Levels - 1)
	}
	between := (ratio - r.Ratios[i-1]) / (r.Ratios[i] - r.Ratios[i-1])
	return (float64(i-1) + between) / (Levels - 1)
}

// HeldAbove is the share of cases whose measured value was at least so many times the
// predicted one.
func (r *Regime) HeldAbove(ratio float64) float64 {
	below := 0.0
	if next := math.Nextafter(ratio, 0); next >= r.Ratios[0] {
		below = r.HeldBelow(next)
	}
	return 1 - below
}

// Says tells in a clause what the evidence is for a generation and a kind of model, and
// where it is of others.
func (r *Regime) Says(generation, model string) string {
	on := r.Generation
	if on == "" {
		on = "all devices, few or none " + strings.ToLower(generation)
	}
	switch {
	case r.Model != "":
		on += ", " + map[string]string{Dense: "dense models", Experts: "models with experts"}[r.Model]
	case model == Experts && r.Routed == 0:
		on += ", no model with experts"
	case model == Dense && r.Routed == r.Cases:
		on += ", no dense model"
	}
	return fmt.Sprintf("%d measured runs of %d published tables (%s)", r.Cases, len(r.Families), on)
}

//go:embed regimes.yaml
var embedded []byte

// Regimes are all that is known, in the order of the file.
var Regimes = sync.OnceValue(func() []Regime {
	var file struct {
		Regimes []Regime `yaml:"regimes"`
	}
	if err := yaml.Unmarshal(embedded, &file); err != nil {
		panic(fmt.Sprintf("evidence: regimes.yaml: %v", err))
	}
	return file.Regimes
})

// slowest is the least memory bandwidth of a measured device of a generation, bytes/s
// (catalogue): A100-SXM-40GB, H100-96GB-HBM2e, B200.
var slowest = map[string]float64{"ampere": 1555e9, "hopper": 2400e9, "blackwell": 8000e9}

// alike is the share of it from which a device counts as one of those. Cards of the same name
// with GDDR (A10, RTX-3090, RTX-5090) have a third to six tenths, and none was measured.
const alike = 2.0 / 3

// Tells reports whether runs of a generation tell about a device with so much memory
// bandwidth, in bytes/s.
func Tells(generation string, bandwidth float64) bool {
	return bandwidth >= alike*slowest[strings.ToLower(generation)]
}

// Find is the evidence that comes nearest: of the generation and the kind of model, else
// of one of them, else of all; nil where there is none of the metric.
func Find(metric Metric, generation, model string) *Regime {
	return find(Regimes(), metric, generation, model)
}

func find(all []Regime, metric Metric, generation, model string) *Regime {
	generation = strings.ToLower(generation)
	for _, c := range chain(generation, model) {
		for i := range all {
			if r := &all[i]; r.Metric == metric && r.Generation == c[0] && r.Model == c[1] {
				return r
			}
		}
	}
	return nil
}

// chain lists the regimes that speak for a generation and a kind of model, nearest first.
func chain(generation, model string) [][2]string {
	return [][2]string{{generation, model}, {generation, ""}, {"", model}, {"", ""}}
}
