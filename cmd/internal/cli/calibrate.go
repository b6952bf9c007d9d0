package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"partita/formulation/calibrate"
	"partita/inputs"
	"partita/inputs/kernels"
	"partita/inputs/read"
	"partita/results"
	"partita/results/export"
)

func newCalibrate(env Environment) *cobra.Command {
	var asJSON bool
	var pack, name, device string
	var packs conditionFlags
	cmd := &cobra.Command{
		Use:   "calibrate FILE…",
		Short: "Fit constants of the cost model to timings of your own",
		Long: `calibrate reads tables of operator timings and fits constants of the cost model to
them: launch floors and the shares of the peaks that matrix products and attention
reach, latencies and rates of collectives. It takes

  *_perf tables of AIConfigurator, in Parquet or as text
  CSV of your own: op, dtype, the sizes, latency_us
  tables as validate reads them, of which the rows on single operators count

and prints, for each device and kind of operator, the fitted constants beside the
built-in ones and the error of both, in sample and on shapes that were held out. A
constant that the timings do not tell stays built in, and the reason is said: no
time depends on it, the sizes vary too little, the times are impossible, or the fit
is no better on held-out shapes.

With -o the fitted constants are written as a knowledge pack, which --knowledge
applies. The fit is robust: a minority of wrong rows does not move it far, and they
are counted.`,
		Example: `  partita calibrate examples/calibrate/gemm_perf.txt
  partita calibrate examples/calibrate/gemm_perf.txt -o out/lab.yaml
  partita calibrate examples/calibrate/own.csv --device H100 --json`,
		Args: cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVarP(&pack, "output", "o", "", "write the fitted constants to this `PACK.yaml`")
	f.StringVar(&name, "name", "", "`NAME` of the profile in the pack; else that of its file")
	f.StringVar(&device, "device", "", "the `DEVICE` of all rows, whatever they say: a name of partita catalog gpus")
	f.Var(&knowledgeFlag{c: &packs}, "knowledge", knowledgeUsage)
	f.BoolVar(&asJSON, "json", false, "print one JSON line instead of the tables")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if err := keepsInputs(pack, args, packs.overrides); err != nil {
			return err
		}
		known, err := read.Catalog(packs.overrides)
		if err != nil {
			return err
		}
		tables, err := loadTimings(args)
		if err != nil {
			return err
		}
		found, err := during(env, "calibration", func() (*results.Calibration, error) {
			return calibrate.Run(tables, calibrate.Options{Catalog: known, Device: device})
		})
		if err != nil {
			return err
		}
		if pack != "" && found.Fitted() {
			if err := export.WritePack(pack, name, found); err != nil {
				return err
			}
			found.Pack = pack
		}
		if asJSON {
			line := json.NewEncoder(env.Out)
			line.SetEscapeHTML(false)
			err = line.Encode(found)
		} else {
			err = export.CalibrationText(env.Out, found, env.screen())
		}
		if err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
		if !found.Fitted() {
			return endWith(exitNothingFound)
		}
		return nil
	})
	return cmd
}

// keepsInputs refuses to write over a table or a pack that is read: a table would be lost,
// and of a pack all that is not fitted anew.
func keepsInputs(pack string, tables []string, packs []read.Override) error {
	out, err := os.Stat(pack)
	if pack == "" || err != nil {
		return nil // it is new, or writing tells what is wrong
	}
	inputs := slices.Clone(tables)
	for _, o := range packs {
		inputs = append(inputs, read.Paths(o.Value)...)
	}
	for _, path := range inputs {
		if in, err := os.Stat(path); err == nil && os.SameFile(in, out) {
			return withCode(exitUsage, fmt.Errorf("-o %s would write over %s, which is read: name another file", pack, path))
		}
	}
	return nil
}

// loadTimings reads all tables and tells the problems of all of them.
func loadTimings(paths []string) ([]*kernels.Table, error) {
	var tables []*kernels.Table
	var problems inputs.Diagnostics
	for _, path := range paths {
		t, err := kernels.Load(path)
		var wrong inputs.Diagnostics
		switch {
		case err == nil:
			tables = append(tables, t)
		case errors.As(err, &wrong):
			problems = append(problems, wrong...)
		default:
			return nil, err
		}
	}
	return tables, problems.Err()
}
