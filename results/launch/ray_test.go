package launch

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
	"partita/results/launch/launchtest"
)

// rayFiles are the files of a plan by their names; nil where Ray cannot run it.
func rayFiles(t testing.TB, p *results.Plan) map[string][]byte {
	t.Helper()
	files, err := Files("ray", p)
	var no *Refusal
	if errors.As(err, &no) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		out[f.Name] = f.Data
	}
	return out
}

// checkRay reads the plan back from the files: the nodes that Ray is started on by running
// the script there, the ranks from their bundles, which name a node each.
func checkRay(t testing.TB, p *results.Plan, files map[string][]byte, nodes ...int) {
	t.Helper()
	s, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	hosts := s.Hosts()
	if len(nodes) == 0 {
		for _, h := range hosts {
			nodes = append(nodes, h.Number)
		}
	}
	gpus := map[string][]string{} // by host, from the plan
	for _, m := range meantBy(p) {
		for _, g := range m.GPUs {
			gpus[hostIn(g)] = append(gpus[hostIn(g)], strings.TrimPrefix(g, hostIn(g)+" "))
		}
	}
	for _, n := range nodes {
		r := launchtest.Run(t, files["ray.sh"], launchtest.Options{Stubs: []string{"ray"}, Args: []string{strconv.Itoa(n)}, Env: []string{"MODEL=m"}})
		if r.Exit != 0 || len(r.Calls) != 1 || r.Calls[0].Args[0] != "start" {
			t.Fatalf("node %d: exit %d, %q\n%s\n%s", n, r.Exit, r.Calls, r.Stderr, files["ray.sh"])
		}
		c := r.Calls[0]
		if address, joins := c.Flag("--address"); joins == c.Has("--head") || joins == (n == 0) || joins && address != hosts[0].Name+":6379" {
			t.Errorf("node %d starts Ray with %q", n, c.Args)
		}
		want := gpus[fmt.Sprintf("%q", hosts[n].Name)]
		got := strings.Split(c.Env["CUDA_VISIBLE_DEVICES"], ",")
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) || first(c.Flag("--num-gpus")) != strconv.Itoa(len(want)) {
			t.Errorf("node %d has the GPUs %q of %q", n, got, want)
		}
		var resources map[string]int
		if err := json.Unmarshal([]byte(first(c.Flag("--resources"))), &resources); err != nil || resources[rayNode(n)] != len(want) {
			t.Errorf("resources %s: %v", first(c.Flag("--resources")), err)
		}
	}

	var list struct {
		Replicas []rayReplica `json:"replicas"`
	}
	if err := json.Unmarshal(files["ray_replicas.json"], &list); err != nil {
		t.Fatal(err)
	}
	var calls []hostCall
	var got, want []string
	for _, r := range list.Replicas {
		c := hostCall{Call: launchtest.Call{Args: append([]string{"serve", "/models/a b"}, r.Flags...)}}
		var ranks []string
		for _, b := range r.Bundles {
			for name := range b {
				if n, ok := strings.CutPrefix(name, "partita-node-"); ok {
					i, err := strconv.Atoi(n)
					if err != nil || b["GPU"] != 1 || len(b) != 3 {
						t.Fatalf("bundle %v", b)
					}
					ranks = append(ranks, hosts[i].Name)
				}
			}
		}
		c.host = ranks[0]
		calls = append(calls, c)
		got = append(got, fmt.Sprintf("%d %d %v %s %q", number(t, c, "--tensor-parallel-size"), number(t, c, "--pipeline-parallel-size"), c.Has("--enable-expert-parallel"), r.Env["VLLM_PP_LAYER_PARTITION"], ranks))
	}
	checkCommands(t, p, calls)
	for _, m := range meantBy(p) {
		if m.PP == 1 {
			m.Layers = ""
		}
		var ranks []string
		for _, g := range m.GPUs {
			host, err := strconv.Unquote(hostIn(g))
			if err != nil {
				t.Fatal(err)
			}
			ranks = append(ranks, host)
		}
		want = append(want, fmt.Sprintf("%d %d %v %s %q", m.TP, m.PP, m.EP, m.Layers, ranks))
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the bundles are not the plan:\n%s", diff)
	}
}

