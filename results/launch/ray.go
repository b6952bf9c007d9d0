package launch

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

//go:embed ray_serve.py
var rayServe []byte

// rayReplica is one replica in ray_replicas.json.
type rayReplica struct {
	Name string `json:"name"`
	// Bundles are the resources of each rank, in the order of vLLM's ranks.
	Bundles []map[string]int  `json:"bundles"`
	Flags   []string          `json:"flags"`
	Env     map[string]string `json:"env"`
}

// writeRay writes what starts a plan with vLLM on Ray. vLLM's own placement group is packed
// as Ray likes, so that unlike nodes may get each other's stages; ours names the node of
// every rank (vllm/v1/executor/ray_utils.py, initialize_ray_cluster: "Using the existing
// placement group"; ray_executor_v2.py, VLLM_RAY_BUNDLE_INDICES).
func writeRay(s *Serving) ([]File, error) {
	v, err := s.onVLLM("vLLM on Ray", s.rayLimits)
	if err != nil {
		return nil, err
	}
	k := cluster{s: s}
	script := s.rayScript(v, &k)
	replicas, err := json.MarshalIndent(struct {
		Replicas []rayReplica `json:"replicas"`
	}{s.rayReplicas(v.servers, &k)}, "", " ")
	if err != nil {
		return nil, err
	}
	return []File{
		script,
		{Name: "ray_serve.py", Data: rayServe},
		{Name: "ray_replicas.json", Data: append(replicas, '\n')},
	}, nil
}

// rayLimits are the reasons for which Ray cannot be held to a plan.
func (s *Serving) rayLimits(servers []vllmServer) []string {
	pools := map[string]string{}
	for i := range servers {
		v := &servers[i]
		if v.dp > 1 {
			return []string{"vLLM makes placement groups of its own for attention data parallelism on Ray, which cannot be held to the plan's nodes: --to vllm starts it without Ray"}
		}
		for _, p := range v.processes {
			for _, d := range p.devices {
				if other, seen := pools[d.Host]; seen && other != d.Pool.Name {
					return []string{fmt.Sprintf("host %s has GPUs of the pools %s and %s: Ray counts the GPUs of a node and does not tell them apart", quoted(d.Host), quoted(other), quoted(d.Pool.Name))}
				}
				pools[d.Host] = d.Pool.Name
			}
		}
		share, err := strconv.ParseFloat(v.rayUtilization(), 64)
		if err != nil {
			return []string{err.Error()}
		}
		for _, p := range v.processes {
			if why := p.short(share); why != "" {
				return []string{fmt.Sprintf("replica %d, whose workers share their flags: %s", v.replica, why)}
			}
		}
	}
	return nil
}

// rayUtilization is the share of memory that all GPUs of a replica may fill: one flag holds
// for all of its workers on Ray.
func (v *vllmServer) rayUtilization() string {
	least, word := math.Inf(1), ""
	for _, p := range v.processes {
		if u, err := strconv.ParseFloat(p.utilization, 64); err == nil && u < least {
			least, word = u, p.utilization
		}
	}
	return word
}

// rayNode is the resource that a node of the plan has as many of as GPUs.
func rayNode(number int) string { return "partita-node-" + strconv.Itoa(number) }

// rayPool is the resource of the nodes of a pool.
func (k *cluster) rayPool(pool string) string { return "partita-pool-" + k.poolLabel(pool) }

