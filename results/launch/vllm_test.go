package launch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/results"
	"partita/results/launch/launchtest"
)

// meant is what a plan means for vLLM, or what its commands say, one replica: the GPUs in
// the order of vLLM's ranks with their hosts.
type meant struct {
	TP, PP, DP int
	EP         bool
	Layers     string
	GPUs       []string // host, then number
}

// meantBy is what a plan means, read from its stages alone.
func meantBy(p *results.Plan) []meant {
	var out []meant
	hosts := map[string]string{}
	for _, pool := range p.Deployment.Cluster.Pools {
		for _, n := range pool.Nodes {
			for _, id := range n.GPUs {
				hosts[id] = n.Host
			}
		}
	}
	for _, st := range p.Phases[0].Stages {
		if st.Replica == len(out) {
			out = append(out, meant{TP: st.TP, DP: st.DPAttention, EP: st.EP > 1})
		}
		m := &out[st.Replica]
		m.PP++
		if m.Layers != "" {
			m.Layers += ","
		}
		m.Layers += strconv.Itoa(st.LastLayer - st.FirstLayer + 1)
	}
	for r := range out {
		m := &out[r]
		for d := range m.DP {
			for _, st := range p.Phases[0].Stages {
				if st.Replica != r {
					continue
				}
				for t := range m.TP {
					id := st.GPUs[d*m.TP+t]
					host, listed := hosts[id]
					if !listed {
						host = id[:strings.LastIndex(id, "/gpu-")]
					}
					m.GPUs = append(m.GPUs, fmt.Sprintf("%q %s", host, id[strings.LastIndex(id, "-")+1:]))
				}
			}
		}
	}
	return out
}

// hostCall is a call of vllm on a host.
type hostCall struct {
	launchtest.Call
	host string
}

// saidBy is what the commands of all hosts say: calls that share the address and port of a
// first process are one replica.
func saidBy(t testing.TB, calls []hostCall) []meant {
	t.Helper()
	groups := map[string][]hostCall{}
	var order []string
	for i, c := range calls {
		key := fmt.Sprint(i)
		if address, several := c.Flag("--master-addr"); several {
			port, _ := c.Flag("--master-port")
			key = address + "\x00" + port
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], c)
	}
	var out []meant
	for _, key := range order {
		group := groups[key]
		slices.SortStableFunc(group, func(a, b hostCall) int { return cmp.Compare(number(t, a, "--node-rank"), number(t, b, "--node-rank")) })
		m := meant{TP: number(t, group[0], "--tensor-parallel-size"), PP: number(t, group[0], "--pipeline-parallel-size"), DP: number(t, group[0], "--data-parallel-size"),
			EP: group[0].Has("--enable-expert-parallel"), Layers: group[0].Env["VLLM_PP_LAYER_PARTITION"]}
		if address, several := group[0].Flag("--master-addr"); several && (address != group[0].host || number(t, group[0], "--nnodes") != len(group)) {
			t.Errorf("the first of %d processes is on %q and reached at %q, of %d", len(group), group[0].host, address, number(t, group[0], "--nnodes"))
		}
		for i, c := range group {
			if c.Has("--headless") != (i > 0) {
				t.Errorf("process %d of a replica: %q", i, c.Args)
			}
			if i != number(t, c, "--node-rank") && len(group) > 1 {
				t.Errorf("process %d has the rank %d", i, number(t, c, "--node-rank"))
			}
			if got := (meant{TP: number(t, c, "--tensor-parallel-size"), PP: number(t, c, "--pipeline-parallel-size"), DP: number(t, c, "--data-parallel-size"),
				EP: c.Has("--enable-expert-parallel"), Layers: c.Env["VLLM_PP_LAYER_PARTITION"]}); !gocmp.Equal(got, meant{TP: m.TP, PP: m.PP, DP: m.DP, EP: m.EP, Layers: m.Layers}) {
				t.Errorf("processes of one replica differ: %+v, %+v", got, m)
			}
			for _, index := range strings.Split(c.Env["CUDA_VISIBLE_DEVICES"], ",") {
				m.GPUs = append(m.GPUs, fmt.Sprintf("%q %s", c.host, index))
			}
		}
		out = append(out, m)
	}
	return out
}

