package dag

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"partita/results/dagcheck"
)

// hostile means something to every format there is.
const hostile = "\"; rm -rf ~; \\N <script>alert(1)</script> } digraph x {\n\x1b[31m\u202e\xff"

func TestHostileNamesStayInsideTheirQuotes(t *testing.T) {
	d := plans()["unlike stages"]
	p := d.plan()
	p.Condition, p.Deployment.Model.Name, p.Deployment.Cluster.Pools[0].Accelerator.Name = hostile, hostile, hostile
	for i := range p.Phases[0].Stages {
		for j := range p.Phases[0].Stages[i].GPUs {
			p.Phases[0].Stages[i].GPUs[j] += hostile
		}
	}
	for _, o := range []Options{{}, {Folded: true}} {
		out := text(t, p, o)
		if n := strings.Count(outsideQuotes(t, out), "digraph"); n != 2 {
			t.Errorf("%d graphs", n)
		}
		if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }); i >= 0 {
			t.Errorf("a control character at %d", i)
		}
		if outside := outsideQuotes(t, out); strings.Contains(outside, "rm -rf") || strings.Contains(outside, "script") {
			t.Errorf("a name left its quotes")
		}
		got, err := dagcheck.Check(strings.NewReader(out), "hostile", dagcheck.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !got.OK {
			t.Errorf("folded %v:\n%s", o.Folded, got.Text())
		}
	}
}

// outsideQuotes is what a reader of DOT does not take for a quoted string.
func outsideQuotes(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted:
			b.WriteByte(s[i])
		}
	}
	if quoted {
		t.Fatal("a quote is open at the end")
	}
	return b.String()
}

// No two GPUs get one name, plain ids stay as they are, and no name ends an entry of a list.
func TestNamesOfGPUs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfDistinct(rapid.StringOfN(rapid.SampledFrom([]rune("a_~2.,; \"\n\x1b…")), 1, 5, -1), rapid.ID[string]).Draw(t, "ids")
		n := newNames(ids)
		var made []string
		for _, id := range ids {
			name := n.of(id)
			if plainID(id) && name != id {
				t.Errorf("%q is called %q", id, name)
			}
			if name == "" || strings.ContainsAny(name, " ,;~…\n\x1b") || strings.Contains(name, "..") || slices.Contains(made, name) {
				t.Errorf("%q is called %q, others %q", id, name, made)
			}
			made = append(made, name)
		}
	})
}