// rayReplicas are the replicas as ray_serve.py starts them.
func (s *Serving) rayReplicas(servers []vllmServer, k *cluster) []rayReplica {
	hosts := s.Hosts()
	number := make(map[string]int, len(hosts))
	for _, h := range hosts {
		number[h.Name] = h.Number
	}
	taken := make([]int, len(hosts))
	out := make([]rayReplica, 0, len(servers))
	for i := range servers {
		v := &servers[i]
		r := rayReplica{Name: fmt.Sprintf("replica %d", v.replica), Env: map[string]string{}}
		for _, p := range v.processes {
			for _, d := range p.devices {
				r.Bundles = append(r.Bundles, map[string]int{"GPU": 1, rayNode(number[d.Host]): 1, k.rayPool(d.Pool.Name): 1})
			}
		}
		for _, e := range v.env {
			r.Env[e[0]] = e[1]
		}
		head := number[v.processes[0].host]
		r.Flags = append(append(v.degrees(), v.flags...), "--gpu-memory-utilization", v.rayUtilization(), "--served-model-name="+s.Model.Name,
			"--distributed-executor-backend", "ray", "--port", strconv.Itoa(httpPort+taken[head]))
		taken[head]++
		out = append(out, r)
	}
	return out
}

// rayGPUs are the GPUs that a plan uses on each host, by its number, with their pools.
func rayGPUs(servers []vllmServer, hosts []Host, number map[string]int) [][]Device {
	out := make([][]Device, len(hosts))
	for i := range servers {
		for _, p := range servers[i].processes {
			out[number[p.host]] = append(out[number[p.host]], p.devices...)
		}
	}
	return out
}

// rayScript is ray.sh.
func (s *Serving) rayScript(v *vllmPlan, k *cluster) File {
	x := s.start("ray.sh", "Starts a plan with vLLM on a Ray cluster of its nodes: node 0, the head, first; when all have joined, on node 0: bash ray.sh serve. To end: ray stop on every node.",
		append(s.vllmChecks(v.servers),
			"Ray and a vLLM with vllm/v1/executor/ray_executor_v2.py are installed, in the same versions on all nodes. ray_serve.py and ray_replicas.json lie beside this script.",
			"Ray chooses which of a node's GPUs a rank gets, among those of the plan; they are of one pool, and so alike.")...)
	x.modelVariable(v.checkpoint)
	x.line("export MODEL")
	x.line(`if [ "${1:-}" = serve ]; then`)
	x.line(`	case ${BASH_SOURCE[0]} in */*) here=${BASH_SOURCE[0]%%/*} ;; *) here=. ;; esac`)
	x.line(`	exec python3 "$here/ray_serve.py" "$here/ray_replicas.json"`)
	x.line("fi")
	x.hostVariables(x.hosts)
	x.line("port=${PORT:-6379} # of the head")
	x.line("")
	x.comment("join GPUS COUNT RESOURCES: start Ray on this node with some of its GPUs")
	x.line("join() {")
	x.line("\tlocal role=(--address \"${hosts[0]}:$port\")")
	x.line("\tif [ \"$node\" = 0 ]; then role=(--head --port \"$port\"); fi")
	x.line(`	%s=$1 ray start "${role[@]}" --num-gpus "$2" --resources "$3"`, v.visible)
	x.line("}")
	x.line("")
	parts := s.stagesByHost()
	for i, devices := range rayGPUs(v.servers, x.hosts, x.number) {
		host, resources := x.hosts[i].Name, map[string]int{rayNode(i): len(devices)}
		for _, d := range devices {
			resources[k.rayPool(d.Pool.Name)]++
		}
		x.call(host, "pool "+quoted(devices[0].Pool.Name)+": "+strings.Join(parts[host], ", "),
			fmt.Sprintf("join %s %d %s", strings.Join(indexes(devices), ","), len(devices), Word(jsonText(resources))))
	}
	x.cases("")
	return x.file("ray.sh")
}

// stagesByHost names the parts of a plan on each host.
func (s *Serving) stagesByHost() map[string][]string {
	out := map[string][]string{}
	for r, stages := range s.Replicas {
		for _, stage := range stages {
			name := fmt.Sprintf("stage %d of replica %d", stage.Index, r)
			for _, id := range stage.GPUs {
				if host := s.hostOf(id); !slices.Contains(out[host], name) {
					out[host] = append(out[host], name)
				}
			}
		}
	}
	return out
}

// jsonText is a value as JSON, its keys sorted.
func jsonText(v map[string]int) string {
	text, _ := json.Marshal(v) // a map of numbers has always a text
	return string(text)
}
