package dagsvg

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	goccy "github.com/goccy/go-graphviz"
	"github.com/tetratelabs/wazero"

	"partita/results/dagcheck/dot"
)

// The module is that of the release of go-graphviz which go.mod names, byte by byte.
func TestTheModuleIsThatOfTheRelease(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/goccy/go-graphviz").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "internal", "wasm", "graphviz.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(graphviz, want) {
		t.Error("graphviz.wasm differs: copy internal/wasm/graphviz.wasm of the module that go.mod names, and look at the pictures")
	}
}

// go-graphviz itself, run by its own code, comes to the same picture.
func TestLayoutIsThatOfGoGraphviz(t *testing.T) {
	c := &collector{most: MostNodes}
	if _, err := dot.Read(strings.NewReader(sample), c); err != nil {
		t.Fatal(err)
	}
	for _, g := range c.graphs {
		text := g.styled()
		got, err := layout(text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := goccy.New(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := goccy.ParseBytes([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := v.Render(t.Context(), parsed, goccy.SVG, &want); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s: %d bytes, go-graphviz has %d\n%s", g.name, len(got), want.Len(), got)
		}
	}
}

// Where no code can be made the module is interpreted, to the same picture.
func TestInterpretedLayoutIsTheSame(t *testing.T) {
	e, err := newEngine(wazero.NewRuntimeConfigInterpreter())
	if err != nil {
		t.Fatal(err)
	}
	const text = "digraph { graph [newrank=true]; a -> b -> c; a -> c; subgraph cluster_x { label=<<b>x</b>> b c } }"
	want, err := layout(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.layout(text); err != nil || !bytes.Equal(got, want) {
		t.Errorf("interpreted: %v\n%s\ncompiled:\n%s", err, got, want)
	}
}

// A library that panics, as it does without memory for code, is an error.
func TestAnEngineThatCannotBeMade(t *testing.T) {
	if _, err := newEngine(panics{wazero.NewRuntimeConfig()}); err == nil || !strings.Contains(err.Error(), "cannot be compiled: permission denied") {
		t.Errorf("%v", err)
	}
}

type panics struct{ wazero.RuntimeConfig }

func (panics) WithMemoryLimitPages(uint32) wazero.RuntimeConfig { panic("permission denied") }
