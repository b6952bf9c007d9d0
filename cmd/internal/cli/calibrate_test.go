package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"partita/inputs/knowledge"
)

// calibrateNames are the names of calibrate --json that other programs read, with their
// kinds as in contractNames.
func calibrateNames() map[string]string {
	names := map[string]string{
		"tables[].file": "string", "tables[].kind": "string", "tables[].rows": "integer", "tables[].samples": "integer",
		"skipped": "list", "pack": "string", "devices[].device": "string", "devices[].generation": "string",
	}
	for name, kind := range map[string]string{
		"path": "string", "ops": "strings", "files": "strings", "frameworks": "strings?", "rows": "integer", "shapes": "integer", "outliers": "integer", "impossible": "integer", "refused": "string?",
		"built_in.median_pct": "number", "built_in.p90_pct": "number", "in_sample.median_pct": "number", "held_out.p90_pct": "number",
		"constants[].path": "string", "constants[].built_in": "number", "constants[].fitted": "number?", "constants[].uncertainty_pct": "number?", "constants[].refused": "string?",
	} {
		names["devices[].laws[]."+name] = kind
	}
	return names
}

func TestCalibrateNames(t *testing.T) {
	pack := filepath.Join(t.TempDir(), "lab.yaml")
	args := []string{"calibrate", "--json", "-o", pack, "--device", "H100"}
	for _, name := range []string{"gemm_perf.txt", "own.csv"} {
		args = append(args, filepath.Join(repository, "examples", "calibrate", name))
	}
	code, stdout, stderr := run(t.Context(), args...)
	if code != exitFound || stderr != "" {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	var line any
	if err := json.Unmarshal([]byte(stdout), &line); err != nil {
		t.Fatal(err)
	}
	for path, kind := range calibrateNames() {
		for _, problem := range missing(line, path, kind) {
			t.Error(problem)
		}
	}

	// The pack is one, and what was fitted is what it states.
	text, err := os.ReadFile(pack)
	if err != nil {
		t.Fatal(err)
	}
	read := knowledge.Parse("lab.yaml", text)
	if err := read.Problems.Err(); err != nil || len(read.Profiles) != 1 || read.Profiles[0].Name != "lab" {
		t.Fatalf("%v\n%s", err, text)
	}
	var found struct {
		Devices []struct {
			Laws []struct {
				Constants []struct {
					Path   string
					Fitted *float64
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &found); err != nil {
		t.Fatal(err)
	}
	states := read.Profiles[0].Constants
	for _, l := range found.Devices[0].Laws {
		for _, c := range l.Constants {
			v, stated := states[c.Path]
			if stated != (c.Fitted != nil) || stated && v != *c.Fitted {
				t.Errorf("%s: %g in the pack, fitted %v", c.Path, v, c.Fitted)
			}
			delete(states, c.Path)
		}
	}
	if len(states) > 0 {
		t.Errorf("the pack states what was not fitted: %v", states)
	}
	if strings.Contains(string(text), filepath.Base(filepath.Dir(pack))) || strings.Contains(string(text), "examples/") {
		t.Errorf("the pack names a folder:\n%s", text)
	}

	// Again, in another order of files: the same bytes.
	args[len(args)-1], args[len(args)-2] = args[len(args)-2], args[len(args)-1]
	if code, _, stderr = run(t.Context(), args...); code != exitFound {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if again, err := os.ReadFile(pack); err != nil || string(again) != string(text) {
		t.Errorf("another order of files: %v\n%s", err, again)
	}
}

// The same table in Parquet gives the same constants as its text.
func TestCalibrateParquet(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "examples", "calibrate", "gemm_perf.txt"))
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Engine string  `parquet:"framework"`
		Device string  `parquet:"device"`
		Format string  `parquet:"gemm_dtype"`
		M      string  `parquet:"m"`
		N      string  `parquet:"n"`
		K      string  `parquet:"k"`
		Time   float64 `parquet:"latency"`
	}
	var rows []row
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[2:] {
		c := strings.Split(line, ",")
		var ms float64
		if err := json.Unmarshal([]byte(c[9]), &ms); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row{c[0], c[2], c[5], c[6], c[7], c[8], ms})
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "gemm_perf.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := parquet.Write(f, rows); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	one, two := filepath.Join(folder, "one", "lab.yaml"), filepath.Join(folder, "two", "lab.yaml")
	for pack, table := range map[string]string{one: path, two: filepath.Join(repository, "examples", "calibrate", "gemm_perf.txt")} {
		if code, _, stderr := run(t.Context(), "calibrate", table, "-o", pack); code != exitFound {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
	}
	a, _ := os.ReadFile(one)
	b, _ := os.ReadFile(two)
	if got := strings.ReplaceAll(string(a), "gemm_perf.parquet", "gemm_perf.txt"); got == "" || got != string(b) {
		t.Errorf("Parquet gives\n%s\ntext gives\n%s", a, b)
	}
}
