package results

import (
	"encoding/json"
	"slices"
	"testing"

	"partita/inputs"
)

func TestRecomputesJSON(t *testing.T) {
	none, full := inputs.NoRecompute, inputs.FullRecompute
	for _, tc := range []struct {
		list Recomputes
		text string
	}{{Recomputes{none}, `"none"`}, {Recomputes{full, full}, `"full"`}, {Recomputes{none, full}, `["none","full"]`}} {
		data, err := json.Marshal(tc.list)
		if err != nil || string(data) != tc.text {
			t.Errorf("%v: got %s (%v), want %s", tc.list, data, err, tc.text)
		}
		var back Recomputes
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		for i := range tc.list {
			if back.At(i) != tc.list[i] {
				t.Errorf("%s: stage %d reads as %q, want %q", data, i, back.At(i), tc.list[i])
			}
		}
	}
	for _, text := range []string{`8`, `["none", 1]`, `{}`} {
		var r Recomputes
		if err := json.Unmarshal([]byte(text), &r); err == nil {
			t.Errorf("%s: want an error, got %v", text, r)
		}
	}
	if _, ok := (Recomputes{}).Uniform(); ok || slices.Contains(Recomputes{none}, full) {
		t.Error("no stages agree on nothing")
	}
}

func TestRecomputesWords(t *testing.T) {
	for _, x := range []struct {
		list Recomputes
		want string
	}{
		{Recomputes{"none"}, "none"},
		{Recomputes{"full", "full"}, "full"},
		{Recomputes{"none", "none", "full"}, "none on 2 stages, full on 1 stage"},
		{Recomputes{"none", "full", "none"}, "none on 1 stage, full on 1 stage, none on 1 stage"},
		{nil, ""},
	} {
		if got := x.list.Words(); got != x.want {
			t.Errorf("%v: %q, want %q", x.list, got, x.want)
		}
	}
}
