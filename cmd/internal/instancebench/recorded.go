package main

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
)

//go:embed recorded.csv
var recordedCSV []byte

// recorded is what others reached on an instance; a negative figure is not known.
type recorded struct {
	value, gap, seconds, mib float64
	note                     string
}

type key struct{ name, objective string }

func readRecorded() (map[key]recorded, error) {
	r := csv.NewReader(bytes.NewReader(recordedCSV))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	out := map[key]recorded{}
	for _, row := range rows[1:] {
		known := recorded{note: row[6]}
		for i, to := range []*float64{&known.value, &known.gap, &known.seconds, &known.mib} {
			*to = -1
			if text := row[2+i]; text != "" {
				if *to, err = strconv.ParseFloat(text, 64); err != nil {
					return nil, fmt.Errorf("recorded.csv: %s: %w", row[0], err)
				}
			}
		}
		out[key{row[0], row[1]}] = known
	}
	return out, nil
}