// number is the value of a flag: 1 where a degree is not given, 0 for a rank.
func number(t testing.TB, c hostCall, flag string) int {
	t.Helper()
	text, given := c.Flag(flag)
	if !given {
		if flag == "--node-rank" {
			return 0
		}
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s %q", flag, text)
	}
	return n
}

// runVLLM runs vllm.sh for some nodes of a plan, or for all.
func runVLLM(t testing.TB, p *results.Plan, script []byte, nodes ...int) []hostCall {
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
	var calls []hostCall
	for _, n := range nodes {
		_, block, _ := strings.Cut(string(script), fmt.Sprintf("\n%d) # ", n))
		block, _, _ = strings.Cut(block, "\n\t;;")
		parts := strings.Count(block, "\n\tserve ")
		r := launchtest.Run(t, script, launchtest.Options{Stubs: []string{"vllm"}, Args: []string{strconv.Itoa(n)}, Together: parts, Env: []string{"MODEL=/models/a b"}})
		if r.Exit != 0 || len(r.Calls) != parts {
			t.Fatalf("node %d: exit %d, %d calls instead of %d\n%s\n%s", n, r.Exit, len(r.Calls), parts, r.Stderr, script)
		}
		for _, c := range r.Calls {
			calls = append(calls, hostCall{Call: c, host: hosts[n].Name})
		}
	}
	return calls
}

// checkMeaning reads the plan back from the calls of all its nodes.
func checkMeaning(t testing.TB, p *results.Plan, calls []hostCall) {
	t.Helper()
	want := meantBy(p)
	for i := range want {
		if want[i].PP == 1 {
			want[i].Layers = "" // vLLM needs no partition
		}
	}
	byGPUs := func(a, b meant) int { return cmp.Compare(a.GPUs[0], b.GPUs[0]) }
	got := saidBy(t, calls)
	slices.SortFunc(got, byGPUs)
	slices.SortFunc(want, byGPUs)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the commands are not the plan:\n%s", diff)
	}
}

// checkCommands holds the flags of every call against the plan.
func checkCommands(t testing.TB, p *results.Plan, calls []hostCall) {
	t.Helper()
	st, d := p.Phases[0].Strategy, p.Deployment
	dp := p.Phases[0].Stages[0].DPAttention
	ports := map[string]bool{}
	for _, c := range calls {
		if len(c.Args) < 2 || c.Args[0] != "serve" || c.Args[1] != "/models/a b" {
			t.Fatalf("vllm is called with %q", c.Args)
		}
		if name, _ := c.Flag("--served-model-name"); name != d.Model.Name {
			t.Errorf("the model is served as %q, it is %q", name, d.Model.Name)
		}
		if n := number(t, c, "--max-num-seqs"); n*dp < st.SequencesPerReplica || (n-1)*dp >= st.SequencesPerReplica {
			t.Errorf("%d sequences on each of %d ranks for %d of a replica", n, dp, st.SequencesPerReplica)
		}
		if n := number(t, c, "--max-model-len"); n != d.Workload.Input.Max+max(1, d.Workload.Output.Max) {
			t.Errorf("sequences of %d tokens for %+v", n, d.Workload)
		}
		if number(t, c, "--max-num-batched-tokens") < number(t, c, "--max-num-seqs") {
			t.Errorf("vLLM refuses fewer tokens of a step than sequences: %q", c.Args)
		}
		share, err := strconv.ParseFloat(first(c.Flag("--gpu-memory-utilization")), 64)
		if err != nil || share <= 0 || share > 1 {
			t.Errorf("share of memory: %v, %v", share, err)
		}
		if port, listens := c.Flag("--port"); listens {
			if ports[c.host+port] {
				t.Errorf("two servers of %q listen on port %s", c.host, port)
			}
			ports[c.host+port] = true
		}
	}
	if len(ports) != st.Replicas {
		t.Errorf("%d servers answer requests for %d replicas", len(ports), st.Replicas)
	}
}

func first(v string, _ bool) string { return v }