func TestRayIsThePlan(t *testing.T) {
	written, unlike := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		p := launchtest.Plan(rt, launchtest.Shape{Uniform: true})
		files := rayFiles(t, p)
		if files == nil {
			return
		}
		written++
		if _, err := Files("vllm", p); err != nil {
			unlike++ // nodes of unlike numbers of GPUs: Ray alone runs it
		}
		checkRay(t, p, files)
		if written <= 4 {
			launchtest.Lint(t, files["ray.sh"])
		}
		if t.Failed() {
			rt.Fatalf("of\n%s\n%s", files["ray.sh"], files["ray_replicas.json"])
		}
	})
	if written < 20 || unlike == 0 {
		t.Errorf("%d written, %d of them for Ray alone", written, unlike)
	}
}

func TestRayRefuses(t *testing.T) {
	for want, change := range map[string]func(p *results.Plan){
		"attention data parallelism": func(p *results.Plan) {
			for i := range p.Phases[0].Stages {
				st := &p.Phases[0].Stages[i]
				st.TP, st.DPAttention = 2, 2
			}
		},
		"GPUs of the pools": func(p *results.Plan) {
			d := p.Deployment
			other := d.Cluster.Pools[0]
			other.Name = "other"
			d.Cluster.Pools = append(d.Cluster.Pools, other)
			st := &p.Phases[0].Stages[1]
			st.Pool = "other"
			host := d.Cluster.Pools[0].Nodes[0].Host
			st.GPUs = []string{host + "/gpu-4", host + "/gpu-5", host + "/gpu-6", host + "/gpu-7"}
			d.Cluster.Pools[0].Nodes = d.Cluster.Pools[0].Nodes[:1]
			d.Cluster.Pools[1].Nodes = []inputs.Node{{Host: host, GPUs: st.GPUs}}
		},
		"one --gpu-memory-utilization for all": func(p *results.Plan) { p.Phases[0].Stages[1].MemoryGiB = 81 },
	} {
		p := plain()
		change(p)
		_, err := Files("ray", p)
		var no *Refusal
		if !errors.As(err, &no) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// fakeRay stands in for the modules ray and vllm: what ray_serve.py asks of them is recorded.
var fakeRay = map[string]string{
	"ray/__init__.py": `
import json, os, sys
record = []
def init(address): record.append(["init", address])
class Ref:
    def __init__(self, f, env): self.f, self.env = f, env
class Method:
    def __init__(self, f, env): self.f, self.env = f, env
    def remote(self, *args): return Ref(lambda: self.f(*args), self.env)
class Actor:
    def __init__(self, cls, options):
        record.append(["actor", options["num_cpus"], options["runtime_env"]["env_vars"], options["scheduling_strategy"]])
        self.serve = Method(cls().serve, options["runtime_env"]["env_vars"])
class Class:
    def __init__(self, cls): self.cls = cls
    def options(self, **options): self.o = options; return self
    def remote(self): return Actor(self.cls, self.o)
remote = Class
def wait(refs, num_returns):
    for r in refs: r.f()
    print(json.dumps(record))
    return refs[:num_returns], refs[num_returns:]
def get(refs): pass
`,
	"ray/util/__init__.py": "",
	"ray/util/placement_group.py": `
class Group:
    def __init__(self, bundles, strategy): self.bundles, self.strategy = bundles, strategy
    def wait(self, seconds): return seconds > 0 and "nowhere" not in self.bundles[0]
placement_group = Group
`,
	"ray/util/scheduling_strategies.py": `
def PlacementGroupSchedulingStrategy(placement_group, placement_group_bundle_index, placement_group_capture_child_tasks):
    assert placement_group_bundle_index == 0 and placement_group_capture_child_tasks
    return [placement_group.bundles, placement_group.strategy]
`,
	"vllm/__init__.py": "", "vllm/v1/__init__.py": "", "vllm/v1/executor/__init__.py": "", "vllm/v1/executor/ray_executor_v2.py": "",
	"vllm/entrypoints/__init__.py": "", "vllm/entrypoints/cli/__init__.py": "",
	"vllm/entrypoints/cli/main.py": "import ray, sys\ndef main(): ray.record.append([\"vllm\", sys.argv])\n",
}

// python runs ray_serve.py between stand-ins of its modules.
func python(t *testing.T, replicas []byte, without string) (string, error) {
	t.Helper()
	path := launchtest.Tool(t, "python3")
	dir := t.TempDir()
	for name, text := range fakeRay {
		if name == without {
			continue
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range map[string][]byte{"ray_serve.py": rayServe, "ray_replicas.json": replicas} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, "-B", "ray_serve.py", "ray_replicas.json")
	cmd.Dir, cmd.Env = dir, []string{"MODEL=/models/$(touch pwned)", "PYTHONPATH=" + dir, "PYTHONIOENCODING=utf-8"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRayServe: the program asks Ray for the bundles of every replica, and gives vLLM its
// words on the first of them.
func TestRayServe(t *testing.T) {
	p := plain()
	p.Deployment.Model.Name = launchtest.Hostile()[0]
	files := rayFiles(t, p)
	out, err := python(t, files["ray_replicas.json"], "")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var record [][]any
	if err := json.Unmarshal([]byte(out), &record); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var list struct {
		Replicas []rayReplica `json:"replicas"`
	}
	if err := json.Unmarshal(files["ray_replicas.json"], &list); err != nil {
		t.Fatal(err)
	}
	if len(record) != 1+2*len(list.Replicas) || fmt.Sprint(record[0]) != "[init auto]" {
		t.Fatalf("%v", record)
	}
	n := len(list.Replicas)
	for i, r := range list.Replicas {
		env, _ := record[1+i][2].(map[string]any)
		group, _ := record[1+i][3].([]any)
		bundles, _ := group[0].([]any)
		if len(bundles) != len(r.Bundles) || env["VLLM_RAY_BUNDLE_INDICES"] != "0,1,2,3,4,5,6,7" || env["VLLM_PP_LAYER_PARTITION"] != r.Env["VLLM_PP_LAYER_PARTITION"] {
			t.Errorf("replica %d: %d bundles, environment %v", i, len(bundles), env)
		}
		words, _ := record[1+n+i][1].([]any)
		want := append([]string{"vllm", "serve", "/models/$(touch pwned)"}, r.Flags...)
		if fmt.Sprint(words...) != fmt.Sprint(anys(want)...) {
			t.Errorf("vLLM is called with %q, want %q", words, want)
		}
	}

	if out, err := python(t, []byte(`{"replicas": [{"name": "replica 0", "bundles": [{"nowhere": 1}], "env": {}, "flags": []}]}`), ""); err == nil || !strings.Contains(out, "no room for replica 0") {
		t.Errorf("without room: %v, %s", err, out)
	}
	if out, err := python(t, files["ray_replicas.json"], "vllm/v1/executor/ray_executor_v2.py"); err == nil || !strings.Contains(out, "a release with vllm/v1/executor/ray_executor_v2.py is needed") {
		t.Errorf("with an old vLLM: %v, %s", err, out)
	}
	r := launchtest.Run(t, files["ray.sh"], launchtest.Options{Stubs: []string{"python3"}, Args: []string{"serve"}, Env: []string{"MODEL=m"}})
	if c := r.Of("python3"); len(c) != 1 || len(c[0].Args) != 2 || filepath.Base(c[0].Args[0]) != "ray_serve.py" || filepath.Base(c[0].Args[1]) != "ray_replicas.json" || c[0].Env["MODEL"] != "m" {
		t.Errorf("ray.sh serve calls %q", r.Calls)
	}
}

func anys(words []string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}
