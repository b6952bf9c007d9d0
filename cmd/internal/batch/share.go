package batch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Share is one of Count equal parts of a batch: every Count-th scenario from Index on,
// so that neighbours, which cost alike, are spread. The zero Share is the whole.
type Share struct {
	Index int `json:"index"` // from 0
	Count int `json:"count"`
}

// Whole reports whether the share is all of the batch.
func (s Share) Whole() bool { return s.Count == 0 }

// String is "2/8": what --shard takes.
func (s Share) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// Folder is the name of the folder of a share that the environment names.
func (s Share) Folder() string { return fmt.Sprintf("shard-%d-of-%d", s.Index, s.Count) }

// has reports whether a scenario is in the share.
func (s Share) has(index int) bool { return s.Whole() || index%s.Count == s.Index }

// size is the number of scenarios of the share, of so many in all.
func (s Share) size(all int) int {
	if s.Whole() {
		return all
	}
	return (all - s.Index + s.Count - 1) / s.Count
}

// mostShares bounds the shares of a batch.
const mostShares = 100_000

// ParseShare reads "2/8": the share of index 2, counted from 0, of 8.
func ParseShare(text string) (Share, error) {
	first, second, ok := strings.Cut(text, "/")
	i, errI := strconv.Atoi(strings.TrimSpace(first))
	n, errN := strconv.Atoi(strings.TrimSpace(second))
	switch {
	case !ok || errI != nil || errN != nil || n < 1 || n > mostShares || i < 0:
		return Share{}, fmt.Errorf("%q: want INDEX/COUNT with an index from 0, such as 0/8", text)
	case i >= n:
		return Share{}, fmt.Errorf("%q: the shards of %d are 0/%d to %d/%d", text, n, n, n-1, n)
	}
	return Share{i, n}, nil
}

// ShareOf is the share that the environment names: a pod of an Indexed Job by
// JOB_COMPLETION_INDEX, a task of a Slurm array by SLURM_ARRAY_TASK_ID. The count is
// the one stated; where none is (0), Slurm's own tells it. Without such variables it is
// the whole.
func ShareOf(env []string, stated int) (Share, error) {
	vars := map[string]string{}
	for _, e := range env {
		if name, value, ok := strings.Cut(e, "="); ok && value != "" {
			vars[name] = value
		}
	}
	pod, inPod := vars["JOB_COMPLETION_INDEX"]
	task, inArray := vars["SLURM_ARRAY_TASK_ID"]
	switch {
	case inPod && inArray:
		return Share{}, errors.New("JOB_COMPLETION_INDEX and SLURM_ARRAY_TASK_ID are both set: say which share with --shard INDEX/COUNT")
	case inPod && stated == 0:
		return Share{}, fmt.Errorf("JOB_COMPLETION_INDEX is %s, but of how many? Say it with --shards COUNT, or --shard 0/1 for the whole batch", pod)
	case inPod:
		return indexed("JOB_COMPLETION_INDEX", pod, stated)
	case inArray && stated == 0:
		return ofArray(vars)
	case inArray:
		if vars["SLURM_ARRAY_TASK_MIN"] != "" && vars["SLURM_ARRAY_TASK_MIN"] != "0" && vars["SLURM_ARRAY_TASK_COUNT"] == strconv.Itoa(stated) {
			return Share{}, fmt.Errorf("the array of %d tasks counts from %s: number it --array=0-%d", stated, vars["SLURM_ARRAY_TASK_MIN"], stated-1)
		}
		return indexed("SLURM_ARRAY_TASK_ID", task, stated)
	}
	return Share{}, nil
}

func indexed(name, value string, count int) (Share, error) {
	i, err := strconv.Atoi(value)
	if err != nil || i < 0 || i >= count {
		return Share{}, fmt.Errorf("%s is %q: want 0 to %d, for the batch has %d shards", name, value, count-1, count)
	}
	return Share{i, count}, nil
}

// ofArray is the share of a task by what Slurm says of its array. Tasks that do not
// count evenly are of an array with some left out, and their place in it is not told.
func ofArray(vars map[string]string) (Share, error) {
	number := map[string]int{"SLURM_ARRAY_TASK_STEP": 1}
	for _, name := range []string{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_STEP"} {
		if value, ok := vars[name]; ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				return Share{}, fmt.Errorf("%s is %q, want a number", name, value)
			}
			number[name] = n
		} else if _, ok := number[name]; !ok {
			return Share{}, fmt.Errorf("SLURM_ARRAY_TASK_ID is set, but %s is not: say the share with --shard INDEX/COUNT", name)
		}
	}
	step := max(1, number["SLURM_ARRAY_TASK_STEP"])
	low, high, count := number["SLURM_ARRAY_TASK_MIN"], number["SLURM_ARRAY_TASK_MAX"], number["SLURM_ARRAY_TASK_COUNT"]
	offset := number["SLURM_ARRAY_TASK_ID"] - low
	if (high-low)/step+1 != count || offset%step != 0 || offset < 0 || offset/step >= count {
		return Share{}, errors.New("the tasks of the Slurm array are not numbered evenly: say the share with --shard INDEX/COUNT, or the number of shards with --shards")
	}
	return Share{offset / step, count}, nil
}
