// Command fit fits the constants that are declared in spec.go to a table of measurements
// and writes inputs/profile/fitted.yaml; then it fits once more without each family, so
// that every family can be scored with constants that never saw it.
//
//	go run -tags=lpsolve ./cmd/internal/fit [-out FILE] [-generation NAME] [-part NAME] FILE.csv
//
// The same table gives the same bytes. It runs for some minutes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"

	"partita/formulation/validate"
	"partita/inputs/measured"
	"partita/inputs/profile"
)

func main() {
	out := flag.String("out", "inputs/profile/fitted.yaml", "the file to write; empty: print what was found and write nothing")
	only := flag.String("generation", "", "fit this generation alone; the others keep what they have")
	of := flag.String("part", "", "fit this part alone, serving or training; the other keeps what it has")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: fit [-out FILE] [-generation NAME] [-part NAME] FILE.csv")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), *out, *only, *of); err != nil {
		fmt.Fprintln(os.Stderr, "fit:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, table, out, only, of string) error {
	debug.SetGCPercent(400) // prices are made in large numbers and thrown away
	rows, err := measured.Load(table)
	if err != nil {
		return err
	}
	bench, err := validate.NewBench(rows)
	if err != nil {
		return err
	}
	asked := slices.DeleteFunc(declared(), func(g generation) bool {
		return only != "" && only != g.name || of != "" && of != g.part.name
	})
	b := &book{}
	for _, f := range profile.Fits() {
		b.add(f)
	}
	for _, g := range asked {
		b.forget(g)
	}
	for _, g := range asked {
		f, err := fitGeneration(ctx, os.Stdout, bench, b, g)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", g.name, g.part.name, err)
		}
		b.add(*f)
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(out, b.text(), 0o644)
}
