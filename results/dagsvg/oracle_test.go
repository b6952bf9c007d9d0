package dagsvg

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	goccy "github.com/goccy/go-graphviz"

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
