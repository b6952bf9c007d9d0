package launch

import (
	"fmt"
	"strconv"
	"strings"
)

// Ports of the first replica of a host; the next replicas of the same host have the ports
// behind them.
const (
	httpPort   = 8000
	masterPort = 29501 // vLLM's own default (vllm/config/parallel.py, master_port)
	rpcPort    = 29650 // clear of 29550, which replicas with one host use
)

// writeVLLM writes vllm.sh: what each node of the plan runs.
func writeVLLM(s *Serving) ([]File, error) {
	checkpoint, err := s.checkpoint()
	if err != nil {
		return nil, err
	}
	servers, reasons, err := s.vllmServers(checkpoint)
	if err != nil {
		return nil, err
	}
	for i := range servers {
		if why := servers[i].oneLauncher(); why != "" {
			if len(s.rayLimits(servers)) == 0 {
				why += "; with Ray it runs (--to ray)"
			}
			reasons = append(reasons, why)
			break // replicas are alike
		}
	}
	vendors, err := s.vendors()
	if err != nil {
		return nil, err
	}
	if reasons = append(reasons, vllmVendor(vendors)...); len(reasons) > 0 {
		return nil, &Refusal{Title: "vLLM", Reasons: reasons}
	}

	hosts := s.Hosts()
	var b bash
	b.head(s, "Starts one node's part of a plan on vLLM (vllm serve, version 0.12 or later), and stays until a server ends.")
	b.line("#")
	if len(hosts) > 1 {
		b.comment("On every node, with its number: bash vllm.sh NODE")
	} else {
		b.comment("On the node: bash vllm.sh")
	}
	b.comment(s.vllmSpread(servers))
	b.line("#")
	s.vllmChecks(&b, servers, hosts)
	b.line("set -euo pipefail")
	b.line("")
	b.modelVariable(checkpoint)
	b.hostVariables(hosts)
	b.line("port=${PORT:-%d} # of the first replica of a node", httpPort)
	b.line("")
	shared := servers[0]
	for _, e := range shared.env {
		b.line("export %s=%s", e[0], Word(e[1]))
	}
	b.words("flags", append(append(shared.degrees(), shared.flags...), "--served-model-name="+s.Model.Name))
	b.line("")
	b.background()
	b.comment("serve GPUS FLAGS…: start a part of a replica on some GPUs of this node")
	b.line("serve() {")
	b.line("\tlocal gpus=$1")
	b.line("\tshift")
	b.line(`	%s=$gpus vllm serve "$MODEL" "${flags[@]}" "$@" &`, visible(vendors[0]))
	b.line("\tservers+=($!)")
	b.line("}")
	b.line("")
	b.line("case $node in")
	parts := s.vllmParts(servers, hosts)
	for _, h := range hosts {
		b.line("%d) # %s", h.Number, Comment(h.Name))
		for _, p := range parts[h.Number] {
			b.line("\t# %s", p.about)
			b.line("\tserve %s", p.words)
		}
		b.line("\t;;")
	}
	b.line("*)")
	b.line("\techo \"no node $node: the plan has the nodes 0 to %d\" >&2", len(hosts)-1)
	b.line("\texit 2")
	b.line("\t;;")
	b.line("esac")
	b.line("wait -n")
	return []File{{Name: "vllm.sh", Data: []byte(b.String()), Executable: true}}, nil
}

// vllmVendor says why vLLM's own commands do not run on a maker's devices.
func vllmVendor(vendors []string) []string {
	for _, v := range vendors {
		if v != "" && v != "NVIDIA" && v != "AMD" {
			return []string{fmt.Sprintf("vLLM runs on devices of %s through a plugin with limits of its own, which are not known here", quoted(v))}
		}
	}
	return nil
}

// vllmPart is one process of a node, as a call in the script.
type vllmPart struct{ words, about string }

