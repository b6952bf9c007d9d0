package read

import (
	"fmt"
	"regexp"
	"strings"

	"partita/inputs"
)

// inputReaders read the section Input Data. Its statements also stand in other sections.
func inputReaders() []reader {
	s := sectionInput
	return []reader{
		single(s, "Batch size", "workload.batch", "batch size", "batch", "concurrency", "concurrent request", "concurrent sequence", "number sequence", "sequence in flight", "number request", "number concurrent request"),
		{section: s, title: "Sequence Length", names: []string{"sequence length", "length", "seq length", "sequence len", "total sequence length", "context range"}, read: lengthsOf("workload.sequence")},
		{section: s, title: "Sequence In", names: []string{"sequence input", "input length", "input sequence length", "prompt length", "isl", "input token", "prompt token", "input seq length", "prompt", "sequence length input",
			"length input sequence", "number input token", "average input length", "input sequence", "prefill length", "input len"}, read: lengthsOf("workload.input")},
		{section: s, title: "Sequence Out", names: []string{"sequence output", "output length", "output sequence length", "osl", "output token", "generation length", "generated token", "output seq length",
			"sequence length output", "max new token", "new token", "number output token", "average output length", "output", "output sequence", "decode length", "generation", "output len", "generated length"}, read: lengthsOf("workload.output")},
		{section: s, title: "Input/Output length", names: []string{"input output length", "input output", "isl osl", "sequence input output", "input output sequence length", "input output token", "prompt output length"}, read: readInputOutput},
		{section: s, title: "Request rate", names: []string{"request rate", "qps", "rps", "arrival rate", "request per second", "query per second"}, read: readRequestRate},
		single(s, "Prefix cache hit rate", "workload.prefix_cache_hit", "prefix cache hit rate", "prefix cache hit", "prefix caching hit rate", "cache hit rate", "prefix hit rate", "kv cache hit rate"),
		single(s, "Draft tokens", "workload.speculative.draft_tokens", "draft token", "speculative token", "number speculative token", "number draft token", "speculative draft token"),
		single(s, "Draft acceptance", "workload.speculative.acceptance", "draft acceptance", "acceptance rate", "draft acceptance rate", "speculative acceptance rate", "token acceptance rate"),
		single(s, "Draft cost", "workload.speculative.draft_cost", "draft cost", "draft cost share", "speculative draft cost"),
		{section: s, title: "Phase", names: []string{"phase", "inference phase", "stage", "mode", "serving phase"}, read: readPhase},
	}
}

// lengthsOf reads a length or a range of lengths: "2048", "ranging from [128, 10240]",
// "128 ~ 10240 tokens per sequence".
func lengthsOf(path string) func(m *markdown, s *stated) {
	return func(m *markdown, s *stated) {
		all := findAll(s.prose, parseLengths)
		if len(all) == 2 && all[0].value.Min == all[0].value.Max && all[1].value.Min == all[1].value.Max && all[0].value.Min <= all[1].value.Min {
			// "at least 128 and up to 10240", "min 128, max 10240"
			all[0].value.Max = all[1].value.Max
			s.mask(all[1].start, all[1].end)
			all = all[:1]
			for s.take(endsOfRange) {
			}
		}
		if len(all) != 1 {
			m.problem(s.at(0), fmt.Sprintf("no single length found in %q", s.text), "a length such as 2048 or a range such as [128, 10240]", "")
			return
		}
		s.mask(all[0].start, all[0].end)
		m.set(s.number, path, all[0].value, s.at(all[0].start), fromFile)
	}
}

// inputOutput separates an input from an output length: "2048/512".
var inputOutput = regexp.MustCompile(`^\s*(.+?)\s*[/|]\s*(.+?)\s*$`)

// readInputOutput reads both lengths from one statement.
func readInputOutput(m *markdown, s *stated) {
	g := inputOutput.FindStringSubmatchIndex(s.value)
	if g == nil {
		m.problem(s.at(0), fmt.Sprintf("no two lengths found in %q", s.text), "input and output length such as 2048/512", "")
		return
	}
	if m.setText(s.number, "workload.input", s.value[g[2]:g[3]], s.at(g[2]), fromFile) &&
		m.setText(s.number, "workload.output", strings.TrimRight(s.value[g[4]:g[5]], "."), s.at(g[4]), fromFile) {
		s.mask(0, len(s.left))
	}
}

// readRequestRate refuses arrivals: a plan is for a number of sequences in flight.
func readRequestRate(m *markdown, s *stated) {
	m.problem(s.keyAt, fmt.Sprintf("arrivals are not planned for: %q", s.text), "the sequences in flight, as Batch size", "requests per second × seconds a request takes is that number")
}

// parseLengths is ParseRange for prose: a size or a time is no length.
func parseLengths(s string) (inputs.Range, error) { return inputs.ParseRange(s) }
