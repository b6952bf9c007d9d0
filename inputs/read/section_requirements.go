package read

import (
	"fmt"
	"regexp"
	"strings"

	"partita/inputs"
)

// endsOfRange are the words around the ends of a range.
var endsOfRange = regexp.MustCompile(`(?i)\b(at least|at most|up to|from|to|min(imum)?|max(imum)?|between|and)\b`)

// requirementReaders read the section Basic Performance Requirements. The first one
// takes prose that mentions no other name.
func requirementReaders() []reader {
	s := sectionRequirements
	of := func(kind inputs.RequirementKind) func(m *markdown, s *stated) {
		return func(m *markdown, s *stated) { m.requirement(s, kind) }
	}
	return []reader{
		{section: s, title: "Objective", names: []string{"objective", "optimize", "goal", "optimize objective", "optimize goal", "target", "minimize", "maximize", "priority", "optimize target",
			"fewest gpu", "few gpu", "lowest cost", "lowest latency", "highest throughput", "cheapest"}, read: readObjective, strong: true},
		{section: s, title: "TTFT", names: []string{"ttft", "time first token", "time first token ttft", "first token latency", "first token time", "prefill latency"}, read: of(inputs.TTFT)},
		{section: s, title: "TPOT", names: []string{"tpot", "time per output token", "time per output token tpot", "inter token latency", "itl", "token latency", "decode latency", "time between token", "tbt", "latency per token",
			"token per second per user", "generation speed", "tps per user", "throughput per user", "output throughput per user", "user throughput", "output speed"}, read: of(inputs.TPOT)},
		{section: s, title: "Throughput per GPU", names: []string{"throughput per gpu", "gpu throughput", "token per second per gpu", "tps per gpu", "throughput gpu"}, read: of(inputs.TokensPerSGPU)},
		{section: s, title: "Output throughput per GPU", names: []string{"output throughput per gpu", "decode throughput per gpu", "output token throughput per gpu"}, read: of(inputs.OutputPerSGPU)},
		{section: s, title: "Output throughput", names: []string{"output throughput", "decode throughput", "output token throughput", "generation throughput", "generated token per second", "output token per second"}, read: of(inputs.OutputPerSecond)},
		{section: s, title: "Throughput", names: []string{"throughput", "total throughput", "system throughput", "token throughput", "token per second", "tps", "overall throughput", "cluster throughput"}, read: of(inputs.TokensPerSecond)},
		{section: s, title: "End-to-end latency", names: []string{"e2e", "end end latency", "end end", "e2e latency", "request latency", "latency", "total latency", "end end time", "response time"}, read: of(inputs.EndToEnd)},
		{section: s, title: "Step time", names: []string{"step time", "iteration time", "time per step", "time per iteration", "time per training step", "training step time", "training step", "step"}, read: of(inputs.StepTime)},
		{section: s, title: "Utilisation", names: []string{"mfu", "model flop utilization", "hfu", "mfu utilization"}, read: readUtilization},
		{section: s, title: "Cost per hour", names: []string{"cost per hour", "budget", "hourly cost", "cost", "price per hour", "total cost", "hourly budget"}, read: of(inputs.CostUSDPerHour)},
		single(s, "Latency weight", "goal.weights.latency", "latency weight", "weight latency"),
		single(s, "Throughput weight", "goal.weights.throughput", "throughput weight", "weight throughput"),
		single(s, "Balance", "goal.balance", "balance", "load balance", "imbalance", "balance tolerance"),
		{section: s, title: "Placement", names: []string{"placement", "placement mode"}, read: readApart},
		{section: s, title: "Disaggregation", names: apartNames, read: readApart, strong: true},
		single(s, "Margin", "goal.margin", "margin", "safety margin"),
		entire(s, "Idle GPUs allowed", "goal.allow_idle", "allow idle", "idle gpu", "idle gpu allowed", "allow idle gpu", "idle"),
	}
}

// perDeviceAnywhere and outputAnywhere tell which throughput a value means.
var (
	perDeviceAnywhere = regexp.MustCompile(`(?i)(/|\bper\b|\beach\b)\s*(gpu|npu|xpu|card|device)s?\b`)
	outputAnywhere    = regexp.MustCompile(`(?i)\b(output|generated|decoded)\b`)
	perUser           = regexp.MustCompile(`(?i)(/|\bper\b|\beach\b)\s*(user|sequence|request)s?\b`)
)

