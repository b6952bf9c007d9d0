// Command instancebench solves published placement instances with the built program
// and prints one table beside what is recorded of them: value, bound, time and memory.
// It runs nothing of others.
//
//	go run ./cmd/internal/instancebench [-bin bin/partita] [-limit 60s] FOLDER
//
// FOLDER holds helix.json, tandemn.json and dnn-partitioning/{throughput,latency}/*.json.
// Times are CPU seconds of a whole process, start and reading included; memory is its
// peak. A loop of fixed work, timed in the same run, tells how fast the machine was.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

func main() {
	bin := flag.String("bin", "bin/partita", "the program to measure")
	limit := flag.Duration("limit", time.Minute, "time limit of a search that may not end by itself")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: instancebench [-bin FILE] [-limit TIME] FOLDER")
		os.Exit(2)
	}
	if err := run(*bin, flag.Arg(0), *limit); err != nil {
		fmt.Fprintln(os.Stderr, "instancebench:", err)
		os.Exit(1)
	}
}

// job is one call of the program.
type job struct {
	group, file, objective string
	limited                bool // the search is anytime: it gets the time limit
	names                  []string
}

func run(bin, folder string, limit time.Duration) error {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		fmt.Printf("no instances at %s: the table of published instances is left out\n", folder)
		return nil
	}
	known, err := readRecorded()
	if err != nil {
		return err
	}
	jobs, err := jobsOf(folder)
	if err != nil {
		return err
	}
	t := &table{recorded: known, calibration: calibrate()}
	for _, j := range jobs {
		rows, err := measure(bin, j, limit)
		if err != nil {
			return err
		}
		t.add(j, rows)
	}
	t.print(os.Stdout)
	return nil
}

// jobsOf lists what is run: every instance of a chain alone, so that its time is its own;
// the rentals of a file in one process; every graph with each of its objectives.
func jobsOf(folder string) ([]job, error) {
	var jobs []job
	helix := filepath.Join(folder, "helix.json")
	names, err := namesIn(helix)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		fmt.Fprintln(os.Stderr, "left out: no instances in", helix)
	}
	for _, name := range names {
		jobs = append(jobs, job{group: "chains, series", file: helix, objective: "series", names: []string{name}})
	}
	for _, name := range names {
		jobs = append(jobs, job{group: "chains, parallel lanes", file: helix, objective: "lanes", limited: true, names: []string{name}})
	}
	tandemn := filepath.Join(folder, "tandemn.json")
	if _, err := os.Stat(tandemn); err == nil {
		jobs = append(jobs, job{group: "rentals", file: tandemn, objective: "throughput"}, job{group: "rentals", file: tandemn, objective: "usd-per-million"})
	} else {
		fmt.Fprintln(os.Stderr, "left out:", err)
	}
	for _, g := range []struct{ folder, objective string }{{"throughput", "contiguous"}, {"throughput", "noncontiguous"}, {"latency", "latency"}} {
		files, err := filepath.Glob(filepath.Join(folder, "dnn-partitioning", g.folder, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			fmt.Fprintln(os.Stderr, "left out: no graphs for the objective", g.objective)
		}
		for _, file := range files {
			jobs = append(jobs, job{group: "graphs, " + g.objective, file: file, objective: g.objective, limited: g.objective != "contiguous"})
		}
	}
	return jobs, nil
}

// calibrate times a fixed amount of work of this processor: the least of five runs.
func calibrate() time.Duration {
	best := time.Duration(1 << 62)
	var sink uint64
	for range 5 {
		from := time.Now()
		x := uint64(88172645463325252)
		for range 100_000_000 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		sink += x
		best = min(best, time.Since(from))
	}
	if sink == 0 { // keeps the loop
		fmt.Fprintln(os.Stderr)
	}
	return best
}
