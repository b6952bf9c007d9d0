package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type header struct {
	Batch string `json:"batch"`
}

func result(i int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"name":"s%d","reason":"<&> é"}`, i))
}

func create(t testing.TB) (string, *Journal) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j, err := Create(path, header{"b"})
	if err != nil {
		t.Fatal(err)
	}
	return path, j
}

func add(t testing.TB, j *Journal, indexes ...int) {
	t.Helper()
	for _, i := range indexes {
		if err := j.Append(Entry{Index: i, Result: result(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func reopen(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func ordered(t testing.TB, j *Journal) string {
	t.Helper()
	var b bytes.Buffer
	if err := j.WriteOrdered(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJournalKeepsWhatWasAppended(t *testing.T) {
	path, j := create(t)
	add(t, j, 3, 0, 7)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = reopen(t, path)
	var h header
	if err := j.Header(&h); err != nil || h.Batch != "b" {
		t.Errorf("header %+v, %v", h, err)
	}
	if diff := cmp.Diff([]int{0, 3, 7}, j.Indexes()); diff != "" || !j.Has(7) || j.Has(1) || j.Dropped() != 0 {
		t.Errorf("%s, dropped %d", diff, j.Dropped())
	}
	e, err := j.Entry(3)
	if err != nil || string(e.Result) != string(result(3)) {
		t.Errorf("%s, %v", e.Result, err)
	}
	if _, err := j.Entry(1); err == nil {
		t.Error("an entry that is not there")
	}
	add(t, j, 3) // again: the later counts
	if got := j.Indexes(); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestCreateLeavesAnotherAlone(t *testing.T) {
	path, j := create(t)
	add(t, j, 1)
	if _, err := Create(path, header{"c"}); !errors.Is(err, os.ErrExist) {
		t.Errorf("%v", err)
	}
	if again := reopen(t, path); !again.Has(1) {
		t.Error("the journal was replaced")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestCutAnywhere cuts a journal at every byte, as a kill or a full disk does: what was
// complete stays, the rest is done again, and the result is that of an undisturbed run.
func TestCutAnywhere(t *testing.T) {
	path, j := create(t)
	add(t, j, 2, 0, 1)
	want := ordered(t, j)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	headerEnd := bytes.IndexByte(whole, '\n') + 1
	for cut := 0; cut <= len(whole); cut++ {
		tail := []string{"", "\x00\x00\x00", "{\"crc\":\"", "x\n\n"}[cut%4]
		if err := os.WriteFile(path, append(slices.Clone(whole[:cut]), tail...), 0o644); err != nil {
			t.Fatal(err)
		}
		j, err := Open(path)
		if cut < headerEnd {
			if !errors.Is(err, ErrHeader) && !errors.Is(err, ErrNoJournal) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		complete := bytes.Count(whole[headerEnd:cut], []byte("\n"))
		if len(j.Indexes()) != complete {
			t.Fatalf("cut at %d with %q: %d entries, want %d", cut, tail, len(j.Indexes()), complete)
		}
		for _, i := range []int{2, 0, 1} {
			if !j.Has(i) {
				add(t, j, i)
			}
		}
		if got := ordered(t, j); got != want {
			t.Fatalf("cut at %d: %s", cut, cmp.Diff(want, got))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamageCostsOnlyWhatItHits flips bytes: an entry counts as it was written or not
// at all.
func TestDamageCostsOnlyWhatItHits(t *testing.T) {
	path, j := create(t)
	add(t, j, 0, 1, 2, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	headerEnd := bytes.IndexByte(whole, '\n') + 1
	rapid.Check(t, func(t *rapid.T) {
		damaged := slices.Clone(whole)
		hit := map[int]bool{}
		for range rapid.IntRange(1, 3).Draw(t, "flips") {
			at := rapid.IntRange(headerEnd, len(whole)-1).Draw(t, "at")
			damaged[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
			line := bytes.Count(whole[headerEnd:at], []byte("\n"))
			hit[line] = true
			if whole[at] == '\n' {
				hit[line+1] = true
			}
		}
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		j, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		for i := range 4 {
			if !hit[i] && !j.Has(i) {
				t.Errorf("entry %d is lost", i)
			}
			if !j.Has(i) {
				continue
			}
			if e, err := j.Entry(i); err != nil || string(e.Result) != string(result(i)) {
				t.Errorf("entry %d: %s, %v", i, e.Result, err)
			}
		}
	})
}

func TestOtherFilesAreNoJournals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	for text, want := range map[string]error{
		"":                     ErrHeader,
		"hello\n":              ErrNoJournal,
		"{\"name\":\"x\"}\n":   ErrNoJournal,
		"{\"crc\":\"0000\"}\n": ErrHeader,
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// TestOrderIsOfTheScenarios: workers append in any order, the ordered bytes are one.
func TestOrderIsOfTheScenarios(t *testing.T) {
	var want string
	for round := range 3 {
		_, j := create(t)
		var workers sync.WaitGroup
		for w := range 8 {
			workers.Go(func() {
				for i := w; i < 100; i += 8 {
					add(t, j, i)
				}
			})
		}
		workers.Wait()
		got := ordered(t, j)
		if round == 0 {
			want = got
		} else if got != want {
			t.Error("the order of the workers shows")
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerifyForgetsLostFiles: a plan that is gone or torn is made again.
func TestVerifyForgetsLostFiles(t *testing.T) {
	path, j := create(t)
	dir := filepath.Dir(path)
	for i := range 4 {
		name := fmt.Sprintf("s%d.json", i)
		data := []byte(name)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := j.Append(Entry{Index: i, Result: result(i), Files: []File{{name, Sum(data)}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, "s1.json")), os.WriteFile(filepath.Join(dir, "s2.json"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	lost, err := j.Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2}, lost); diff != "" || j.Has(1) || !j.Has(0) {
		t.Error(diff)
	}
}

func TestFailureOfTheDiskIsTold(t *testing.T) {
	_, j := create(t)
	if err := j.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(Entry{Index: 1, Result: result(1)}); err == nil || j.Has(1) {
		t.Errorf("%v", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	_, j := create(b)
	long := json.RawMessage(`{"text":"` + string(bytes.Repeat([]byte("x"), 3000)) + `"}`)
	for i := 0; b.Loop(); i++ {
		if err := j.Append(Entry{Index: i, Result: long}); err != nil {
			b.Fatal(err)
		}
	}
}
