package launchtest

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRunRecords(t *testing.T) {
	script := "#!/usr/bin/env bash\nset -euo pipefail\nX=\"a\nb\" vllm serve \"$1\" --n=3 --m 4 --flag >/dev/null\nray \"$(hostname)\" ''\nexit 5\n"
	r := Run(t, []byte(script), Options{
		Stubs: []string{"vllm", "ray", "hostname"}, Does: map[string]string{"hostname": "echo node-1"},
		Args: []string{"$(touch pwned)\n\xff"}, Env: []string{"Y=1"},
	})
	if r.Exit != 5 || len(r.Calls) != 3 {
		t.Fatalf("exit %d, calls %q, %s", r.Exit, r.Calls, r.Stderr)
	}
	if got, want := r.Calls[0].Args, []string{"serve", "$(touch pwned)\n\xff", "--n=3", "--m", "4", "--flag"}; !slices.Equal(got, want) {
		t.Errorf("vllm got %q, want %q", got, want)
	}
	if got := r.Calls[0].Env; got["X"] != "a\nb" || got["Y"] != "1" {
		t.Errorf("vllm's environment is %q", got)
	}
	if got := r.Of("ray"); len(got) != 1 || !slices.Equal(got[0].Args, []string{"node-1", ""}) {
		t.Errorf("ray got %q", got)
	}
	c := r.Calls[0]
	if n, _ := c.Flag("--n"); n != "3" {
		t.Errorf("--n is %q", n)
	}
	if m, _ := c.Flag("--m"); m != "4" || !c.Has("--flag") || c.Has("--other") {
		t.Errorf("--m is %q", m)
	}
	if _, given := c.Flag("--flag"); given {
		t.Error("--flag has a value")
	}
}

// TestTrySees is the harness against scripts that do what a hostile name would have done.
func TestTrySees(t *testing.T) {
	for script, want := range map[string][2][]string{
		"rm -rf ~ 2>/dev/null":         {{"rm -rf "}, nil},
		"x=$(touch pwned) || true":     {{"touch pwned"}, nil},
		">pwned":                       {nil, {"pwned"}},
		": >\"$HOME/pwned\"":           {nil, {"pwned"}},
		"/bin/rm \"$HOME\"/precious":   {nil, {"precious"}},
		"vllm; curl 'a b' || : ignore": {{"curl a b"}, nil},
		"vllm":                         {nil, nil},
	} {
		r := Try(t, []byte(script+"\n"), Options{Stubs: []string{"vllm"}})
		strays := r.Stray
		if len(strays) == 1 && len(want[0]) == 1 && len(strays[0]) >= len(want[0][0]) {
			strays = []string{strays[0][:len(want[0][0])]}
		}
		if !slices.Equal(strays, want[0]) || !slices.Equal(r.Left, want[1]) {
			t.Errorf("%s: stray %q, left %q, want %q", script, r.Stray, r.Left, want)
		}
	}
}

// TestQuotedIsCarried: a word between single quotes reaches a stub as it is, whatever it
// holds, so that what a test compares is the script and not the harness.
func TestQuotedIsCarried(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := Name().Draw(rt, "name")
		r := Run(t, []byte("vllm \"$NAME\" \"$1\"\n"), Options{Stubs: []string{"vllm"}, Env: []string{"NAME=" + name}, Args: []string{name}, Limit: time.Minute})
		if len(r.Calls) != 1 || !slices.Equal(r.Calls[0].Args, []string{name, name}) || r.Calls[0].Env["NAME"] != name {
			rt.Fatalf("%q, want %q", r.Calls, name)
		}
	})
}

func TestLint(t *testing.T) {
	Lint(t, []byte("#!/usr/bin/env bash\nset -euo pipefail\necho \"$1\"\n"))
}
