package launch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/results"
	"partita/results/launch/launchtest"
)

// started is one replica as the processes of an engine would start it: its degrees, and the
// GPUs of each stage in the order of its ranks, each with its host.
type started struct {
	TP, DP, EP, ETP int
	Layers          []int
	GPUs            [][]string
}

// planned is what a plan says of each replica, read from its stages alone.
func planned(p *results.Plan) []started {
	var out []started
	for _, x := range p.Phases[0].Stages {
		if x.Replica == len(out) {
			out = append(out, started{TP: x.TP, DP: x.DPAttention, EP: x.EP, ETP: x.ETP})
		}
		r := &out[x.Replica]
		r.Layers = append(r.Layers, x.LastLayer-x.FirstLayer+1)
		var gpus []string
		for _, id := range x.GPUs {
			at := strings.LastIndex(id, "/gpu-")
			gpus = append(gpus, gpuAt(id[:at], id[at+len("/gpu-"):]))
		}
		r.GPUs = append(r.GPUs, gpus)
	}
	return out
}

// gpuAt names a GPU by its host and its number there. The shell takes line breaks from the
// end of an address.
func gpuAt(host, number string) string { return fmt.Sprintf("%q %s", host, number) }

// runNodes runs a script for every node of a plan, or for the first few; together says how
// many processes a node starts.
func runNodes(t testing.TB, s *Serving, script []byte, stubs []string, together map[string]int) []hostCall {
	t.Helper()
	var calls []hostCall
	model := "MODEL=/models/a b"
	if slices.Contains(stubs, "mpirun") { // trtllm-llmapi-launch takes no spaces
		model = "MODEL=/models/a*b"
	}
	for _, h := range s.Hosts() {
		r := launchtest.Run(t, script, launchtest.Options{Stubs: stubs, Args: []string{strconv.Itoa(h.Number)}, Together: together[h.Name], Limit: 3 * time.Minute,
			Env: []string{model, "MEGATRON=/src/m m", "CHECKPOINT=/models/a b", "TOKENIZER=/models/a b"}})
		if r.Exit != 0 || len(r.Calls) != together[h.Name] {
			t.Fatalf("node %d: exit %d, %d calls instead of %d\n%s\n%s", h.Number, r.Exit, len(r.Calls), together[h.Name], r.Stderr, script)
		}
		for _, c := range r.Calls {
			calls = append(calls, hostCall{Call: c, host: h.Name})
		}
	}
	return calls
}

// byHost counts the processes of each host.
func byHost(all []node, only func(node) bool) map[string]int {
	out := map[string]int{}
	for _, n := range all {
		if only(n) {
			out[n.Host]++
		}
	}
	return out
}

// replicaCalls groups calls by the place where their replica meets; calls without one are
// replicas of their own. Each group is in the order of its ranks.
func replicaCalls(t testing.TB, calls []hostCall, place func(c hostCall) string, rank string) [][]hostCall {
	t.Helper()
	groups := map[string][]hostCall{}
	var order []string
	for i, c := range calls {
		key := place(c)
		if key == "" {
			key = fmt.Sprint(i)
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], c)
	}
	var out [][]hostCall
	for _, key := range order {
		group := groups[key]
		slices.SortFunc(group, func(a, b hostCall) int { return flagNumber(t, a, rank, 0) - flagNumber(t, b, rank, 0) })
		for i, c := range group {
			if flagNumber(t, c, rank, 0) != i {
				t.Fatalf("the ranks of a replica's nodes are not 0 to %d: %q", len(group)-1, c.Args)
			}
		}
		out = append(out, group)
	}
	return out
}

func flagNumber(t testing.TB, c hostCall, flag string, otherwise int) int {
	t.Helper()
	text, given := c.Flag(flag)
	if !given {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s %q", flag, text)
	}
	return n
}

func numbers(t testing.TB, text string) []int {
	t.Helper()
	var out []int
	for _, w := range strings.Split(text, ",") {
		n, err := strconv.Atoi(w)
		if err != nil {
			t.Fatalf("%q is not a list of numbers", text)
		}
		out = append(out, n)
	}
	return out
}

// engine is one engine with how its commands are read back.
type engine struct {
	name string
	read func(t testing.TB, s *Serving, files []File) []started
}

func engines() []engine {
	return []engine{
		{name: "sglang", read: readSGLang},
		{name: "trtllm", read: readTensorRT},
		{name: "megatron", read: readMegatron},
		{name: "llamacpp", read: readLlamaCpp},
	}
}

// holdsPlan writes the files of a plan, runs them under stubs and reads the plan back. The
// second result is the refusal, where there is one.
func holdsPlan(t testing.TB, e engine, p *results.Plan) (refused bool) {
	t.Helper()
	files, err := Files(e.name, p)
	var no *Refusal
	if errors.As(err, &no) {
		if len(no.Reasons) == 0 || strings.Contains(no.Error(), "\n") {
			t.Errorf("%s refuses without a reason on one line: %q", e.name, no.Error())
		}
		return true
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	want, got := planned(p), e.read(t, s, files)
	order := func(a, b started) int { return strings.Compare(a.GPUs[0][0], b.GPUs[0][0]) }
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("%s: the commands are not the plan (- plan, + commands):\n%s\n%s", e.name, diff, files[0].Data)
	}
	return false
}

// TestCommandsAreThePlan: random plans, hostile names among them, are read back from what the
// engines would be given on every node.
func TestCommandsAreThePlan(t *testing.T) {
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			written, refused := 0, 0
			plans := rapid.Custom(func(rt *rapid.T) *results.Plan {
				p := launchtest.Plan(rt, launchtest.Shape{Uniform: rapid.IntRange(0, 3).Draw(rt, "uniform") > 0})
				suit(rt, e.name, p)
				return p
			})
			for seed := range 20 {
				if holdsPlan(t, e, plans.Example(seed)) {
					refused++
				} else {
					written++
				}
			}
			if written < 5 || refused == 0 {
				t.Errorf("%d plans written, %d refused: the generator misses a side", written, refused)
			}
		})
	}
}

// suit makes most random plans such that an engine takes them: number formats and degrees.
func suit(t *rapid.T, engine string, p *results.Plan) {
	if rapid.IntRange(0, 4).Draw(t, "as it is") == 0 {
		return
	}
	m := &p.Deployment.Model
	for i := range p.Deployment.Cluster.Pools {
		p.Deployment.Cluster.Pools[i].Accelerator.FLOPS["fp8"] = 1e15
	}
	switch engine {
	case "megatron":
		m.Weights, m.KV = "bf16", "bf16"
	case "llamacpp":
		m.Weights, m.KV = "bf16", "bf16"
		st := &p.Phases[0].Strategy
		for i := range p.Phases[0].Stages { // layers on one GPU each: what it is made for
			x := &p.Phases[0].Stages[i]
			x.GPUs, x.TP, x.DPAttention, x.EP, x.ETP = x.GPUs[:1], 1, 1, 1, 1
		}
		for i := range st.TP {
			st.TP[i], st.DPAttention[i], st.EP[i], st.ETP[i] = 1, 1, 1, 1
		}
	case "trtllm":
		for i := range p.Phases[0].Stages {
			if x := &p.Phases[0].Stages[i]; x.DPAttention > 1 { // all ranks or none
				x.DPAttention, x.TP = x.DPAttention*x.TP, 1
			}
		}
	}
}
