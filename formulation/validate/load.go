package validate

import (
	"math"
	"regexp"
	"strconv"

	"partita/inputs"
	"partita/inputs/measured"
)

// load is the work of a row. It is comparable.
type load struct {
	input, output inputs.Range // tokens; zero: not stated
	mode          mode
	requests      int     // in flight over all replicas, where mode is closed or static
	rate          float64 // requests a second, where mode is byRate; +Inf: all at once
	total         int     // requests of the whole run; 0: without end
}

// mode is how requests come.
type mode int

const (
	unstated mode = iota
	closed        // so many in flight: one ends, the next begins
	static        // so many begin together and none follows
	most          // as many as memory and the engine admit
	byRate        // at a rate
)

// mostSequences is what engines run at once where memory would hold more: the default of
// max_batch_size of TensorRT-LLM (BuildConfig in tensorrt_llm/builder.py), whose published
// maxima are the rows of mode most.
const mostSequences = 2048

func loadOf(r *measured.Row) load {
	l := load{requests: r.Concurrency.Requests}
	low := 1.0
	if says(r, shorter) {
		low = 0.8
	}
	l.input, l.output = lengths(r.Input, low), lengths(r.Output, low)
	switch {
	case r.Concurrency.Rate:
		l.mode, l.rate = byRate, r.Concurrency.PerSecond
		if found := counted.FindStringSubmatch(r.Notes); found != nil {
			l.total, _ = strconv.Atoi(found[1]) // digits
		}
	case l.requests > 0 && (says(r, staticBatch) || says(r, byItself)):
		l.mode = static
	case l.requests > 0:
		l.mode = closed
	case r.Concurrency.Most, says(r, noEnd), says(r, mostTokens):
		l.mode = most
	}
	return l
}

// counted finds how many requests a run had, in notes.
var counted = regexp.MustCompile(`(?i)^(\d{1,6}) requests\b`)

// lengths is the range of lengths below a stated one.
func lengths(tokens, low float64) inputs.Range {
	if tokens == 0 {
		return inputs.Range{}
	}
	return inputs.Range{Min: max(1, int(math.Round(low*tokens))), Max: max(1, int(math.Round(tokens)))}
}

// mean is the middle of a range as a range of its own.
func mean(r inputs.Range) inputs.Range { return inputs.Range{Min: r.Mid(), Max: r.Mid()} }
