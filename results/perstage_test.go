package results

import (
	"encoding/json"
	"testing"
)

func TestPerStageJSON(t *testing.T) {
	for _, tc := range []struct {
		degrees PerStage
		text    string
	}{{PerStage{8}, "8"}, {PerStage{8, 8, 8}, "8"}, {PerStage{8, 4, 4}, "[8,4,4]"}} {
		data, err := json.Marshal(tc.degrees)
		if err != nil || string(data) != tc.text {
			t.Errorf("%v: got %s (%v), want %s", tc.degrees, data, err, tc.text)
		}
		var back PerStage
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		for i := range tc.degrees {
			if back.At(i) != tc.degrees[i] {
				t.Errorf("%s: stage %d reads as %d, want %d", data, i, back.At(i), tc.degrees[i])
			}
		}
	}
	for _, text := range []string{`"8"`, `[8,"4"]`, `{}`} {
		var p PerStage
		if err := json.Unmarshal([]byte(text), &p); err == nil {
			t.Errorf("%s: want an error, got %v", text, p)
		}
	}
}
