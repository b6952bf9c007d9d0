package main

import (
	"os"
	"path/filepath"
	"testing"
)

const (
	published = "../../../../shared/measured/measured.csv"
	embedded  = "../../../inputs/evidence/regimes.yaml"
)

// What is embedded is what the table says of the cost model as it is.
func TestEmbeddedIsUpToDate(t *testing.T) {
	if _, err := os.Stat(published); err != nil {
		t.Skip("the table of published measurements is not here: ", err)
	}
	out := filepath.Join(t.TempDir(), "regimes.yaml")
	if err := run(out, published); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(embedded)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("inputs/evidence/regimes.yaml is not of this cost model: make intervals")
	}
}

func TestNothingIsWrittenOfABadTable(t *testing.T) {
	out := filepath.Join(t.TempDir(), "regimes.yaml")
	if err := run(out, "main.go"); err == nil {
		t.Error("Go source is a table")
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
}
