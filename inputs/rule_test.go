package inputs

import "testing"

// Leaving rules out takes them from the copy alone, and keeps the order of the rest.
func TestWithoutRules(t *testing.T) {
	c := &Condition{Name: "x", Rules: []Rule{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	for _, x := range []struct {
		leave []string
		want  string
	}{{nil, "abc"}, {[]string{"b"}, "ac"}, {[]string{"c", "a"}, "b"}, {[]string{"none"}, "abc"}, {[]string{"a", "b", "c"}, ""}} {
		got := ""
		out := c.WithoutRules(x.leave...)
		for _, r := range out.Rules {
			got += r.Name
		}
		if got != x.want || out.Name != "x" {
			t.Errorf("without %v: %q of %q, want %q", x.leave, got, out.Name, x.want)
		}
		if len(c.Rules) != 3 || c.Rules[1].Name != "b" {
			t.Fatalf("without %v: the original holds %v", x.leave, c.Rules)
		}
	}
}
