package read

import (
	"fmt"
	"regexp"
	"strings"

	"partita/inputs"
)

// requirement is one metric a condition can bound.
type requirement struct {
	kind   inputs.RequirementKind
	number func(string) (float64, error)
	show   func(float64) string
	form   string
}

// requirements lists the metrics. The kind is also the key's name.
func requirements() []requirement {
	dollars := func(f float64) string { return fmt.Sprintf("%v USD/h", f) }
	return []requirement{
		{inputs.TTFT, inputs.ParseDuration, inputs.FormatDuration, "atMostTime"},
		{inputs.TPOT, parseTokenTime, inputs.FormatDuration, "atMostTokenTime"},
		{inputs.TokensPerSecond, parseTokens, inputs.FormatTokenRate, "atLeastTokens"},
		{inputs.TokensPerSGPU, parseTokens, inputs.FormatTokenRate, "atLeastTokens"},
		{inputs.OutputPerSecond, parseTokens, inputs.FormatTokenRate, "atLeastTokens"},
		{inputs.OutputPerSGPU, parseTokens, inputs.FormatTokenRate, "atLeastTokens"},
		{inputs.CostUSDPerHour, inputs.ParsePrice, dollars, "atMostPrice"},
		{inputs.EndToEnd, inputs.ParseDuration, inputs.FormatDuration, "atMostTime"},
		{inputs.StepTime, inputs.ParseDuration, inputs.FormatDuration, "atMostTime"},
		{inputs.SamplesPerS, parseSamples, func(f float64) string { return fmt.Sprintf("%v samples/s", f) }, "atLeastSamples"},
	}
}

// path is the key of a requirement.
func (r requirement) path() string { return "goal.requirements." + string(r.kind) }

func (r requirement) key() key {
	sign := "≥"
	if r.kind.Upper() {
		sign = "≤"
	}
	return key{
		path: r.path(), what: "requirement: " + string(r.kind), parse: boundOf(r.kind, r.bare), form: r.form,
		show: func(v any) string {
			if b, ok := v.(bound); ok && !b.None {
				return sign + " " + r.show(b.Value)
			}
			return "none"
		},
		check: func(v any) string {
			if b, ok := v.(bound); ok && !b.None && b.Value <= 0 {
				return "a value above 0"
			}
			return ""
		},
	}
}

// bare also takes a rate without a unit, as tokens per second: a flag's help and the
// schema name the unit. Prose must name its own.
func (r requirement) bare(s string) (float64, error) {
	switch r.kind {
	case inputs.TokensPerSecond, inputs.TokensPerSGPU, inputs.OutputPerSecond, inputs.OutputPerSGPU:
		if f, err := inputs.ParseReal(s); err == nil {
			return f, nil
		}
	}
	return r.number(s)
}

// perToken is what may follow a time per output token.
var perToken = regexp.MustCompile(`(?i)\s*(/|per)\s*(output\s)?tok(en)?s?$`)

// parseTokenTime reads a time per token ("50 ms/token"), or the same as the rate a
// user sees ("20 tokens/s").
func parseTokenTime(s string) (float64, error) {
	if rate, err := inputs.ParseTokenRate(perSequence.ReplaceAllString(s, "")); err == nil && rate > 0 {
		return 1 / rate, nil
	}
	return inputs.ParseDuration(perToken.ReplaceAllString(s, ""))
}

// wantsUpper reports whether a bound is one from above. A time per token that is
// stated as the rate a user sees is bounded from below.
func wantsUpper(kind inputs.RequirementKind, number string) bool {
	if kind == inputs.TPOT {
		if _, err := inputs.ParseTokenRate(perSequence.ReplaceAllString(strings.TrimSpace(number), "")); err == nil {
			return false
		}
	}
	return kind.Upper()
}

// perSequence and perDevice may follow a rate; the key says which is meant.
var (
	perSequence = regexp.MustCompile(`(?i)\s*(/|per)\s*(user|sequence|request)s?$`)
	perDevice   = regexp.MustCompile(`(?i)\s*(/|per)\s*(gpu|npu|xpu|card|device)s?$`)
)

// parseTokens reads a token rate; "/GPU" at its end is left to the key.
func parseTokens(s string) (float64, error) {
	s = perDevice.ReplaceAllString(s, "")
	s = regexpOutputTokens.ReplaceAllString(s, "${1}tokens")
	return inputs.ParseTokenRate(s)
}

// samplesText is a rate of samples: 300 samples/s, 300.
var samplesText = regexp.MustCompile(`(?i)^(.*?)\s*samples?\s*(?:/|per )\s*s(?:ec(?:ond)?)?$`)

// parseSamples reads a rate of samples; the unit may be left out, for the key names it.
func parseSamples(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if m := samplesText.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	v, err := inputs.ParseReal(s)
	if err != nil {
		return 0, &inputs.QuantityError{Text: s, Want: "samples per second such as 300 samples/s"}
	}
	return v, nil
}

var regexpOutputTokens = regexp.MustCompile(`(?i)(^[\d.,_e+ ]+)(output|generated|total)[ -]tok(en)?s?`)

// strategyField is one degree of a parallelism strategy.
type strategyField struct {
	field, what string
	short       string // as engines abbreviate it
	words       string // before "parallelism"
}

func strategyFields() []strategyField {
	return []strategyField{
		{"gpus", "number of GPUs", "", ""},
		{"tp", "tensor parallelism", "tp", "tensor"},
		{"pp", "pipeline parallelism", "pp", "pipeline"},
		{"ep", "expert parallelism", "ep", "expert"},
		{"cp", "context parallelism", "cp", "context"},
		{"dp", "data parallelism", "dp", "data"},
		{"sp", "sequence parallelism", "sp", "sequence"},
	}
}

// way is what may surround a degree: "8-way", "TP=8", "8 stages".
var way = regexp.MustCompile(`(?i)^(?:(tp|pp|ep|cp|dp|sp)\s*[=:x×]?\s*)?(\d[\d,]*)\s*(?:[- ]?ways?|x|[- ]?(?:gpus?|npus?|xpus?|cards?|devices?|stages?|replicas?|groups?|ranks?))?\.?$`)

// degreeOf reads a degree of parallelism; none and off mean one.
func degreeOf(field string) func(string) (any, error) {
	return func(s string) (any, error) {
		s = strings.TrimSpace(s)
		switch strings.ToLower(s) {
		case "none", "off", "no", "disabled", "n/a", "not used":
			if field != "gpus" {
				return 1, nil
			}
		}
		m := way.FindStringSubmatch(s)
		if m == nil || m[1] != "" && !strings.EqualFold(m[1], field) {
			return nil, &inputs.QuantityError{Text: s, Want: "a degree such as 8 or 8-way"}
		}
		return inputs.ParseCount(m[2])
	}
}