// TestVLLMScriptIsThePlan runs the script of random plans on every node under stubs, and
// reads the plan back from what vllm was given.
func TestVLLMScriptIsThePlan(t *testing.T) {
	written, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		p := launchtest.Plan(rt, launchtest.Shape{Uniform: rapid.IntRange(0, 3).Draw(rt, "uniform") > 0})
		files, err := Files("vllm", p)
		var no *Refusal
		if errors.As(err, &no) {
			refused++
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		written++
		if len(files) != 1 || files[0].Name != "vllm.sh" || !files[0].Executable {
			rt.Fatalf("files %+v", files)
		}
		calls := runVLLM(t, p, files[0].Data)
		checkMeaning(t, p, calls)
		checkCommands(t, p, calls)
		if t.Failed() {
			rt.Fatalf("of\n%s", files[0].Data)
		}
	})
	if written < 20 || refused == 0 {
		t.Errorf("%d plans written, %d refused: the generator misses a side", written, refused)
	}
}

// TestVLLMScriptReads has shellcheck read scripts of random plans with hostile names.
func TestVLLMScriptReads(t *testing.T) {
	checked := 0
	for seed := range 40 {
		p := rapid.Custom(func(rt *rapid.T) *results.Plan { return launchtest.Plan(rt, launchtest.Shape{Uniform: true}) }).Example(seed)
		files, err := Files("vllm", p)
		var no *Refusal
		if errors.As(err, &no) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if checked++; checked <= 8 {
			launchtest.Lint(t, files[0].Data)
		}
	}
	if checked < 8 {
		t.Errorf("%d scripts", checked)
	}
}

// plain is a plan of one replica on two hosts of four GPUs, for tests to change.
func plain() *results.Plan {
	return rapid.Custom(func(rt *rapid.T) *results.Plan {
		return launchtest.Plan(rt, launchtest.Shape{Uniform: true, PlainNames: true})
	}).
		Filter(func(p *results.Plan) bool {
			st := p.Phases[0].Stages
			return len(st) == 2 && st[1].Replica == 0 && st[0].TP == 4 && st[0].DPAttention == 1 && len(p.Deployment.Cluster.Pools) == 1 &&
				p.Deployment.Cluster.Pools[0].GPUsPerNode == 4 && p.Deployment.Model.Weights == inputs.BF16 && p.Phases[0].Phase == inputs.Mixed
		}).Example(1)
}

