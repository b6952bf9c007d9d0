package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/inputs/read"
)

func fingerprintOf(t *testing.T, b *Batch) Fingerprint {
	t.Helper()
	r, err := read.NewReader(b.Folder)
	if err != nil {
		t.Fatal(err)
	}
	f, err := b.Fingerprint(r)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFingerprint: equal where results are equal, and what differs is named.
func TestFingerprint(t *testing.T) {
	text := "base: base.yaml\nmatrix: [{field: workload.batch, values: [1, 2]}]\njobs: 1\ntime_limit: 5s\n"
	first := fingerprintOf(t, must(t, text))
	same := fingerprintOf(t, must(t, strings.Replace(text, "jobs: 1", "jobs: 7", 1), func(o *Options) {
		o.Env = []string{"PARTITA_OUTPUT=elsewhere", "PARTITA_SERVICE_HOST=::1"}
	}))
	if diff := cmp.Diff(first, same); diff != "" || len(first.Differences(same)) > 0 {
		t.Errorf("another folder, output and number of workers: %s", diff)
	}
	for _, row := range []struct {
		want string
		text string
		more func(*Options)
	}{
		{"setting time_limit 5s is now time_limit 6s", strings.Replace(text, "5s", "6s", 1), nil},
		{"it had 2 scenarios, now 3", strings.Replace(text, "[1, 2]", "[1, 2, 3]", 1), nil},
		{"scenarios, their overrides", strings.Replace(text, "[1, 2]", "[1, 3]", 1), nil},
		{"the batch was named batch, now other", text + "name: other\n", nil},
		{"scenarios, their overrides", text, func(o *Options) { o.Env = []string{"PARTITA_WORKLOAD__INPUT=77"} }},
		{"base.yaml has changed", text, func(o *Options) {
			path := filepath.Join(filepath.Dir(o.File), "base.yaml")
			if err := os.WriteFile(path, []byte(condition+"# more\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		{"absent.json is new", text + "scenarios: [{name: x, set: {model: absent.json}}]\n", func(o *Options) {
			path := filepath.Join(filepath.Dir(o.File), "absent.json")
			if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		var more []func(*Options)
		if row.more != nil {
			more = append(more, row.more)
		}
		got := strings.Join(first.Differences(fingerprintOf(t, must(t, row.text, more...))), "; ")
		if !strings.Contains(got, row.want) {
			t.Errorf("got %q, want %s", got, row.want)
		}
	}
}

// TestBaseThatNobodyCanUse: what is wrong with the files of all scenarios is told at
// once; what is wrong with those of one is left to it.
func TestBaseThatNobodyCanUse(t *testing.T) {
	for _, row := range []struct {
		text string
		ok   bool
	}{
		{"base: [base.yaml, absent.yaml]\nscenarios: [{name: a}]", false},
		{"base: base.yaml\nscenarios: [{name: a, add: absent.yaml}, {name: b}]", true},
		{"base: absent.yaml\nscenarios: [{name: a, base: base.yaml}, {name: b}]", true},
	} {
		b := must(t, row.text)
		r, err := read.NewReader(b.Folder)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Fingerprint(r); (err == nil) != row.ok {
			t.Errorf("%q: %v", row.text, err)
		} else if err != nil && !strings.HasPrefix(err.Error(), "absent.yaml: ") {
			t.Errorf("%q: %v", row.text, err)
		}
	}
}
