package read

import (
	"fmt"
	"regexp"
	"strings"
)

// strategyReaders read the section (Current) Parallelism Strategy. The first one
// takes prose such as "TP=8, PP=2" or "8-way tensor parallelism".
func strategyReaders() []reader {
	s := sectionStrategy
	all := []reader{{section: s, title: "Strategy", names: []string{"strategy", "parallelism strategy", "parallelism"}, read: readStrategy}}
	for _, f := range []struct {
		title, field string
		names        []string
	}{
		{"Micro-batches", "micro_batches", []string{"number micro batch", "number micro batches", "micro batches", "micro batch count"}},
		{"Micro-batch size", "micro_batch_size", []string{"micro batch size", "micro batch"}},
		{"Decode groups", "decode_groups", []string{"decode group", "number decode group"}},
		{"Replicas", "replicas", []string{"replica", "number replica", "instance", "number instance"}},
		{"Attention DP", "dp_attention", []string{"attention dp", "dp attention", "attention data parallelism", "data parallelism attention", "data parallelism attention dp"}},
		{"Expert TP", "etp", []string{"etp", "expert tp", "expert tensor parallelism", "expert tensor parallelism etp"}},
		{"Layers per stage", "layers", []string{"layer per stage", "layer split", "layer partition", "stage layer", "layer stage"}},
		{"Virtual stages", "virtual_stages", []string{"virtual stage", "virtual pipeline stage", "virtual pipeline", "vpp", "virtual pipeline parallelism", "virtual pipeline size", "virtual pipeline parallel size"}},
		{"Activation recompute", "recompute", []string{"activation recompute", "activation recomputation", "recompute", "recomputation", "activation checkpointing", "gradient checkpointing", "checkpointing"}},
		{"Pools", "pool", []string{"pool", "pool per stage", "stage pool"}},
	} {
		path := "strategy." + f.field
		all = append(all, reader{section: s, title: f.title, names: f.names, read: func(m *markdown, st *stated) { m.whole(st, path) }})
	}
	all = append(all, reader{section: s, title: "ZeRO stage", names: []string{"zero", "zero stage", "distributed optimizer", "fsdp", "sharding", "optimizer sharding"},
		read: func(m *markdown, st *stated) { m.shards(st, "strategy.zero") }})
	for _, f := range strategyFields() {
		names := []string{f.short, f.words + " parallelism", f.words + " parallelism " + f.short, f.short + " size", f.short + " degree", f.words + " parallelism size", f.words + " parallelism degree"}
		title := strings.ToUpper(f.short)
		if f.field == "gpus" {
			names, title = []string{"gpu", "number gpu", "total gpu", "gpu count", "gpu number", "gpu used", "total number gpu"}, "GPUs"
		}
		path := "strategy." + f.field
		read := func(m *markdown, st *stated) { m.degree(st, path) }
		if f.field == "sp" {
			read = func(m *markdown, st *stated) {
				if yes.MatchString(st.value) { // the degree is the tensor one
					m.whole(st, "strategy.sequence_parallel")
					return
				}
				m.degree(st, path)
			}
		}
		all = append(all, reader{section: s, title: title, names: names, read: read, own: []string{f.words}})
	}
	return all
}

// degree reads one degree: "16", "8-way", "8-way tensor parallelism", or a list with more ("TP8, PP2").
func (m *markdown) degree(s *stated, path string) {
	k, _ := m.keyOf(path)
	text := strings.Trim(strings.TrimSpace(s.value), ".。; ")
	if _, err := k.parse(text); err == nil {
		m.whole(s, path)
		return
	}
	// "TP=8, PP=2": the first degree is this one's, the rest names its own.
	if s.key != "" {
		if first, at, ok := s.capture(leadingDegree); ok && !m.setText(s.number, path, first, s.at(at), fromFile) {
			return
		}
	}
	readStrategy(m, s)
	for s.take(strategyWords) {
	}
	if m.statements[s.number].UsedAs == "" {
		_, err := k.parse(text)
		m.problem(s.at(0), fmt.Sprintf("no degree found in %q", s.text), wantOf2(err), "")
	}
}

var (
	yes           = regexp.MustCompile(`(?i)^\W*(yes|on|true|enabled)\W*$`)
	leadingDegree = regexp.MustCompile(`(?i)^\s*(\d+)(?:[- ]?ways?\b|\b)`)
	degreeShort   = regexp.MustCompile(`(?i)\b(tp|pp|ep|cp|dp|sp)\s*(?:size|degree)?\s*[-=:×x]?\s*(\d+)\b`)
	degreeWords   = regexp.MustCompile(`(?i)\b(\d+)[- ]?(?:way|stage|x|fold)?s?\s*[- ]?(tensor|pipeline|expert|context|data|sequence)(?:[- ]parallel(?:ism)?)?\b(?:\s*\(?(?:tp|pp|ep|cp|dp|sp)\)?)?`)
	degreeAfter   = regexp.MustCompile(`(?i)\b(tensor|pipeline|expert|context|data|sequence)(?:[- ]parallel(?:ism)?)?\s*(?:size|degree|of|is|=|:|\(?(?:tp|pp|ep|cp|dp|sp)\)?)*\s*(\d+)(?:[- ]?way)?\b`)
	strategyGPUs  = regexp.MustCompile(`(?i)\b(\d+)\s*(?:gpus?|npus?|xpus?|cards?|devices?)\b`)
	strategyWords = regexp.MustCompile(`(?i)\b(tensor|pipeline|expert|context|data|sequence|parallel(ism)?|ways?|degree|groups?|stages?|replicas?|gpus?|npus?|cards?|total|tp|pp|ep|cp|dp|sp)\b`)
)

// readStrategy reads several degrees from one text.
func readStrategy(m *markdown, s *stated) {
	if none.MatchString(s.value) {
		m.used(s.number, "given strategy: none")
		s.mask(0, len(s.left))
		return
	}
	m.trainingPhrases(s, "strategy.", "strategy.micro_batch_size")
	fieldOf := map[string]string{}
	for _, f := range strategyFields() {
		fieldOf[f.short], fieldOf[f.words] = f.field, f.field
	}
	seen := m.statements[s.number].UsedAs != ""
	record := func(name, degree string, at int) {
		if m.setText(s.number, "strategy."+fieldOf[strings.ToLower(name)], degree, s.at(at), fromFile) {
			seen = true
		}
	}
	for _, form := range []struct {
		re           *regexp.Regexp
		name, degree int
	}{{degreeShort, 1, 2}, {degreeAfter, 1, 2}, {degreeWords, 2, 1}} {
		for {
			g := form.re.FindSubmatchIndex(s.left)
			if g == nil {
				break
			}
			record(s.value[g[2*form.name]:g[2*form.name+1]], s.value[g[2*form.degree]:g[2*form.degree+1]], g[2*form.degree])
			s.mask(g[0], g[1])
		}
	}
	if text, at, ok := s.capture(strategyGPUs); ok && m.setText(s.number, "strategy.gpus", text, s.at(at), fromFile) {
		seen = true
	}
	if seen {
		for s.take(strategyWords) {
		}
	}
}
