package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"partita/results"
)

// measured is the answer to one call and what the call cost.
type measured struct {
	answers []results.Placed
	cpu     time.Duration // user and system, of the process and the solvers it started
	bytes   int64         // peak resident memory of the process
}

// namesIn lists the instances of a file of several, in its order.
func namesIn(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list struct{ Instances []struct{ Name string } }
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var names []string
	for _, i := range list.Instances {
		names = append(names, i.Name)
	}
	return names, nil
}

func measure(bin string, j job, limit time.Duration) (measured, error) {
	args := []string{"instance", j.file, "--objective", j.objective, "--backend", "labels", "--json"}
	for _, name := range j.names {
		args = append(args, "--name", name)
	}
	if j.limited {
		args = append(args, "--time-limit", limit.String())
	}
	cmd := exec.Command(bin, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() >= 4 && exit.ExitCode() != 6) {
		return measured{}, fmt.Errorf("%s %s: %w\n%s", bin, strings.Join(args, " "), err, errs.String())
	}
	m := measured{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.bytes = usage.Maxrss << 10 // Linux counts in KiB
	}
	lines := bufio.NewScanner(&out)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var a results.Placed
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return measured{}, fmt.Errorf("%s: %w", filepath.Base(j.file), err)
		}
		m.answers = append(m.answers, a)
	}
	return m, lines.Err()
}