// TestVLLMRefuses tells the reasons apart that the rule pack does not know.
func TestVLLMRefuses(t *testing.T) {
	for want, change := range map[string]func(p *results.Plan){
		"one --tensor-parallel-size": func(p *results.Plan) {
			st := &p.Phases[0].Stages[0]
			st.TP, st.ETP, st.GPUs = 2, 2, st.GPUs[:2]
		},
		"gives every host as many ranks": func(p *results.Plan) { // five and three, of groups of four
			pool := &p.Deployment.Cluster.Pools[0]
			a, b := &pool.Nodes[0], &pool.Nodes[1]
			a.GPUs, b.GPUs = append(slices.Clone(a.GPUs), b.GPUs[0]), b.GPUs[1:]
		},
		"come back to host": func(p *results.Plan) {
			for i := range p.Phases[0].Stages {
				st := &p.Phases[0].Stages[i]
				st.GPUs = slices.Clone(st.GPUs)
			}
			a, b := p.Phases[0].Stages[0].GPUs, p.Phases[0].Stages[1].GPUs
			a[2], a[3], b[0], b[1] = b[0], b[1], a[2], a[3]
		},
		"kv_precision = \"int8\"": func(p *results.Plan) { p.Deployment.Model.KV = inputs.INT8 },
		"replica 1 differs from replica 0": func(p *results.Plan) {
			for i, st := range p.Phases[0].Stages[:2] {
				st.Replica, st.FirstLayer, st.LastLayer = 1, 3*i, 3*i+2
				p.Phases[0].Stages = append(p.Phases[0].Stages, st)
			}
		},
		"not in fp32":         func(p *results.Plan) { p.Deployment.Model.KV = inputs.FP32 },
		"vendor = \"Huawei\"": func(p *results.Plan) { p.Deployment.Cluster.Pools[0].Accelerator.Vendor = "Huawei" },
	} {
		p := plain()
		change(p)
		_, err := Files("vllm", p)
		var no *Refusal
		if !errors.As(err, &no) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	p := plain()
	p.Phases[0].Stages[0].GPUs[0] = "node-0/gpu-x"
	if _, err := Files("vllm", p); err == nil || !strings.Contains(err.Error(), "does not end in its number") {
		t.Errorf("a GPU without a number: %v", err)
	}
}

// TestVLLMFlags holds single flags against what they are made from.
func TestVLLMFlags(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(p *results.Plan)
		want   []string // flag and value; a value "-": the flag is absent
	}{
		{"two nodes", func(*results.Plan) {}, []string{"--nnodes", "2", "--pipeline-parallel-size", "2", "--tensor-parallel-size", "4", "--distributed-executor-backend", "mp",
			"--dtype", "bfloat16", "--quantization", "-", "--kv-cache-dtype", "-", "--data-parallel-size", "-"}},
		{"FP8 that vLLM makes", func(p *results.Plan) { p.Deployment.Model.Weights = inputs.FP8 }, []string{"--quantization", "fp8", "--dtype", "bfloat16"}},
		{"FP8 KV", func(p *results.Plan) { p.Deployment.Model.KV = inputs.FP8 }, []string{"--kv-cache-dtype", "fp8"}},
		{"INT4 by the checkpoint", func(p *results.Plan) { p.Deployment.Model.Weights = inputs.INT4 }, []string{"--quantization", "-", "--dtype", "bfloat16"}},
		{"BF16 on a GPU without it", func(p *results.Plan) { p.Deployment.Cluster.Pools[0].Accelerator.Generation = "turing" }, []string{"--dtype", "float16"}},
		{"FP32 with a 16-bit cache", func(p *results.Plan) { p.Deployment.Model.Weights = inputs.FP32 }, []string{"--dtype", "float32", "--kv-cache-dtype", "bfloat16"}},
		{"free memory of 60 GiB of 80, 90 % of it", func(p *results.Plan) {
			pool := &p.Deployment.Cluster.Pools[0]
			pool.MemoryBytes, pool.Utilization = 60<<30, 0.9
		}, []string{"--gpu-memory-utilization", "0.675"}},
		{"long prompts in chunks", func(p *results.Plan) { p.Deployment.Workload.Input.Max = 32000 }, []string{"--max-num-batched-tokens", "8192"}},
		{"prefill of whole micro-batches", func(p *results.Plan) {
			p.Phases[0].Phase, p.Deployment.Workload.Input.Max, p.Phases[0].Strategy.MicroBatchSequences = inputs.Prefill, 5000, 3
		}, []string{"--max-num-batched-tokens", "15000"}},
	} {
		p := plain()
		row.change(p)
		files, err := Files("vllm", p)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		c := runVLLM(t, p, files[0].Data)[0]
		for i := 0; i < len(row.want); i += 2 {
			got, given := c.Flag(row.want[i])
			if want := row.want[i+1]; given == (want == "-") || given && got != want {
				t.Errorf("%s: %s %q (%v), want %s", row.name, row.want[i], got, given, want)
			}
		}
	}
}

// TestVLLMUnlikeGPUs: GPUs of one host that may be filled unlike far are one process where
// the least of their shares is enough for all, else a process each.
func TestVLLMUnlikeGPUs(t *testing.T) {
	for _, row := range []struct {
		needs  float64 // of the GPUs with more room
		shares []string
	}{{20, []string{"0.375"}}, {50, []string{"0.375", "0.75"}}, {79, nil}} {
		p := plain()
		d := p.Deployment
		more := d.Cluster.Pools[0]
		host := d.Cluster.Pools[0].Nodes[0].Host
		for k, pool := range []*inputs.Pool{&d.Cluster.Pools[0], &more} {
			st := &p.Phases[0].Stages[k]
			st.GPUs = nil
			for i := range 4 {
				st.GPUs = append(st.GPUs, fmt.Sprintf("%s/gpu-%d", host, 4*k+i))
			}
			pool.MemoryBytes, pool.Utilization, pool.Nodes = int64(30+30*k)<<30, 1, []inputs.Node{{Host: host, GPUs: st.GPUs}}
		}
		more.Name = "more"
		d.Cluster.Pools = append(d.Cluster.Pools, more)
		p.Phases[0].Stages[1].Pool, p.Phases[0].Stages[1].MemoryGiB = "more", row.needs
		files, err := Files("vllm", p)
		if err != nil {
			if row.shares != nil || !strings.Contains(err.Error(), "needs 79.0 GiB") {
				t.Errorf("%v GiB: %v", row.needs, err)
			}
			continue
		}
		r := launchtest.Run(t, files[0].Data, launchtest.Options{Stubs: []string{"vllm"}, Together: len(row.shares), Env: []string{"MODEL=m"}})
		var shares []string
		var calls []hostCall
		for _, c := range r.Calls {
			shares = append(shares, first(c.Flag("--gpu-memory-utilization")))
			calls = append(calls, hostCall{Call: c, host: host})
		}
		slices.Sort(shares)
		if !slices.Equal(shares, row.shares) {
			t.Errorf("%v GiB: shares %q, want %q", row.needs, shares, row.shares)
		}
		checkMeaning(t, p, calls)
	}
}

