package read

import (
	"fmt"

	"partita/inputs"
)

// inputReaders read the section Input Data. Its statements also stand in other sections.
func inputReaders() []reader {
	s := sectionInput
	return []reader{
		single(s, "Batch size", "workload.batch", "batch size", "batch", "concurrency", "concurrent request", "concurrent sequence", "number sequence", "sequence in flight", "number request", "global batch size", "number concurrent request"),
		{section: s, title: "Sequence Length", names: []string{"sequence length", "length", "seq length", "sequence len", "total sequence length", "context range"}, read: lengthsOf("workload.sequence")},
		{section: s, title: "Sequence In", names: []string{"sequence input", "input length", "input sequence length", "prompt length", "isl", "input token", "prompt token", "input seq length", "prompt", "sequence length input",
			"length input sequence", "number input token", "average input length", "input sequence", "prefill length", "input len"}, read: lengthsOf("workload.input")},
		{section: s, title: "Sequence Out", names: []string{"sequence output", "output length", "output sequence length", "osl", "output token", "generation length", "generated token", "output seq length",
			"sequence length output", "max new token", "new token", "number output token", "average output length", "output", "output sequence", "decode length", "output len", "generated length"}, read: lengthsOf("workload.output")},
		entire(s, "Phase", "workload.phase", "phase", "inference phase", "stage", "mode", "serving phase"),
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

// parseLengths is ParseRange for prose: a size or a time is no length.
func parseLengths(s string) (inputs.Range, error) { return inputs.ParseRange(s) }
