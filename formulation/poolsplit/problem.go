// Package poolsplit chooses which GPUs prefill and which decode.
//
// A disaggregated deployment is two: one takes prompts, the other takes over their KV
// cache and generates. What either can do with so many GPUs is asked of its own search
// (Sides); this package puts the answers together. A pair of choices has
//
//	TTFT   = prefill + transfer           TPOT = a round of decoding
//	rate   = 1 / max(prefill, decode, transfer)    seconds between requests, each      (D1)
//	transfer = α + max(share of the senders, share of the receivers) · β             (D2)
//
// where a share is what the heaviest rank of a side holds of a prompt. All figures grow
// with those of a side, so a value of them does, too, and bounds of the sides bound it.
//
// The search is best first over pairs of choices. A pair is bounded by floors of both
// sides, then by the best round of the decoding one, then settled with the frontier of
// TTFT and rate of the prefilling one. What is left of a settled pair are plans whose
// share is smaller on one side: their cache arrives earlier, and nothing else of them is
// better. They are bounded with what is known, and searched only where that could pay.
package poolsplit

import (
	"context"
	"math"
)

// Choice is an outer choice of one side: its GPUs and how many replicas share them.
type Choice struct {
	Replicas int
	// Floor is no better than any plan of the choice in any figure.
	Floor Point
}

// Point is a plan of one side. Times in seconds; Share in KV heads of a layer that the
// heaviest rank holds of a prompt.
type Point struct {
	TTFT   float64 // until a prompt is through; 0 of the decoding side
	Round  float64 // one token of every sequence; 0 of the prefilling side
	Period float64 // between two requests, all replicas together
	Share  float64
	ID     int // names the plan to whoever made it
}

// Sides answers what the searches of either side find.
type Sides interface {
	// Prefill lists plans of a choice with a share below the bound such that each of its
	// plans is, in TTFT and Period, no better than one of them. An empty list: there is none.
	// proved is false where time ran out: plans may be missing.
	Prefill(ctx context.Context, choice int, below float64) (points []Point, proved bool, err error)
	// Decode is the plan with the shortest round; false: there is none.
	Decode(ctx context.Context, choice int, below float64) (p Point, found, proved bool, err error)
}

// Link is what a transfer takes: seconds until the first byte, for a unit of share of the
// longest prompt, and for one of the mean prompt.
type Link struct{ Latency, Longest, Mean float64 }

// Figures are those of a pair of plans, in seconds.
type Figures struct {
	TTFT, TPOT                float64
	Transfer                  float64 // part of TTFT
	Prefill, Decode, Handover float64 // between two requests: as either side and the link allow
}

// Period is the time between two requests of the deployment, in seconds (D1).
func (f *Figures) Period() float64 { return max(f.Prefill, f.Decode, f.Handover) }

// Value is what a search minimises, the first entry first. It must not fall where a
// figure grows.
type Value [3]float64

// tolerance is how far apart two values are that count as one: sums of doubles.
const tolerance = 1e-9

// Less reports whether a value is better by more than rounding.
func (v Value) Less(w Value) bool {
	for i := range v {
		switch {
		case v[i] == w[i]:
		case math.IsInf(v[i], 1) || math.IsInf(w[i], 1) || math.Abs(v[i]-w[i]) > tolerance*max(math.Abs(v[i]), math.Abs(w[i])):
			return v[i] < w[i]
		}
	}
	return false
}

// Worst is above every value: pairs that have it do not count.
var Worst = Value{math.Inf(1), math.Inf(1), math.Inf(1)}

// Problem is what is chosen from.
type Problem struct {
	Prefill, Decode []Choice
	// Pairs lists which choices stand side by side.
	Pairs [][2]int
	Link  func(pair int) Link
	// Value of figures of a pair.
	Value func(pair int, f Figures) Value
}

// Of are the figures of two plans of a pair (D1, D2).
func (p *Problem) Of(pair int, prefill, decode Point) Figures {
	link, at := p.Link(pair), p.Pairs[pair]
	transfer := link.Latency + link.Longest*max(prefill.Share, decode.Share)
	return Figures{
		TTFT: prefill.TTFT + transfer, TPOT: decode.Round, Transfer: transfer,
		Prefill: prefill.Period, Decode: decode.Period,
		Handover: link.Mean * max(prefill.Share/float64(p.Prefill[at[0]].Replicas), decode.Share/float64(p.Decode[at[1]].Replicas)),
	}
}