// TestVLLMScriptGuards: a wrong call starts nothing, and says what it wants.
func TestVLLMScriptGuards(t *testing.T) {
	p := plain()
	files, err := Files("vllm", p)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		want      string
		exit      int
		args, env []string
	}{
		{"set MODEL to a path or Hugging Face id", 1, []string{"0"}, nil},
		{"usage: bash", 2, nil, []string{"MODEL=m"}},
		{"no node 2", 2, []string{"2"}, []string{"MODEL=m"}},
		{"no node $(touch pwned)", 2, []string{"$(touch pwned)"}, []string{"MODEL=m"}},
		{"HOSTS has 1 addresses", 2, []string{"0"}, []string{"MODEL=m", "HOSTS=a"}},
	} {
		r := launchtest.Run(t, files[0].Data, launchtest.Options{Stubs: []string{"vllm"}, Args: row.args, Env: row.env})
		if r.Exit != row.exit || len(r.Calls) > 0 || !strings.Contains(r.Stderr, row.want) {
			t.Errorf("%q %q: exit %d, %d calls, %s", row.args, row.env, r.Exit, len(r.Calls), r.Stderr)
		}
	}
	r := launchtest.Run(t, files[0].Data, launchtest.Options{Stubs: []string{"vllm"}, Args: []string{"1"}, Env: []string{"MODEL=m", "HOSTS=10.0.0.1 10.0.0.2", "PORT=9000"}})
	if len(r.Calls) != 1 || first(r.Calls[0].Flag("--master-addr")) != "10.0.0.1" {
		t.Errorf("with addresses of its own: %q", r.Calls)
	}
}

// TestCheckpoint: what is loaded is published and of the plan's shape and format, or asked for.
func TestCheckpoint(t *testing.T) {
	known, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	llama, _ := known.Model("Llama-3.1-8B")
	deepseek, _ := known.Model("DeepSeek-V3")
	for _, row := range []struct {
		model  inputs.Model
		change func(m *inputs.Model)
		want   string
	}{
		{llama, func(*inputs.Model) {}, "meta-llama/Llama-3.1-8B"},
		{llama, func(m *inputs.Model) { m.Weights = inputs.FP8 }, "meta-llama/Llama-3.1-8B"},
		{llama, func(m *inputs.Model) { m.Weights = inputs.INT4 }, ""},
		{llama, func(m *inputs.Model) { m.Hidden = 4095 }, ""},
		{llama, func(m *inputs.Model) { m.FFNScale = 1.5 }, ""},
		{llama, func(m *inputs.Model) { m.Name = "my own" }, ""},
		{deepseek, func(*inputs.Model) {}, "deepseek-ai/DeepSeek-V3"},
		{deepseek, func(m *inputs.Model) { m.Weights = inputs.BF16 }, ""},
	} {
		m := row.model
		row.change(&m)
		s := Serving{Model: &m}
		c, err := s.checkpoint()
		if err != nil || c.Name != row.want || (c.Name == "") != (c.Missing != "") {
			t.Errorf("%s in %s: %+v, %v, want %q", m.Name, m.Weights, c, err, row.want)
		}
	}
}
