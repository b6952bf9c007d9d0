package launch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"partita/inputs"
	"partita/inputs/read"
	"partita/results"
	"partita/results/launch/launchtest"
)

const apartExample = "../../examples/disaggregated/llama-3.1-70b-fp8-2x8-h100.yaml"

// sharedHost is a plan of eight GPUs of one host by hand: four prefill alone, four decode together.
func sharedHost(t testing.TB) *results.Plan {
	t.Helper()
	c, err := read.Load(read.Options{Paths: []string{apartExample}, Overrides: []read.Override{{Key: "cluster.pools.0.count", Value: "8"}, {Key: "cluster.pools.0.nodes", Value: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	side := func(phase inputs.Phase, replicas, tp, from int) results.PhasePlan {
		ph := results.PhasePlan{Phase: phase, Strategy: results.Strategy{Replicas: replicas, PP: 1, SequencesPerReplica: 1, MicroBatches: 1, MicroBatchSequences: 1, Layers: []int{80}}}
		if phase == inputs.Decode {
			ph.Strategy.SequencesPerReplica, ph.Strategy.MicroBatches, ph.Strategy.MicroBatchSequences = c.Workload.Batch, 0, 0
			ph.Strategy.DecodeGroups, ph.Strategy.GroupSequences = 1, c.Workload.Batch
		}
		for _, d := range []*results.PerStage{&ph.Strategy.EP, &ph.Strategy.CP, &ph.Strategy.DPAttention} {
			*d = results.PerStage{1}
		}
		ph.Strategy.TP, ph.Strategy.ETP = results.PerStage{tp}, results.PerStage{tp}
		for r := range replicas {
			s := results.Stage{Replica: r, LastLayer: 79, Pool: "h100", TP: tp, ETP: tp, EP: 1, CP: 1, DPAttention: 1, MemoryGiB: 60, CapacityGiB: 71, Memory: results.Memory{WeightsGiB: 40, KVGiB: 15}}
			for range tp {
				s.GPUs = append(s.GPUs, fmt.Sprintf("node-0/gpu-%d", from))
				from++
			}
			ph.Stages = append(ph.Stages, s)
		}
		ph.GPUs = results.GPUCount{Used: replicas * tp, Parts: replicas * tp, Match: true}
		return ph
	}
	return &results.Plan{FormatVersion: results.FormatVersion, Condition: "by hand", Deployment: results.DeploymentOf(c), Disaggregated: &results.Disaggregated{PrefillBatch: 4},
		Phases: []results.PhasePlan{side(inputs.Prefill, 4, 1, 0), side(inputs.Decode, 1, 4, 4)}}
}

// TestApartGolden shows the files of both engines.
func TestApartGolden(t *testing.T) {
	p := sharedHost(t)
	for _, engine := range []string{"vllm", "sglang"} {
		files, err := Files(engine, p)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 3 {
			t.Fatalf("%s: %d files", engine, len(files))
		}
		for _, f := range files {
			launchtest.Lint(t, f.Data)
			path := filepath.Join("testdata", "disaggregated", f.Name)
			if *updateGolden {
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Data, want) {
				t.Errorf("%s (-want +got), go test -update where meant:\n%s", path, gocmp.Diff(string(want), string(f.Data)))
			}
		}
	}
}

// ranOn runs a script of a side on every node of the plan, with stubs.
func ranOn(t *testing.T, f File, program, function string, nodes int) []hostCall {
	t.Helper()
	var out []hostCall
	for n := range nodes {
		_, block, _ := strings.Cut(string(f.Data), fmt.Sprintf("\n%d) # ", n))
		block, _, _ = strings.Cut(block, "\n\t;;")
		parts := strings.Count(block, "\n\t"+function+" ")
		r := launchtest.Run(t, f.Data, launchtest.Options{Stubs: []string{program}, Args: []string{strconv.Itoa(n)}, Together: parts, Env: []string{"MODEL=/models/a b"}})
		if r.Exit != 0 || len(r.Calls) != parts {
			t.Fatalf("%s on node %d: exit %d, %d calls instead of %d\n%s", f.Name, n, r.Exit, len(r.Calls), parts, r.Stderr)
		}
		for _, c := range r.Calls {
			out = append(out, hostCall{Call: c, host: strconv.Itoa(n)})
		}
	}
	return out
}

// TestApartIsThePlan: on one host and on two, each server of both sides has the GPUs, the
// degree and the role of the plan, no two of a host share a port, and the proxy knows all.
func TestApartIsThePlan(t *testing.T) {
	for _, engine := range []string{"vllm", "sglang"} {
		plans := []*results.Plan{sharedHost(t)}
		if p := solved(t, []string{apartExample}, engine); p != nil {
			plans = append(plans, p)
		} else {
			t.Errorf("%s: the example has no plan", engine)
		}
		for _, p := range plans {
			files, err := Files(engine, p)
			if err != nil {
				t.Fatalf("%s: %v", engine, err)
			}
			program, function := "vllm", "serve"
			if engine == "sglang" {
				program, function = "python3", "server"
			}
			nodes := 1
			if p.Condition != "by hand" {
				nodes = 2
			}
			ports, servers := map[string]bool{}, []string{}
			port := func(host, p string) {
				if p == "" || ports[host+" "+p] {
					t.Errorf("%s: port %q of node %s is taken, or none", engine, p, host)
				}
				ports[host+" "+p] = true
			}
			for i, role := range []string{"prefill", "decode"} {
				if want := engine + "-" + role + ".sh"; files[i].Name != want {
					t.Fatalf("%s instead of %s", files[i].Name, want)
				}
				var gpus []string
				for _, c := range ranOn(t, files[i], program, function, nodes) {
					for _, g := range strings.Split(c.Env["CUDA_VISIBLE_DEVICES"], ",") {
						gpus = append(gpus, "node-"+c.host+"/gpu-"+g)
					}
					http, _ := c.Flag("--port")
					port(c.host, http)
					servers = append(servers, role+" "+c.host+" "+http)
					said := map[string]string{}
					if engine == "vllm" {
						port(c.host, c.Env["VLLM_NIXL_SIDE_CHANNEL_PORT"])
						if has := c.Env["VLLM_NIXL_SIDE_CHANNEL_HOST"] != ""; has != (nodes > 1) {
							t.Errorf("the side channel's host is stated: %t", has)
						}
						said["tp"], _ = c.Flag("--tensor-parallel-size")
						said["role"], _ = c.Flag("--kv-transfer-config")
						want := map[string]string{"prefill": "kv_producer", "decode": "kv_consumer"}[role]
						if !strings.Contains(said["role"], `"kv_connector":"NixlConnector"`) || !strings.Contains(said["role"], want) {
							t.Errorf("%s: %s", role, said["role"])
						}
					} else {
						said["tp"], _ = c.Flag("--tp-size")
						if mode, _ := c.Flag("--disaggregation-mode"); mode != role {
							t.Errorf("mode %q of a %s server", mode, role)
						}
						at, has := c.Flag("--disaggregation-bootstrap-port")
						if has != (role == "prefill") {
							t.Errorf("%s: bootstrap port %q", role, at)
						} else if has {
							port(c.host, at)
							servers[len(servers)-1] += " " + at
						}
					}
					if want := strconv.Itoa(p.Phases[i].Stages[0].TP); said["tp"] != want {
						t.Errorf("%s: TP %s instead of %s", role, said["tp"], want)
					}
				}
				var want []string
				for _, s := range p.Phases[i].Stages {
					want = append(want, s.GPUs...)
				}
				slices.Sort(gpus)
				slices.Sort(want)
				if !slices.Equal(gpus, want) {
					t.Errorf("%s: GPUs %v instead of %v", role, gpus, want)
				}
			}
			slices.Sort(servers) // they start side by side
			if got := slices.Sorted(slices.Values(proxied(t, engine, files[2], nodes))); !slices.Equal(got, servers) {
				t.Errorf("%s: the proxy knows %q, servers are %q", engine, got, servers)
			}
		}
	}
}

// proxied are the servers that a proxy is told of: role, node, port and bootstrap port.
func proxied(t *testing.T, engine string, f File, nodes int) []string {
	t.Helper()
	r := launchtest.Run(t, f.Data, launchtest.Options{Stubs: []string{"python3"}, Env: []string{"PROXY=/a b.py", "HOSTS=" + strings.Join([]string{"0", "1"}[:nodes], " ")}})
	if r.Exit != 0 || len(r.Calls) != 1 {
		t.Fatalf("exit %d, %d calls\n%s", r.Exit, len(r.Calls), r.Stderr)
	}
	args := r.Calls[0].Args
	host := func(h string) string { return strings.Replace(h, "127.0.0.1", "0", 1) }
	var out []string
	if engine == "sglang" {
		for i, a := range args {
			if a != "--prefill" && a != "--decode" {
				continue
			}
			h, port, _ := strings.Cut(strings.TrimPrefix(args[i+1], "http://"), ":")
			line := strings.TrimPrefix(a, "--") + " " + host(h) + " " + port
			if a == "--prefill" {
				line += " " + args[i+2]
			}
			out = append(out, line)
		}
		return out
	}
	lists := map[string][]string{}
	at := ""
	for _, a := range args {
		if strings.HasPrefix(a, "--") {
			at = a
			continue
		}
		lists[at] = append(lists[at], a)
	}
	for _, role := range [][2]string{{"prefill", "--prefiller"}, {"decode", "--decoder"}} {
		for i, h := range lists[role[1]+"-hosts"] {
			out = append(out, role[0]+" "+host(h)+" "+lists[role[1]+"-ports"][i])
		}
	}
	return out
}

// TestApartRefused: pipelines are not handed on, and engines without files say so in a line.
func TestApartRefused(t *testing.T) {
	p := sharedHost(t)
	for _, target := range Targets() {
		why, err := Refused(target.Name, p)
		if err != nil || (len(why) == 0) != (target.apart != nil) {
			t.Errorf("%s: %q, %v", target.Name, why, err)
		}
	}
	s := &p.Phases[1].Stages[0]
	second := *s
	s.LastLayer, second.FirstLayer, second.Index = 39, 40, 1
	s.GPUs, second.GPUs, s.TP, second.TP, s.ETP, second.ETP = s.GPUs[:2], s.GPUs[2:], 2, 2, 2, 2
	p.Phases[1].Stages = append(p.Phases[1].Stages, second)
	for _, engine := range []string{"vllm", "sglang"} {
		if why, err := Refused(engine, p); err != nil || len(why) != 1 || !strings.Contains(why[0], "the decode side is a pipeline of 2 stages") {
			t.Errorf("%s: %q, %v", engine, why, err)
		}
	}
}
