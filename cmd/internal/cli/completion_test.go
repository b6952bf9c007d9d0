package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partita/solver/solvertest"
)

// offered is what the program offers for the last word of a command line.
func offered(t *testing.T, words ...string) []string {
	t.Helper()
	code, stdout, stderr := run(t.Context(), append([]string{"__complete"}, words...)...)
	if code != exitFound {
		t.Fatalf("%q: exit code %d\n%s", words, code, stderr)
	}
	lines := strings.Split(strings.TrimRight(stdout, "\n"), "\n")
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, "\t")
	}
	return lines // the last one is the directive
}

// TestCompletion asks as the scripts of the shells do.
func TestCompletion(t *testing.T) {
	for _, row := range []struct {
		line string // words by blanks; _ is an empty one
		want []string
		not  []string
	}{
		{"_", []string{"solve", "model", "completion"}, []string{"manual"}},
		{"so", []string{"solve"}, []string{"compare"}},
		{"help _", []string{"solve", "catalog", "condition", "exit-codes"}, nil},
		{"help catalog _", []string{"gpus", "models"}, []string{"solve"}},
		{"completion _", []string{"bash", "zsh", "fish", "powershell"}, nil},
		{"catalog gpus H10", []string{"H100-SXM-80GB", "H100-PCIe-80GB"}, []string{"H200-SXM-141GB"}},
		{"catalog gpus H100 _", nil, []string{"H100-SXM-80GB"}},
		{"catalog models Llama-3.1-", []string{"Llama-3.1-8B", "Llama-3.1-405B"}, []string{"Llama-2-7B"}},
		{"catalog gpus --vendor n", []string{"nvidia"}, []string{"amd"}},
		{"catalog gpus --generation hopper,a", []string{"hopper,ada", "hopper,ampere"}, []string{"hopper,hopper"}},
		{"catalog gpus --link _", []string{"nvlink", "mesh", "pair", "pcie"}, nil},
		{"catalog gpus --columns name,pow", []string{"name,power_w"}, []string{"name,name"}},
		{"catalog gpus --sort mem", []string{"memory_gib"}, []string{"-memory_gib"}},
		{"catalog gpus --sort=-mem", []string{"-memory_gib"}, []string{"memory_gib"}},
		{"catalog gpus --memory _", []string{":4"}, nil},
		{"catalog models --family q", []string{"qwen-3"}, []string{"llama-3"}},
		{"catalog models --attention _", []string{"mha", "gqa", "mqa", "mla"}, nil},
		{"catalog models --precision _", []string{"bf16", "fp8"}, []string{"int8"}},
		{"solve --mo", []string{"--model"}, nil},
		{"solve --model Llama-3.1-4", []string{"Llama-3.1-405B"}, []string{"Llama-3.1-8B"}},
		{"solve --objective _", []string{"balanced", "latency", "throughput", "gpus", "cost"}, nil},
		{"solve --phase _", []string{"prefill", "decode", "mixed"}, nil},
		{"solve --backend _", []string{"auto", "labels", "sat"}, nil},
		{"solve --ttft _", []string{":4"}, nil},
		{"solve --set workload.", []string{"workload.batch=", "workload.phase="}, []string{"cluster.count="}},
		{"solve --set workload.phase=", []string{"workload.phase=decode"}, nil},
		{"solve --set cluster.accelerator=MI3", []string{"cluster.accelerator=MI300X"}, []string{"cluster.accelerator=H20-96GB"}},
		{"solve --set model.catalog=Qwen3-", []string{"model.catalog=Qwen3-32B"}, nil},
		{"solve --set model.precision=fp", []string{"model.precision=fp8"}, []string{"model.precision=int8"}},
		{"solve --set goal.allow_idle=", []string{"goal.allow_idle=yes"}, nil},
		{"solve _", []string{"yaml", "md", ":8"}, nil},
		{"batch _", []string{"toml", ":8"}, []string{"md"}},
		{"model x.yaml --format _", []string{"lp", "mps", "opb", "cnf"}, nil},
		{"model x.yaml --at-most opt", []string{"optimum", "optimum-1"}, nil},
		{"model x.yaml --all _", []string{":16"}, nil},
		{"model x.yaml --map _", []string{"json", ":8"}, nil},
		{"init --format _", []string{"yaml", "toml", "markdown"}, nil},
		{"batch x.yaml --to _", []string{"kubernetes", "slurm"}, nil},
		{"version _", []string{":4"}, nil},
	} {
		words := strings.Fields(row.line)
		for i, w := range words {
			if w == "_" {
				words[i] = ""
			}
		}
		got := offered(t, words...)
		for _, want := range row.want {
			if !slices.Contains(got, want) {
				t.Errorf("%q does not offer %q: %q", row.line, want, got)
			}
		}
		for _, not := range row.not {
			if slices.Contains(got, not) {
				t.Errorf("%q offers %q", row.line, not)
			}
		}
	}
}

