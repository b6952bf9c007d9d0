package launchtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// toolsMust is the environment variable that makes a missing program a failure: CI sets it.
const toolsMust = "PARTITA_TOOLS"

// Tool is the path of a program; a test without it is skipped, or fails where tools are
// a must.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv(toolsMust) != "" {
			t.Fatalf("%s is not installed (scripts/install-deps.sh test)", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// Lint has bash parse a script, and shellcheck read it where it is installed. No remark is
// let pass but that single quotes keep a "$" from its meaning (SC2016): that is their use.
func Lint(t testing.TB, script []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.sh")
	must(t, os.WriteFile(path, script, 0o644))
	if out, err := exec.Command(Tool(t, "bash"), "-n", path).CombinedOutput(); err != nil {
		t.Errorf("bash -n: %s", out)
	}
	check, err := exec.LookPath("shellcheck")
	if err != nil && os.Getenv(toolsMust) == "" {
		t.Log("shellcheck is not installed")
		return
	}
	must(t, err)
	if out, err := exec.Command(check, "--shell=bash", "--exclude=SC2016", path).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %s", out)
	}
}
