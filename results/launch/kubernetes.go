package launch

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The images have vLLM of a release with everything that is used here.
const (
	imageNVIDIA = "vllm/vllm-openai:v0.28.0"
	imageAMD    = "vllm/vllm-openai-rocm:v0.28.0"
)

// Labels of the objects of one plan.
const (
	labelName = "app.kubernetes.io/name"     // of the plan
	labelBy   = "app.kubernetes.io/instance" // of one object among those of the plan
	labelRole = "partita/role"               // "serves" of pods that answer requests
	labelPool = "partita/pool"               // of nodes: the pool of the plan that they are of
)

// writeKubernetes writes kubernetes.yaml: replicas on one node are pods of a Deployment; a
// replica over several nodes is a group of a LeaderWorkerSet, or one StatefulSet a node where
// its later nodes are of unlike pools, which a LeaderWorkerSet has one template for.
func writeKubernetes(s *Serving) ([]File, error) {
	v, err := s.onVLLM("vLLM on Kubernetes", func(servers []vllmServer) []string {
		for i := range servers {
			for _, why := range []string{servers[i].oneLauncher(), servers[i].onePool()} {
				if why != "" {
					return []string{why} // replicas are alike
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	k := cluster{s: s, checkpoint: v.checkpoint, name: objectName(s.Plan.Condition)}
	var objects []kubeObject
	groups := groupServers(v.servers)
	for i, g := range groups {
		name := k.name
		if len(groups) > 1 {
			name += "-" + strconv.Itoa(i)
		}
		objects = append(objects, k.objects(name, g)...)
	}
	objects = append([]kubeObject{k.service()}, objects...)

	var out bytes.Buffer
	k.header(&out, groups)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for _, o := range objects {
		if err := encoder.Encode(o); err != nil {
			return nil, fmt.Errorf("kubernetes.yaml: %w", err)
		}
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return []File{{Name: "kubernetes.yaml", Data: out.Bytes()}}, nil
}

// onePool says why a replica's processes are no pods: GPUs of two pools on one host, which
// pods cannot ask for apart.
func (v *vllmServer) onePool() string {
	pools := map[string]string{}
	for _, p := range v.processes {
		for _, d := range p.devices {
			if other, seen := pools[d.Host]; seen && other != d.Pool.Name {
				return fmt.Sprintf("host %s has GPUs of the pools %s and %s: a pod asks for GPUs of a node, whichever they are", quoted(d.Host), quoted(other), quoted(d.Pool.Name))
			}
			pools[d.Host] = d.Pool.Name
		}
	}
	return ""
}

// groupServers puts replicas together whose pods are alike: as many GPUs of the same pools.
func groupServers(servers []vllmServer) [][]vllmServer {
	var out [][]vllmServer
	index := map[string]int{}
	for _, v := range servers {
		var key strings.Builder
		for _, p := range v.processes {
			fmt.Fprintf(&key, "%q %d;", p.devices[0].Pool.Name, len(p.devices))
		}
		i, seen := index[key.String()]
		if !seen {
			i = len(out)
			index[key.String()] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], v)
	}
	return out
}

// cluster is what all objects of a plan share.
type cluster struct {
	s          *Serving
	checkpoint Checkpoint
	name       string
}

// objects are what runs one group of alike replicas.
func (k *cluster) objects(name string, group []vllmServer) []kubeObject {
	v := &group[0]
	if len(v.processes) == 1 {
		labels := k.labels(name, true)
		return []kubeObject{{APIVersion: "apps/v1", Kind: "Deployment", Metadata: k.meta(name), Spec: kubeDeployment{
			Replicas: len(group), Selector: kubeSelector{MatchLabels: labels},
			Strategy: &kubeStrategy{Type: "Recreate"}, // a new pod beside the old one would wait for its GPUs
			Template: k.pod(v, 0, labels, "0", ""),
		}}}
	}
	const leader = "$(LWS_LEADER_ADDRESS)"
	alike := true
	for _, p := range v.processes[2:] {
		alike = alike && p.devices[0].Pool == v.processes[1].devices[0].Pool
	}
	if alike {
		return []kubeObject{{APIVersion: "leaderworkerset.x-k8s.io/v1", Kind: "LeaderWorkerSet", Metadata: k.meta(name), Spec: kubeLeaderWorkerSet{
			Replicas: len(group), LeaderWorkerTemplate: kubeLeaderTemplate{
				Size: len(v.processes), RestartPolicy: "RecreateGroupOnPodRestart",
				LeaderTemplate: k.pod(v, 0, k.labels(name, true), "$(LWS_WORKER_INDEX)", leader),
				WorkerTemplate: k.pod(v, 1, k.labels(name, false), "$(LWS_WORKER_INDEX)", leader),
			}}}}
	}
	peers := name + "-peers"
	out := []kubeObject{{APIVersion: "v1", Kind: "Service", Metadata: k.meta(peers), Spec: kubeService{
		ClusterIP: "None", PublishNotReadyAddresses: true, Selector: map[string]string{labelBy: name},
		Ports: []kubeServicePort{{Name: "master", Port: masterPort}},
	}}}
	for i := range group {
		first := fmt.Sprintf("%s-%d-0", name, i)
		for j := range group[i].processes {
			own := fmt.Sprintf("%s-%d-%d", name, i, j)
			labels := k.labels(name, j == 0)
			labels["partita/part"] = fmt.Sprintf("%d-%d", i, j)
			out = append(out, kubeObject{APIVersion: "apps/v1", Kind: "StatefulSet", Metadata: k.meta(own), Spec: kubeStatefulSet{
				Replicas: 1, ServiceName: peers, PodManagementPolicy: "Parallel", Selector: kubeSelector{MatchLabels: labels},
				Template: k.pod(&group[i], j, labels, strconv.Itoa(j), first+"-0."+peers),
			}})
		}
	}
	return out
}

// service is where requests go in: to all replicas that are ready, evenly.
func (k *cluster) service() kubeObject {
	return kubeObject{APIVersion: "v1", Kind: "Service", Metadata: k.meta(k.name), Spec: kubeService{
		Selector: map[string]string{labelName: k.name, labelRole: "serves"},
		Ports:    []kubeServicePort{{Name: "http", Port: httpPort, TargetPort: "http"}},
	}}
}

func (k *cluster) meta(name string) kubeMeta {
	return kubeMeta{Name: name, Labels: map[string]string{labelName: k.name},
		Annotations: map[string]string{"partita/plan": Comment(k.s.strategy()), "partita/condition": k.s.Plan.Condition}}
}

func (k *cluster) labels(instance string, serves bool) map[string]string {
	out := map[string]string{labelName: k.name, labelBy: instance}
	if serves {
		out[labelRole] = "serves"
	}
	return out
}

// pod is the template of process i of a replica. Rank and leader are words that Kubernetes
// puts the pod's own values in.
func (k *cluster) pod(v *vllmServer, i int, labels map[string]string, rank, leader string) kubePodTemplate {
	p := v.processes[i]
	resource, image := "nvidia.com/gpu", imageNVIDIA
	if p.devices[0].Pool.Accelerator.Vendor == "AMD" {
		resource, image = "amd.com/gpu", imageAMD
	}
	args := []string{"serve", "$(MODEL)"}
	literal := append(v.degrees(), v.flags...)
	literal = append(literal, "--gpu-memory-utilization", p.utilization, "--served-model-name="+k.s.Model.Name)
	for _, a := range literal {
		args = append(args, strings.ReplaceAll(a, "$", "$$")) // $(X) would be a variable's value
	}
	args = append(args, v.network(rank, leader, strconv.Itoa(masterPort), strconv.Itoa(rpcPort))...)

	c := kubeContainer{
		Name: "vllm", Image: image, Command: []string{"vllm"},
		Env:          []kubeEnv{k.model(), {Name: "HF_TOKEN", ValueFrom: &kubeEnvFrom{SecretKeyRef: &kubeKey{Name: "hf-token", Key: "token", Optional: true}}}},
		Resources:    kubeResources{Limits: map[string]string{resource: strconv.Itoa(len(p.devices))}},
		VolumeMounts: []kubeVolumeMount{{Name: "shm", MountPath: "/dev/shm"}},
	}
	if len(v.processes) > 1 {
		c.Env = append(c.Env, kubeEnv{Name: "VLLM_HOST_IP", ValueFrom: &kubeEnvFrom{FieldRef: &kubeField{FieldPath: "status.podIP"}}})
	}
	for _, e := range v.env {
		c.Env = append(c.Env, kubeEnv{Name: e[0], Value: e[1]})
	}
	if i == 0 {
		args = append(args, "--port", strconv.Itoa(httpPort))
		c.Ports = []kubePort{{Name: "http", ContainerPort: httpPort}}
		health := kubeHTTPGet{Path: "/health", Port: "http"}
		// Loading the weights may take an hour; a server that is up answers at once.
		c.StartupProbe = &kubeProbe{HTTPGet: health, PeriodSeconds: 10, FailureThreshold: 360}
		c.ReadinessProbe = &kubeProbe{HTTPGet: health, PeriodSeconds: 10}
	} else {
		args = append(args, "--headless")
	}
	c.Args = args
	return kubePodTemplate{Metadata: kubeMeta{Labels: labels}, Spec: kubePod{
		NodeSelector: k.selector(p.devices[0].Pool.Name),
		Tolerations:  []kubeToleration{{Key: resource, Operator: "Exists", Effect: "NoSchedule"}},
		Containers:   []kubeContainer{c},
		Volumes:      []kubeVolume{{Name: "shm", EmptyDir: kubeEmptyDir{Medium: "Memory", SizeLimit: "16Gi"}}},
	}}
}

// model is the variable MODEL of a container: the published checkpoint, else the key of a
// ConfigMap that has to be there.
func (k *cluster) model() kubeEnv {
	if k.checkpoint.Name != "" {
		return kubeEnv{Name: "MODEL", Value: k.checkpoint.Name}
	}
	return kubeEnv{Name: "MODEL", ValueFrom: &kubeEnvFrom{ConfigMapKeyRef: &kubeKey{Name: k.name + "-model", Key: "MODEL"}}}
}

// selector is the label of the nodes of a pool: what the vendor's discovery sets, where that
// is known and no other pool has it; else a label of ours.
func (k *cluster) selector(pool string) map[string]string {
	var own string
	same := 0
	for i := range k.s.Cluster.Pools {
		p := &k.s.Cluster.Pools[i]
		if p.Name == pool {
			own = p.Accelerator.Name
		}
	}
	for i := range k.s.Cluster.Pools {
		if k.s.Cluster.Pools[i].Accelerator.Name == own {
			same++
		}
	}
	if p, known := products()[own]; known && same == 1 {
		return map[string]string{p.label: p.value}
	}
	return map[string]string{labelPool: k.poolLabel(pool)}
}

// poolLabel is the name of a pool as a label value, unlike that of every other pool.
func (k *cluster) poolLabel(pool string) string {
	for i := range k.s.Cluster.Pools {
		if k.s.Cluster.Pools[i].Name == pool && len(k.s.Cluster.Pools) > 1 {
			return objectName(pool) + "-" + strconv.Itoa(i)
		}
	}
	return objectName(pool)
}

// header says what to do with the file.
func (k *cluster) header(out *bytes.Buffer, groups [][]vllmServer) {
	var b bash // its comments are those of YAML too
	b.comment("Starts a plan on Kubernetes with vLLM: kubectl apply -f kubernetes.yaml")
	b.comment("Written from the plan of " + quoted(k.s.Plan.Condition) + ": " + k.s.strategy() + ".")
	if o := k.s.Plan.Outcome; o != nil && !o.Feasible {
		b.comment("The plan misses a requirement of its condition: it is the closest one there is.")
	}
	b.line("#")
	b.comment("Check first:")
	several := slices.ContainsFunc(groups, func(g []vllmServer) bool { return len(g[0].processes) > 1 })
	if several {
		b.comment("- LeaderWorkerSet is installed, 0.6 or later (lws.sigs.k8s.io), which tells each pod its leader and its number.")
	}
	b.comment("- The device plugin of the GPUs is installed. It chooses the GPUs of a pod: the plan's pools and numbers of GPUs are kept, its ids are not.")
	var pools []string
	for _, g := range groups {
		for _, p := range g[0].processes {
			if name := p.devices[0].Pool.Name; !slices.Contains(pools, name) {
				pools = append(pools, name)
			}
		}
	}
	for _, name := range pools {
		selector := k.selector(name)
		for label, value := range selector { // one
			text := fmt.Sprintf("- Nodes of the pool %s have the label %s=%s", quoted(name), label, value)
			if label == labelPool {
				text += ", which you set: kubectl label node NODE " + label + "=" + value
			} else {
				text += ", which its discovery sets; shared or partitioned GPUs have another."
			}
			b.comment(text)
		}
	}
	if k.checkpoint.Name == "" {
		b.comment("- The model is none whose published weights are known here: kubectl create configmap " + k.name + "-model --from-literal=MODEL=…, with " + k.checkpoint.Missing + ".")
	} else {
		b.comment("- A gated model needs a token: kubectl create secret generic hf-token --from-literal=token=…")
	}
	b.comment("- Requests go to the service " + k.name + ", which spreads them over the replicas that are ready.")
	for _, c := range k.s.countsOn() {
		b.comment("- " + c)
	}
	out.WriteString(b.String())
}

// objectName is a text as a name of an object and a value of a label: a DNS label (RFC
// 1123) that begins with a letter, short enough for what Kubernetes adds to it.
func objectName(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	name := b.String()
	if name == "" || name[0] < 'a' {
		name = "plan-" + name
	}
	return strings.Trim(name[:min(len(name), 40)], "-")
}