// vllmParts are the processes of each host by its number.
func (s *Serving) vllmParts(servers []vllmServer, hosts []Host) [][]vllmPart {
	number := hostNumbers(hosts)
	parts := make([][]vllmPart, len(hosts))
	taken := make([]int, len(hosts)) // replicas that begin on a host
	for i := range servers {
		v := &servers[i]
		head := number[v.processes[0].host]
		slot := taken[head]
		taken[head]++
		address := fmt.Sprintf(`"${hosts[%d]}"`, head)
		for j, p := range v.processes {
			words := []string{strings.Join(indexes(p.devices), ","), "--gpu-memory-utilization", p.utilization}
			words = append(words, v.network(strconv.Itoa(j), address, strconv.Itoa(masterPort+slot), strconv.Itoa(rpcPort+slot))...)
			about := fmt.Sprintf("replica %d", v.replica)
			if len(v.processes) > 1 {
				about += fmt.Sprintf(", part %d of %d", j+1, len(v.processes))
			}
			if j == 0 {
				words = append(words, "--port", fmt.Sprintf("$((port + %d))", slot))
				about += fmt.Sprintf(": answers requests on port %d", httpPort+slot)
			} else {
				words = append(words, "--headless")
			}
			h := number[p.host]
			parts[h] = append(parts[h], vllmPart{words: strings.Join(words, " "), about: about})
		}
	}
	return parts
}

// indexes are the numbers of devices on their host.
func indexes(devices []Device) []string {
	out := make([]string, len(devices))
	for i, d := range devices {
		out[i] = d.Index
	}
	return out
}

// vllmSpread says in a comment how requests reach the replicas.
func (s *Serving) vllmSpread(servers []vllmServer) string {
	if len(servers) == 1 {
		return "The plan has one replica: its first node answers requests."
	}
	return fmt.Sprintf("The %d replicas are servers that know nothing of each other: spread requests evenly over them (an upstream of nginx with least_conn, HAProxy, or the router of vLLM's production stack). Each takes %d requests at once by the plan.",
		len(servers), s.Phase.Strategy.SequencesPerReplica)
}

// vllmChecks writes what to look at before and after the start.
func (s *Serving) vllmChecks(b *bash, servers []vllmServer, hosts []Host) {
	v := &servers[0]
	b.comment("Check first:")
	item := func(text string) { b.comment("- " + text) }
	item("nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and nothing else holds memory on them.")
	if len(hosts) > 1 {
		item("The nodes reach each other by the addresses below, and have the same vLLM and the same weights under MODEL.")
	}
	if len(v.processes) > 1 {
		item("A node of several network cards: set VLLM_HOST_IP to the address that the others reach it by.")
	}
	if n := s.Model.MaxContext; n > 0 && n < s.contextLength() {
		item(fmt.Sprintf("The workload holds %d tokens a sequence, the model is made for %d: vLLM refuses that unless VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.", s.contextLength(), n))
	}
	if s.Model.Weights.Bytes() < 1 || s.Model.Weights == "int8" {
		item(fmt.Sprintf("The checkpoint is quantised to %s; it says how, and vLLM follows it.", s.Model.Weights))
	}
	switch s.Phase.Phase {
	case "prefill":
		item("The plan serves prefill alone: give this server and its decode servers a --kv-transfer-config.")
	case "decode":
		item("The plan serves decode alone: the KV of prompts comes from prefill servers, by a --kv-transfer-config.")
	}
	if kv := s.Phase.Metrics.KVTokens; kv != nil {
		item(fmt.Sprintf("Once started, vLLM logs \"GPU KV cache size\": the plan needs %d tokens a data-parallel rank and counts on room for %d in a replica.", divideUp(s.Phase.Strategy.SequencesPerReplica, v.dp)*s.contextLength(), *kv))
	}
	if g := s.Phase.Strategy.DecodeGroups; g > 1 {
		item(fmt.Sprintf("The plan lets %d groups of sequences take turns in the pipeline; vLLM forms its batches itself, up to one a stage.", g))
	}
}
