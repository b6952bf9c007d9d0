package profile

import (
	"strings"
	"testing"

	"partita/inputs"
)

func TestGenerationsAreFound(t *testing.T) {
	for _, c := range []struct {
		name, generation, path string
		value                  float64
		from                   string
	}{
		{"hopper", "hopper", "operators.prefill.floor", 13.6e-6, ""},
		{" Hopper", "hopper", "links.nvlink.ring_share_8", 0.75, ""},
		{"ada", "ada", "operators.stream.bandwidth", 0.80, "hopper"},
		{"cdna2", "cdna2", "links.mesh.ring_share_2", 0.72, "hopper"},
		{"gaudi3", "gaudi", "links.ethernet.latency", 50e-6, "hopper"},
		{"blackwell ultra", "blackwell", "operators.stream.bandwidth", 0.80, "hopper"},
		{"abacus", Unknown, "operators.prefill.floor", 13.6e-6, ""},
		{"", Unknown, "operators.prefill.floor", 13.6e-6, ""},
	} {
		p := Of(c.name)
		got, ok := Value(p, c.path)
		if p.Generation != c.generation || !ok || got != c.value || p.Inherited[c.path] != c.from {
			t.Errorf("%q: %s has %s = %g from %q; want %s, %g, %q", c.name, p.Generation, c.path, got, p.Inherited[c.path], c.generation, c.value, c.from)
		}
	}
}

// Every constant of every generation has a source, a positive value where it divides,
// and a share is at most 1.
func TestEveryConstantIsSupported(t *testing.T) {
	for _, r := range builtIn().records {
		g := r.Name
		p := Of(g)
		for _, path := range Paths() {
			v, _ := Value(p, path)
			if p.Source(path) == "" {
				t.Errorf("%s: %s has no source", g, path)
			}
			share := strings.Contains(path, "share") || strings.HasSuffix(path, "compute") || strings.HasSuffix(path, "bandwidth")
			if v < 0 || share && v > 1 || share && v == 0 && !strings.HasSuffix(path, "one_shot_share") && !strings.HasSuffix(path, "switch_share") {
				t.Errorf("%s: %s = %g", g, path, v)
			}
		}
	}
}

const twoGenerations = `
generations:
  - name: old
    constants: {operators: {gemm16: {floor: 1, compute: 0.5}}}
    sources: {operators: a book, operators.gemm16.floor: a bench}
  - name: new
    from: old
    constants: {operators: {gemm16: {compute: 0.6}}}
    sources: {operators: a letter}
`

// partial resolves a generation and tells the problems other than constants left out.
func partial(t *testing.T, profiles, fitted, generation, family string) (*inputs.Profile, string) {
	t.Helper()
	b, err := parse([]byte(profiles), []byte(fitted))
	if b == nil {
		return nil, err.Error()
	}
	p, err := b.resolve(generation, family)
	var left []string
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.HasSuffix(line, "is not stated") {
				left = append(left, line)
			}
		}
	}
	return p, strings.Join(left, "\n")
}

func TestFittedConstantsReplaceWritten(t *testing.T) {
	const fitted = `
generations:
  - generation: old
    families: [alpha, beta]
    constants: {operators.gemm16.floor: 2, operators.gemm16.compute: 0.7}
    without:
      alpha: {operators.gemm16.floor: 3, operators.gemm16.compute: 0.8}
`
	for _, c := range []struct {
		generation, family string
		floor, compute     float64
		source             string // of the floor
	}{
		{"old", "", 2, 0.7, "alpha, beta"},
		{"old", "alpha", 3, 0.8, ": beta"},
		{"old", "gamma", 2, 0.7, "alpha, beta"},
		// What the newer one states itself is nearer than what was fitted of the older.
		{"new", "", 2, 0.6, "alpha, beta"},
		{"new", "alpha", 3, 0.6, ": beta"},
	} {
		p, problems := partial(t, twoGenerations, fitted, c.generation, c.family)
		if problems != "" {
			t.Fatal(problems)
		}
		g := p.Operators.GEMM16
		if g.Floor != c.floor || g.Compute != c.compute || !strings.HasSuffix(p.Source("operators.gemm16.floor"), c.source) {
			t.Errorf("%+v: %+v from %q", c, g, p.Source("operators.gemm16.floor"))
		}
	}
}

func TestFilesAtFault(t *testing.T) {
	const none = "generations: []"
	for _, c := range []struct{ name, profiles, fitted, generation, want string }{
		{"an unknown key", "generations: [{nme: x}]", none, "x", "field nme not found"},
		{"a parent that is not there", "generations: [{name: x, from: y}]", none, "x", `no generation "y"`},
		{"a circle", "generations: [{name: x, from: y}, {name: y, from: x}]", none, "x", "inherits from itself"},
		{"a constant that no code reads", "generations: [{name: x, constants: {operators: {gemm17: {floor: 1}}}, sources: {operators: a}}]", none, "x", `no constant "operators.gemm17.floor"`},
		{"no source", "generations: [{name: x, constants: {operators: {gemm16: {floor: 1}}}}]", none, "x", `operators.gemm16.floor of "x" has no source`},
		{"a word", "generations: [{name: x, constants: {operators: fast}}]", none, "x", "not a number"},
	} {
		if _, got := partial(t, c.profiles, c.fitted, c.generation, ""); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := parse([]byte(twoGenerations), []byte("generations: [{generation: newest}]")); err == nil || !strings.Contains(err.Error(), `no generation "newest"`) {
		t.Errorf("a fit of a generation that is not there: %v", err)
	}
}

func TestWith(t *testing.T) {
	before := Of("ampere")
	p, err := With(before, map[string]float64{"links.mesh.send_share": 0.5}, "here")
	if err != nil {
		t.Fatal(err)
	}
	if p.Links.Mesh.SendShare != 0.5 || p.Source("links.mesh.send_share") != "here" || p.Inherited["links.mesh.send_share"] != "" {
		t.Errorf("got %g from %q", p.Links.Mesh.SendShare, p.Source("links.mesh.send_share"))
	}
	if before.Links.Mesh.SendShare == 0.5 || before.Source("links.mesh.send_share") == "here" {
		t.Error("the profile it was made of changed")
	}
	if _, err := With(before, map[string]float64{"links.rope.share": 1}, ""); err == nil {
		t.Error("an unknown path is taken")
	}
}