// TestCompletedPathsAreRead: every path that --set is completed by is one that it reads.
func TestCompletedPathsAreRead(t *testing.T) {
	example := filepath.Join(repository, "examples", "gpus-3.yaml")
	paths := offered(t, "solve", "--set", "")
	if len(paths) < 50 {
		t.Fatalf("only %d paths are offered", len(paths))
	}
	for _, path := range paths[:len(paths)-1] {
		_, _, stderr := run(t.Context(), "compare", example, "--set", path+"?")
		if strings.Contains(stderr, "unknown key") || strings.Contains(stderr, "unknown path") {
			t.Errorf("--set %s…: %s", path, stderr)
		}
	}
}

// TestShells loads the scripts into the shells themselves.
func TestShells(t *testing.T) {
	dir := scratch(t)
	in := func(t *testing.T, shell string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), solvertest.Tool(t, shell), args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", shell, err, out)
		}
		return string(out)
	}
	t.Run("bash", func(t *testing.T) {
		const library = "/usr/share/bash-completion/bash_completion"
		if _, err := os.Stat(library); err != nil && os.Getenv("PARTITA_TOOLS") == "" {
			t.Skip("bash-completion is not installed (scripts/install-deps.sh test)")
		}
		script := `source ` + library + `
source <(partita completion bash)
compopt() { :; } # works under readline alone
tab() { # what Tab offers for the last word, as readline calls it
	COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	__start_partita
	echo "[${COMPREPLY[*]}]"
}
tab partita sol
tab partita catalog gpus H100-S
tab partita solve --objective thr
tab partita solve examples/gpus-3
tab partita model examples/gpus-3.yaml --format op
`
		want := "[solve]\n[H100-SXM-80GB]\n[throughput]\n[examples/gpus-3.yaml]\n[opb]\n"
		got := in(t, "bash", "--norc", "-c", script)
		for i, line := range strings.Split(got, "\n") { // a lone answer has a blank behind it
			if at := strings.Split(want, "\n"); i < len(at) && strings.TrimSpace(strings.ReplaceAll(line, " ]", "]")) != at[i] {
				t.Errorf("bash offers\n%s\nwant\n%s", got, want)
				break
			}
		}
	})
	t.Run("fish", func(t *testing.T) {
		got := in(t, "fish", "--no-config", "-c", `partita completion fish | source; complete -C "partita catalog gpus H100-S"; complete -C "partita solve --objective thr"`)
		for _, want := range []string{"H100-SXM-80GB\thopper", "throughput"} {
			if !strings.Contains(got, want) {
				t.Errorf("fish offers\n%s\nwant %q among it", got, want)
			}
		}
	})
	t.Run("zsh", func(t *testing.T) {
		got := in(t, "zsh", "-f", "-c", `autoload -U compinit && compinit -u -D && source <(partita completion zsh) && print ${_comps[partita]}`)
		if strings.TrimSpace(got) != "_partita" {
			t.Errorf("zsh completes partita by %q, want _partita", got)
		}
	})
}
