package catalog

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/catalog.md")

const (
	page   = "../../docs/catalog.md"
	marker = "<!-- The rest is written by: go test ./inputs/catalog -update -->\n"
)

// The page holds the tables that the catalogue writes.
func TestPageIsInStep(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, tables, ok := strings.Cut(string(text), marker)
	if !ok {
		t.Fatalf("%s has no line %q", page, marker)
	}
	want := "\n" + load(t).Markdown()
	if *update {
		if err := os.WriteFile(page, []byte(head+marker+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if tables != want {
		t.Errorf("%s is not in step with the catalogue; run: go test ./inputs/catalog -update", page)
	}
}
