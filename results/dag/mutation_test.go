package dag

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/results/dagcheck"
)

var (
	edgeLine  = regexp.MustCompile(`^(n\d+)->(n\d+)(.*);$`)
	dimension = regexp.MustCompile(`(\w+)=(\d+)([\],])`)
	whose     = regexp.MustCompile(`(layer|expert)=(\d+),`)
	gpuOf     = regexp.MustCompile(`GPUs?: ([^\\]+)`)
)

// damages break one line of a graph; empty where they cannot be done to it.
var damages = map[string]func(t *rapid.T, line string) string{
	"an edge is missing": func(_ *rapid.T, line string) string {
		if edgeLine.MatchString(line) {
			return "/* gone */"
		}
		return ""
	},
	"an edge is turned round": func(_ *rapid.T, line string) string {
		if m := edgeLine.FindStringSubmatch(line); m != nil {
			return m[2] + "->" + m[1] + m[3] + ";"
		}
		return ""
	},
	"an edge changes its style": func(_ *rapid.T, line string) string {
		m := edgeLine.FindStringSubmatch(line)
		switch {
		case m == nil:
			return ""
		case m[3] == "":
			return m[1] + "->" + m[2] + " [style=dashed];"
		}
		return m[1] + "->" + m[2] + ";"
	},
	"a node is missing": func(_ *rapid.T, line string) string {
		if strings.Contains(line, "[op=") {
			return "/* gone */"
		}
		return ""
	},
	"a size is another": func(t *rapid.T, line string) string {
		return change(t, line, func(name, size, end string) string {
			n, _ := strconv.Atoi(size)
			return fmt.Sprintf("%s=%d%s", name, n+1, end)
		})
	},
	"a dimension is another": func(t *rapid.T, line string) string {
		return change(t, line, func(name, size, end string) string { return "other_" + name + "=" + size + end })
	},
	"a layer or an expert is another": func(t *rapid.T, line string) string {
		m := whose.FindStringSubmatchIndex(line)
		if m == nil {
			return ""
		}
		n, _ := strconv.Atoi(line[m[4]:m[5]])
		return line[:m[4]] + strconv.Itoa(n+1) + line[m[5]:]
	},
	"a node names another GPU": func(_ *rapid.T, line string) string {
		m := gpuOf.FindStringSubmatchIndex(line)
		if !strings.Contains(line, "[op=") || m == nil {
			return ""
		}
		return line[:m[2]] + "node-99/gpu-0" + line[m[3]:]
	},
	"a node has another shape": func(_ *rapid.T, line string) string {
		if strings.Contains(line, "shape=box") {
			return strings.Replace(line, "shape=box", "shape=ellipse", 1)
		}
		return strings.NewReplacer("shape=ellipse", "shape=parallelogram", "shape=parallelogram", "shape=box").Replace(line)
	},
}

// change applies a change to one of the dimensions in the label of a node.
func change(t *rapid.T, line string, to func(name, size, end string) string) string {
	if !strings.Contains(line, "[op=") {
		return ""
	}
	head, shapes, _ := strings.Cut(line, "Input: ")
	found := dimension.FindAllStringSubmatchIndex(shapes, -1)
	if len(found) == 0 {
		return ""
	}
	m := found[rapid.IntRange(0, len(found)-1).Draw(t, "dimension")]
	return head + "Input: " + shapes[:m[0]] + to(shapes[m[2]:m[3]], shapes[m[4]:m[5]], shapes[m[6]:m[7]]) + shapes[m[1]:]
}

// Whatever is broken at random in a graph, some rule tells.
func TestTheRulesTellOfRandomDamage(t *testing.T) {
	forms := plans()
	names := slices.Sorted(maps.Keys(forms))
	kinds := slices.Sorted(maps.Keys(damages))
	texts := map[string]string{}
	for _, name := range names {
		texts[name] = text(t, forms[name].plan(), Options{})
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "form")
		kind := rapid.SampledFrom(kinds).Draw(t, "damage")
		all := strings.Split(texts[name], "\n")
		at := rapid.IntRange(0, len(all)-1).Draw(t, "line")
		damaged := damages[kind](t, all[at])
		for damaged == "" || damaged == all[at] {
			if at = (at + 1) % len(all); at == 0 {
				at = 1
			}
			damaged = damages[kind](t, all[at])
		}
		was := all[at]
		all[at] = damaged
		got, err := dagcheck.Check(strings.NewReader(strings.Join(all, "\n")), name, dagcheck.Options{Plan: forms[name].plan()})
		if err != nil {
			t.Fatalf("%v", err)
		}
		if got.OK {
			t.Fatalf("%s, %s: no rule tells\nwas %s\nis  %s", name, kind, was, damaged)
		}
	})
}
