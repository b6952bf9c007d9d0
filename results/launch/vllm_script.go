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
	v, err := s.onVLLM("vLLM", func(servers []vllmServer) []string {
		for i := range servers {
			if why := servers[i].oneLauncher(); why != "" {
				if len(s.rayLimits(servers)) == 0 {
					why += "; with Ray it runs (--to ray)"
				}
				return []string{why} // replicas are alike
			}
		}
		for i := range servers {
			if s.apart != nil && len(servers[i].processes) > 1 {
				return []string{fmt.Sprintf("replica %d of the %s side spans hosts: NixlConnector is documented for servers of one host", i, s.apart.role)}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	x := s.start(s.script("vllm"), "Starts one node's part of a plan on vLLM (vllm serve, version 0.12 or later), and stays until a server ends.", s.vllmChecks(v.servers)...)
	x.modelVariable(v.checkpoint)
	x.hostVariables(x.hosts)
	x.line("port=%s # of the first replica of a node", s.portWord(httpPort))
	locals, command := []string{"local gpus=$1", "shift"}, v.visible+"=$gpus vllm serve \"$MODEL\" \"${flags[@]}\" \"$@\""
	about := "serve GPUS FLAGS…: start a part of a replica on some GPUs of this node"
	if s.apart != nil {
		x.line("channel=%d # by which the first replica of a node is asked for its KV cache", s.port(nixlPort)-sideStep)
		about = "serve NUMBER GPUS FLAGS…: start a replica on some GPUs of this node; NUMBER counts its ports for the KV cache"
		locals = []string{"local number=$1 gpus=$2", "shift 2"}
		command = "VLLM_NIXL_SIDE_CHANNEL_PORT=$((channel + number)) " + command
		if s.apart.several {
			command = `VLLM_NIXL_SIDE_CHANNEL_HOST="${hosts[$node]}" ` + command
		}
	}
	x.line("")
	shared := v.servers[0]
	for _, e := range shared.env {
		x.line("export %s=%s", e[0], Word(e[1]))
	}
	x.words("flags", append(append(append(shared.degrees(), shared.flags...), s.kvTransfer()...), "--served-model-name="+s.Model.Name))
	x.line("")
	x.background()
	x.function(about, "serve", locals, command)
	s.vllmCalls(x, v.servers)
	return []File{x.end(s.script("vllm"), s.idle())}, nil
}

// vllmCalls are the processes of each host.
func (s *Serving) vllmCalls(x *starter, servers []vllmServer) {
	taken := make([]int, len(x.hosts)) // replicas that begin on a host
	for i := range servers {
		v := &servers[i]
		head := x.number[v.processes[0].host]
		slot := taken[head]
		taken[head]++
		address := fmt.Sprintf(`"${hosts[%d]}"`, head)
		for j, p := range v.processes {
			serve := "serve"
			if s.apart != nil {
				serve += " " + strconv.Itoa(slot*v.dp)
			}
			words := []string{serve, strings.Join(indexes(p.devices), ","), "--gpu-memory-utilization", p.utilization}
			words = append(words, v.network(strconv.Itoa(j), address, strconv.Itoa(s.port(masterPort)+slot), strconv.Itoa(s.port(rpcPort)+slot))...)
			about := part(v.replica, j, len(v.processes))
			if j == 0 {
				words = append(words, "--port", fmt.Sprintf("$((port + %d))", slot))
				about += fmt.Sprintf(": answers requests on port %d", s.port(httpPort)+slot)
			} else {
				words = append(words, "--headless")
			}
			x.call(p.host, about, strings.Join(words, " "))
		}
	}
}

// indexes are the numbers of devices on their host.
func indexes(devices []Device) []string {
	out := make([]string, len(devices))
	for i, d := range devices {
		out[i] = d.Index
	}
	return out
}

// vllmChecks are what to look at before and after the start.
func (s *Serving) vllmChecks(servers []vllmServer) []string {
	v := &servers[0]
	checks := []string{"nvidia-smi or rocm-smi counts the GPUs of a node as the plan does, and nothing else holds memory on them."}
	if len(s.Hosts()) > 1 {
		checks = append(checks, "The nodes have the same vLLM and the same weights under MODEL, and reach each other by the addresses below.")
	}
	if len(v.processes) > 1 {
		checks = append(checks, "A node of several network cards: set VLLM_HOST_IP to the address that the others reach it by.")
	}
	if n := s.Model.MaxContext; n > 0 && n < s.contextLength() {
		checks = append(checks, fmt.Sprintf("The workload holds %d tokens a sequence, the model is made for %d: vLLM refuses that unless VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.", s.contextLength(), n))
	}
	if s.Model.Weights.Bytes() < 1 || s.Model.Weights == "int8" {
		checks = append(checks, fmt.Sprintf("The checkpoint is quantised to %s; it says how, and vLLM follows it.", s.Model.Weights))
	}
	checks = append(checks, s.handoverChecks()...)
	if s.Phase.Phase != "mixed" && s.apart == nil {
		checks = append(checks, "Prefill and decode servers hand KV on by a --kv-transfer-config, which is yours to add.")
	}
	room := fmt.Sprintf("Once started, vLLM logs \"GPU KV cache size\": the plan needs %d tokens", divideUp(s.Phase.Strategy.SequencesPerReplica, v.dp)*s.contextLength())
	if v.dp > 1 {
		room += " of each data-parallel rank"
	}
	if kv := s.Phase.Metrics.KVTokens; kv != nil && !v.mixed() {
		room += fmt.Sprintf(" and counts on room for %d in a replica", *kv)
	}
	checks = append(checks, room+".")
	if g := s.Phase.Strategy.DecodeGroups; g > 1 {
		checks = append(checks, fmt.Sprintf("The plan lets %d groups of sequences take turns in the pipeline; vLLM forms its batches itself, up to one a stage.", g))
	}
	return checks
}
