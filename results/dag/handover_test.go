package dag

import (
	"testing"

	"pgregory.net/rapid"

	"partita/results"
)

// Between any two stages every rank gets each element of what it needs once, all of it
// from ranks that hold it, and every rank that has tokens sends some.
func TestHandOverLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batch, tokens := rapid.IntRange(1, 9).Draw(t, "batch"), rapid.IntRange(1, 9).Draw(t, "tokens")
		hidden := rapid.IntRange(12, 40).Draw(t, "hidden")
		side := func(name string) *stage {
			degree := rapid.IntRange(1, 6)
			s := &stage{batch: batch, seqLen: tokens, src: &results.Stage{TP: degree.Draw(t, "tp "+name), CP: degree.Draw(t, "cp "+name), DPAttention: degree.Draw(t, "dp "+name)}}
			s.deal()
			for j := range s.ranks {
				s.laneOf = append(s.laneOf, j)
			}
			return s
		}
		a, b := side("from"), side("to")
		got, sends := make([]int, len(b.ranks)), make([]bool, len(a.ranks))
		for _, h := range hops(a, b, hidden, false) {
			got[h.to] += h.got.sequences * h.got.tokens * h.got.hidden
			sends[h.from] = true
			if r := a.ranks[h.from]; h.sent.sequences > r.sequences || h.sent.tokens > r.tokens || h.sent.hidden > hidden {
				t.Fatalf("rank %d holds %d × %d and sends %+v", h.from, r.sequences, r.tokens, h.sent)
			}
		}
		for j, r := range b.ranks {
			if want := r.sequences * r.tokens * hidden; got[j] != want {
				t.Errorf("rank %d gets %d elements, needs %d", j, got[j], want)
			}
		}
		for j, r := range a.ranks {
			if sends[j] != (r.sequences*r.tokens > 0) {
				t.Errorf("rank %d has %d × %d tokens; sends: %v", j, r.sequences, r.tokens, sends[j])
			}
		}
	})
}

// Slices of the hidden state that serve one rank are each of the slices once.
func TestServes(t *testing.T) {
	for from := 1; from <= 12; from++ {
		for to := 1; to <= 12; to++ {
			for u := range to {
				seen, parts := map[int]bool{}, 1
				for s := range from {
					part, n, meets := serves(from, s, to, u)
					if !meets {
						continue
					}
					if seen[part] || part < 0 || part >= n {
						t.Errorf("%d → %d: rank %d sends slice %d of %d to %d", from, to, s, part, n, u)
					}
					seen[part], parts = true, n
				}
				if len(seen) != parts {
					t.Errorf("%d → %d: rank %d gets %d slices of %d", from, to, u, len(seen), parts)
				}
			}
		}
	}
}
