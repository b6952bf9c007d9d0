package schema

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
	"pgregory.net/rapid"
)

// expressions are of every kind that Pattern knows.
func expressions() []string {
	return []string{
		`abc`, `(?i)fp8|bf16`, `\d{1,3}(?:[,_]\d{3})+`, `[^\s,/]+/\d{1,6}(?:\.\.\d{1,6})?`, `(?i:k|m)?\s?(?:tokens?|t)\s?/\s?s`, `[ -~]*\bno limits?\b[ -~]*`,
		`\pL+x`, `(?i)\pL{2}`, `a*b+c?|d{2,}|(e)`, `[a\-\]]\$\.`, `x(?:a|b)y`, `µs|～`, `[\x00-\x1f]?z`, `[\x00-\x{10FFFF}]*8-way`, ``,
	}
}

// TestPattern: what an ECMA-262 machine takes is what Go takes, the whole text each.
func TestPattern(t *testing.T) {
	for _, expr := range expressions() {
		pattern, err := Pattern(expr)
		if err != nil {
			t.Fatal(err)
		}
		ours := regexp.MustCompile(`^(?:` + expr + `)$`)
		theirs := regexp2.MustCompile(pattern, regexp2.ECMAScript|regexp2.Unicode)
		check := func(t interface{ Errorf(string, ...any) }, text string) {
			if strings.ContainsAny(text, "\u212a\u017f") {
				return // the Kelvin sign is no k, nor the long s an s: nobody writes them so
			}
			got, err := theirs.MatchString(text)
			if want := ours.MatchString(text); err != nil || got != want {
				t.Errorf("%s as %s: %q is taken %t (%v), by Go %t", expr, pattern, text, got, err, want)
			}
		}
		matching := rapid.StringMatching(expr)
		rapid.Check(t, func(t *rapid.T) {
			text := matching.Draw(t, "text")
			check(t, text)
			check(t, text+rapid.SampledFrom([]string{"", "x", " ", "8", "\n", "É"}).Draw(t, "more"))
			check(t, rapid.StringMatching(`[a-zA-Z0-9 ,./%µ_-]{0,8}`).Draw(t, "other"))
		})
	}
	for _, wrong := range []string{`(`, `a\Bb`, `(?m)^a`} {
		if got, err := Pattern(wrong); err == nil {
			t.Errorf("%s is %s", wrong, got)
		}
	}
}

// TestOrder: properties stay in the order in which they are added, and nothing is written
// that is not stated.
func TestOrder(t *testing.T) {
	s := &Schema{Draft: Draft, Type: Types{"object"}, AdditionalProperties: None()}
	s.Properties.Add("zeta", &Schema{Type: Types{"string", "null"}, Pattern: "^<&>$"})
	s.Properties.Add("alpha", AnyOf(&Schema{Const: 1}))
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "zeta": {
      "type": [
        "string",
        "null"
      ],
      "pattern": "^<&>$"
    },
    "alpha": {
      "const": 1
    }
  },
  "additionalProperties": false
}
`
	if string(data) != want {
		t.Errorf("got %s (%s)", data, got)
	}
	if s.Properties.Find("alpha").Const != 1 || s.Properties.Find("beta") != nil {
		t.Error("Find does not find")
	}
}
