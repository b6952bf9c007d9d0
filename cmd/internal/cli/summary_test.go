package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"partita/formulation"
	"partita/inputs/read"
	"partita/results/export"
)

// TestSummaries: what solve tells a person of hard examples (unlike pools, unlike stages in
// a replica, MLA with attention DP, a number of GPUs that is ours, a conflict) is in
// testdata/summary, for 80 columns; UPDATE_SUMMARIES=1 writes it anew, to be read. At every
// width it fits, colours change nothing, and an ordinary plan takes one screen.
func TestSummaries(t *testing.T) {
	codes := regexp.MustCompile("\x1b\\[[0-9]*m")
	for _, tc := range []struct {
		example string
		screen  int // lines of a tall terminal that it must fit
	}{
		{"three-pools-llama-70b-fp16.yaml", 56},
		{"gpus-7.yaml", 46},
		{"deepseek-v3-fp8-4x8-h200.yaml", 46},
		{"qwen3-235b-unlimited-64gb.md", 50},
		{"slo-pair-infeasible.yaml", 0},
	} {
		t.Run(tc.example, func(t *testing.T) {
			c, err := read.Load(read.Options{Paths: []string{filepath.Join(repository, "examples", tc.example)}})
			if err != nil {
				t.Fatal(err)
			}
			r, err := formulation.Optimize(t.Context(), c, formulation.Options{Backend: "labels", Explain: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := verified(c, r); err != nil {
				t.Fatal(err)
			}
			on := func(s export.Screen) string {
				var b strings.Builder
				if err := export.SummaryOn(&b, r, s); err != nil {
					t.Fatal(err)
				}
				return b.String()
			}
			for _, width := range []int{60, 80, 120} {
				bare, colored := on(export.Screen{Width: width}), on(export.Screen{Width: width, Color: true})
				if diff := cmp.Diff(bare, codes.ReplaceAllString(colored, "")); diff != "" {
					t.Errorf("%d columns: colours change the text:\n%s", width, diff)
				}
				for line := range strings.Lines(bare) {
					if n := text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")); n > width {
						t.Errorf("a line takes %d of %d columns: %s", n, width, line)
					}
				}
			}
			got := on(export.Screen{})
			if n := strings.Count(got, "\n"); tc.screen > 0 && n > tc.screen {
				t.Errorf("%d lines, want at most %d:\n%s", n, tc.screen, got)
			}
			path := filepath.Join("testdata", "summary", strings.TrimSuffix(tc.example, filepath.Ext(tc.example))+".txt")
			if os.Getenv("UPDATE_SUMMARIES") != "" {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(string(want), repository, "…"), strings.ReplaceAll(got, repository, "…")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// TestCatalogFits: the lists of the catalogue fit 80 columns, no word of them broken.
func TestCatalogFits(t *testing.T) {
	for _, list := range []string{"gpus", "models"} {
		_, stdout, _ := run(t.Context(), "catalog", list)
		for line := range strings.Lines(stdout) {
			if n := text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")); n > plainScreen {
				t.Errorf("catalog %s: a line of %d columns: %s", list, n, line)
			}
		}
	}
}
