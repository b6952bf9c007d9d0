// Command intervals writes inputs/evidence/regimes.yaml: how far the cost model is off on
// a table of measurements, by constants that were fitted without the family of a row.
//
//	go run ./cmd/internal/intervals -o inputs/evidence/regimes.yaml measured.csv
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"partita/formulation/validate"
	"partita/inputs/evidence"
	"partita/inputs/measured"
	"partita/results/export"
)

const header = `# How far predictions are from published measurements: ratios measured/predicted of runs,
# by constants that were fitted without their table. What is no fit (constants by hand,
# forms) was made with the tables in view: docs/validation.md. Written by "make intervals";
# package evidence says what the fields are.
`

func main() {
	out := flag.String("o", "", "file to write")
	flag.Parse()
	if *out == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: intervals -o FILE.yaml TABLE.csv")
		os.Exit(2)
	}
	if err := run(*out, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "intervals:", err)
		os.Exit(1)
	}
}

func run(out, table string) error {
	rows, err := measured.Load(table)
	if err != nil {
		return err
	}
	regimes, err := validate.Evidence(context.Background(), rows)
	if err != nil {
		return err
	}
	text := bytes.NewBufferString(header)
	e := yaml.NewEncoder(text)
	e.SetIndent(2)
	if err := e.Encode(struct {
		Regimes []evidence.Regime `yaml:"regimes"`
	}{regimes}); err != nil {
		return err
	}
	return export.Replace(out, func(w io.Writer) error { _, err := text.WriteTo(w); return err })
}