// requirement reads a bound on a metric: "10s", "None", "≤ 50 ms", "at least 100tokens/ms".
func (m *markdown) requirement(s *stated, kind inputs.RequirementKind) {
	if none.MatchString(s.value) {
		for _, r := range requirements() {
			if r.kind == kind && m.set(s.number, r.path(), bound{None: true}, s.at(0), fromFile) {
				s.mask(0, len(s.left))
			}
		}
		return
	}
	if kind == inputs.TokensPerSecond || kind == inputs.OutputPerSecond {
		kind = rateKind(s.value, kind)
		if perUser.MatchString(s.value) {
			kind = inputs.TPOT // what one user sees
		}
	}
	var want requirement
	for _, r := range requirements() {
		if r.kind == kind {
			want = r
		}
	}
	if statistic.MatchString(s.key) || s.take(statistic) {
		m.used(s.number, "a percentile or mean is not predicted: held against the predicted value")
	}
	all := findAll(s.prose, want.number)
	if len(all) != 1 {
		_, err := want.number(strings.TrimSpace(s.value))
		m.problem(s.at(0), fmt.Sprintf("no single value of %s found in %q", kind, s.text), wantOf2(err)+", or None", "")
		return
	}
	f := all[0]
	before := strings.TrimSpace(s.value[:f.start])
	s.mask(f.start, f.end)
	if c := comparisonBefore.FindStringSubmatchIndex(string(s.left[:f.start])); c != nil {
		if upper, want := c[2] >= 0, wantsUpper(kind, s.value[f.start:f.end]); upper != want {
			m.problem(s.at(0), fmt.Sprintf("%s with %q points the wrong way in %q", kind, before, s.text),
				map[bool]string{true: "an upper bound", false: "a lower bound"}[want], "")
			return
		}
		s.mask(c[0], c[1])
	}
	s.take(perDeviceAnywhere)
	s.take(perSequence)
	m.set(s.number, want.path(), bound{Value: f.value}, s.at(f.start), fromFile)
}

// statistic is a property of a distribution, which nothing here predicts.
var statistic = regexp.MustCompile(`(?i)\b(p\d{2}(\.\d+)?|\d+th percentile|percentile|median|average|mean)\b`)

// noMore says that there is no further requirement.
var noMore = regexp.MustCompile(`(?i)^\W*no (other|further|additional|more|special|specific) (requirements?|constraints?|limits?|objectives?)\W*$`)

// comparisonBefore is a comparison right before the number.
var comparisonBefore = regexp.MustCompile(`(?i)(?:(<=?|≤|=<|⩽|at most|no more than|not more than|not (?:to )?exceed(?:ing)?|less than|lower than|below|under|within|up to|max(?:imum)?(?: of)?)|(>=?|≥|=>|⩾|at least|no less than|not less than|greater than|higher than|more than|above|over|min(?:imum)?(?: of)?))\s*$`)

// rateKind is the throughput that a value means: of the deployment or of each GPU,
// of all tokens or of those generated.
func rateKind(value string, kind inputs.RequirementKind) inputs.RequirementKind {
	output := kind == inputs.OutputPerSecond || outputAnywhere.MatchString(value)
	gpu := perDeviceAnywhere.MatchString(value)
	switch {
	case output && gpu:
		return inputs.OutputPerSGPU
	case output:
		return inputs.OutputPerSecond
	case gpu:
		return inputs.TokensPerSGPU
	}
	return kind
}

// weightWord is a weight of the objective: "latency 0.7", "throughput: 30%".
var weightWord = regexp.MustCompile(`(?i)\b(latency|throughput)\b\s*(?:weight|is|=|:|of)?\s*(\d+(?:\.\d+)?\s?%?|\.\d+)|\b(\d+(?:\.\d+)?\s?%?)\s*(?:for |of |on |\* ?|× ?)?(latency|throughput)\b`)

// readObjective reads "optimise for latency", "latency 0.7, throughput 0.3".
func readObjective(m *markdown, s *stated) {
	if none.MatchString(s.value) || noMore.MatchString(s.value) {
		m.used(s.number, "goal: nothing further is asked")
		s.mask(0, len(s.left))
		return
	}
	weighted := false
	for {
		w := weightWord.FindSubmatchIndex(s.left)
		if w == nil {
			break
		}
		name, text, at := w[2], "", w[4]
		if name >= 0 {
			text = s.value[w[4]:w[5]]
		} else {
			name, at, text = w[8], w[6], s.value[w[6]:w[7]]
		}
		metric := "latency"
		if strings.HasPrefix(strings.ToLower(s.value[name:]), "throughput") {
			metric = "throughput"
		}
		s.mask(w[0], w[1])
		value, err := inputs.ParseShare(text)
		if err != nil {
			value, err = inputs.ParseReal(text)
		}
		if err != nil || !m.set(s.number, "goal.weights."+metric, value, s.at(at), fromFile) {
			return
		}
		weighted = true
	}
	text := string(s.left)
	if s.key != "" && !weighted {
		text = s.key + " " + text // "Minimize: latency"
	}
	v, err := parseObjective(text)
	switch {
	case err == nil:
		m.set(s.number, "goal.objective", v, s.at(0), fromFile)
	case weighted:
		v = inputs.Balanced
		m.set(s.number, "goal.objective", v, s.at(0), fromFile)
	default:
		m.problem(s.at(0), fmt.Sprintf("no objective found in %q", s.text), wantOf(err), "")
		return
	}
	for s.take(objectiveWords) {
	}
}

// objectiveWords are the words an objective is made of.
var objectiveWords = regexp.MustCompile(`(?i)\b(minimi[sz]e|maximi[sz]e|optimi[sz]e[ds]?|lowest|highest|fewest|least|cheapest|number|best|few|use|possible|latency|throughput|ttft|tpot|delay|balanced?|gpus?|npus?|cards?|costs?|price|both|prefer|weights?|objective|goal)\b`)
