package encode_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/formulation/encode"
	"partita/solver"
	"partita/solver/path"
	"partita/solver/path/pathtest"
	"partita/solver/sat"
)

// conflicting draws a problem with tight limits, of which some options are excluded for
// one of two reasons.
func conflicting(t *rapid.T) (*path.Problem, encode.Exclusion) {
	f := pathtest.Family{
		Layers: rapid.IntRange(2, 5).Draw(t, "layers"), Pools: []int{rapid.IntRange(1, 4).Draw(t, "GPUs")}, MaxDegree: 2,
		Phase: path.Phase{Sum: 1, Rate: int64(rapid.IntRange(0, 3).Draw(t, "rate"))}, Prefill: true, Balance: rapid.SampledFrom([]int64{0, 0, 60, 90}).Draw(t, "balance"),
	}
	p := f.Problem(rapid.Uint64().Draw(t, "seed"))
	for c := range p.Options { // few ticks, as SAT models have them
		for o := range p.Options[c] {
			for ph := range 2 {
				p.Options[c][o].Time[ph] = 1 + p.Options[c][o].Time[ph]%9
			}
		}
	}
	for ph := range 2 {
		if rapid.Bool().Draw(t, "limit") {
			p.Limit[ph] = int64(rapid.IntRange(1, 25).Draw(t, "ticks"))
		}
	}
	if rapid.Bool().Draw(t, "cap") {
		p.Cap = &path.Cap{Weight: [2]int64{1, 2}, Max: int64(rapid.IntRange(1, 50).Draw(t, "cap ticks"))}
	}
	salt := rapid.IntRange(2, 6).Draw(t, "excluded")
	return p, func(class, option int32) string {
		switch (int(class)*7 + int(option)) % salt {
		case 0:
			return "memory of a"
		case 1:
			return "a rule"
		}
		return ""
	}
}

// relaxed is a problem with only the named conditions; options that an exclusion which is
// not named speaks against are back.
func relaxed(p *path.Problem, excluded encode.Exclusion, names []string) *path.Problem {
	has := func(name string) bool { return slices.Contains(names, name) }
	q := *p
	q.Weight = [2]int64{1, 1}
	q.Options = make([][]path.Option, len(p.Options))
	for c, options := range p.Options {
		for o, x := range options {
			if name := excluded(int32(c), int32(o)); name == "" || !has(name) {
				q.Options[c] = append(q.Options[c], x)
			}
		}
	}
	q.Resources = slices.Clone(p.Resources)
	for r := range q.Resources {
		if !has(fmt.Sprintf("count_%d", r)) {
			q.Resources[r] = path.Resource{Capacity: 1000}
		}
	}
	q.Packings = nil
	for i, k := range p.Packings {
		if has(fmt.Sprintf("packing_%d", i)) {
			q.Packings = append(q.Packings, k)
		}
	}
	for ph := range 2 {
		if !has(fmt.Sprintf("limit_%d", ph)) {
			q.Limit[ph] = path.NoLimit
		}
	}
	if !has("cap") {
		q.Cap = nil
	}
	if !has("balance") {
		q.BalanceNum = 0
	}
	return &q
}

// A conflict clashes, and what is not named of it is not needed: labels decide both.
func TestConflict(t *testing.T) {
	draws, clashes, several := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		draws++
		p, excluded := conflicting(t)
		impossible := func(names []string) bool {
			r, err := path.Solve(t.Context(), relaxed(p, excluded, names), path.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return r.Status == solver.Infeasible
		}
		all := []string{"limit_0", "limit_1", "cap", "balance", "memory of a", "a rule"}
		for r := range p.Resources {
			all = append(all, fmt.Sprintf("count_%d", r))
		}
		for i := range p.Packings {
			all = append(all, fmt.Sprintf("packing_%d", i))
		}
		names, err := encode.Conflict(t.Context(), p, excluded, sat.New())
		if errors.Is(err, solver.ErrNoConflict) {
			if impossible(all) {
				t.Fatal("no conflict, but labels find no path")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		clashes++
		if len(names) > 1 {
			several++
		}
		if !impossible(names) {
			t.Fatalf("%v do not clash", names)
		}
		// Conditions of one row each are a minimal set; others may need one row alone.
		if slices.ContainsFunc(names, func(n string) bool {
			return strings.HasPrefix(n, "limit") || n == "cap" || strings.HasPrefix(n, "packing")
		}) {
			return
		}
		for _, name := range names {
			if rest := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name }); impossible(rest) {
				t.Fatalf("%v: %s is not needed", names, name)
			}
		}
	})
	if clashes < draws/5 || several < draws/20 { // by draws: the race detector asks for few
		t.Errorf("%d conflicts of %d draws, %d of several conditions: the generator says too little", clashes, draws, several)
	}
}

// A model too large for a core is refused, not tried.
func TestConflictOfLargeModels(t *testing.T) {
	f := pathtest.Family{Layers: 120, Pools: []int{8}, MaxDegree: 2, Phase: path.Phase{Sum: 1}, Prefill: true}
	none := func(int32, int32) string { return "" }
	if _, err := encode.Conflict(t.Context(), f.Problem(1), none, sat.New()); err == nil || errors.Is(err, solver.ErrNoConflict) {
		t.Errorf("error %v, want a refusal", err)
	}
}
