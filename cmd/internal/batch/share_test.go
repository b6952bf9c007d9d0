package batch

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSharesPartABatch: every scenario is in exactly one share, and their sizes differ
// by one at most.
func TestSharesPartABatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, count := rapid.IntRange(0, 200).Draw(t, "scenarios"), rapid.IntRange(1, 20).Draw(t, "shares")
		owners := make([]int, all)
		sum := 0
		for i := range count {
			s := Share{i, count}
			n := 0
			for k := range all {
				if s.has(k) {
					owners[k]++
					n++
				}
			}
			if n != s.size(all) || n < all/count || n > all/count+1 {
				t.Errorf("share %v of %d has %d, size says %d", s, all, n, s.size(all))
			}
			sum += n
		}
		for k, n := range owners {
			if n != 1 {
				t.Errorf("scenario %d is in %d shares", k, n)
			}
		}
		if w := (Share{}); sum != all || w.size(all) != all || !w.has(3) {
			t.Errorf("%d of %d", sum, all)
		}
	})
}

func TestParseShare(t *testing.T) {
	if s, err := ParseShare(" 2 / 8"); err != nil || s != (Share{2, 8}) || s.String() != "2/8" || s.Folder() != "shard-2-of-8" {
		t.Errorf("%v, %v", s, err)
	}
	for text, want := range map[string]string{
		"8/8": "the shards of 8 are 0/8 to 7/8", "-1/8": "want INDEX/COUNT", "2": "want INDEX/COUNT", "a/b": "want INDEX/COUNT", "1/0": "want INDEX/COUNT", "0/1000000": "want INDEX/COUNT",
	} {
		if _, err := ParseShare(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestShareOfTheEnvironment: what engines set, with and without a stated count.
func TestShareOfTheEnvironment(t *testing.T) {
	array := func(id, low, high, count, step string) []string {
		env := []string{"HOME=/", "SLURM_ARRAY_TASK_ID=" + id, "SLURM_ARRAY_TASK_MIN=" + low, "SLURM_ARRAY_TASK_MAX=" + high, "SLURM_ARRAY_TASK_COUNT=" + count}
		if step != "" {
			env = append(env, "SLURM_ARRAY_TASK_STEP="+step)
		}
		return env
	}
	for _, row := range []struct {
		env    []string
		stated int
		want   Share
		fails  string
	}{
		{nil, 0, Share{}, ""},
		{nil, 4, Share{}, ""}, // one machine does a batch that could be cut
		{[]string{"JOB_COMPLETION_INDEX="}, 4, Share{}, ""},
		{[]string{"JOB_COMPLETION_INDEX=3"}, 4, Share{3, 4}, ""},
		{[]string{"JOB_COMPLETION_INDEX=4"}, 4, Share{}, `JOB_COMPLETION_INDEX is "4": want 0 to 3`},
		{[]string{"JOB_COMPLETION_INDEX=x"}, 4, Share{}, "want 0 to 3"},
		{[]string{"JOB_COMPLETION_INDEX=3"}, 0, Share{}, "of how many?"},
		{[]string{"JOB_COMPLETION_INDEX=3", "SLURM_ARRAY_TASK_ID=3"}, 4, Share{}, "both set"},
		{array("2", "0", "3", "4", "1"), 4, Share{2, 4}, ""},
		{array("2", "0", "3", "4", ""), 0, Share{2, 4}, ""},
		{array("3", "1", "4", "4", ""), 0, Share{2, 4}, ""},  // numbered from 1
		{array("5", "1", "7", "4", "2"), 0, Share{2, 4}, ""}, // every second number
		{array("3", "3", "3", "1", ""), 4, Share{3, 4}, ""},  // task 3 alone, submitted again
		{array("3", "1", "4", "4", ""), 4, Share{}, "number it --array=0-3"},
		{array("7", "0", "7", "8", ""), 4, Share{}, `SLURM_ARRAY_TASK_ID is "7": want 0 to 3`},
		{array("5", "1", "7", "3", ""), 0, Share{}, "not numbered evenly"}, // 1, 5, 7
		{array("x", "1", "7", "3", ""), 0, Share{}, `SLURM_ARRAY_TASK_ID is "x"`},
		{[]string{"SLURM_ARRAY_TASK_ID=1"}, 0, Share{}, "SLURM_ARRAY_TASK_MIN is not"},
	} {
		got, err := ShareOf(row.env, row.stated)
		switch {
		case row.fails == "" && (err != nil || got != row.want):
			t.Errorf("%v of %d: %v, %v; want %v", row.env, row.stated, got, err, row.want)
		case row.fails != "" && (err == nil || !strings.Contains(err.Error(), row.fails)):
			t.Errorf("%v of %d: %v, %v; want %s", row.env, row.stated, got, err, row.fails)
		}
	}
}
