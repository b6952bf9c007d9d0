package launch

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	yamlv3 "go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"
	lwsv1 "sigs.k8s.io/lws/api/leaderworkerset/v1"
	"sigs.k8s.io/yaml"

	"partita/inputs"
	"partita/results"
	"partita/results/launch/launchtest"
)

// kubePods are the pods that a manifest asks for, as the controllers make them: with the
// pod's own values in the place of variables.
type kubePods struct {
	calls []hostCall
	pools []string // of each call: the node selector
	gpus  []int
}

// decode reads every document of a manifest with the published types, and nothing that they
// do not know, and names the pods. Service selectors must find pods.
func decode(t testing.TB, data []byte, schema *jsonschema.Schema) kubePods {
	t.Helper()
	var pods kubePods
	var services []corev1.Service
	labelled := map[string][]map[string]string{}
	reader := yamlv3.NewDecoder(strings.NewReader(string(data)))
	names := map[string]bool{}
	for {
		var plain map[string]any
		if err := reader.Decode(&plain); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		text, err := yamlv3.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		kind, _ := plain["kind"].(string)
		strict := func(into any) {
			if err := yaml.UnmarshalStrict(text, into); err != nil {
				t.Fatalf("%s: %v\n%s", kind, err, data)
			}
		}
		var meta metav1.ObjectMeta
		var templates []corev1.PodTemplateSpec
		switch kind {
		case "Service":
			var o corev1.Service
			strict(&o)
			meta, services = o.ObjectMeta, append(services, o)
		case "Deployment":
			var o appsv1.Deployment
			strict(&o)
			meta, templates = o.ObjectMeta, []corev1.PodTemplateSpec{o.Spec.Template}
			selects(t, o.Spec.Selector, o.Spec.Template.Labels)
			for i := range int(*o.Spec.Replicas) {
				pods.add(t, &o.Spec.Template, fmt.Sprintf("%s/%d", o.Name, i), nil)
			}
		case "StatefulSet":
			var o appsv1.StatefulSet
			strict(&o)
			meta, templates = o.ObjectMeta, []corev1.PodTemplateSpec{o.Spec.Template}
			selects(t, o.Spec.Selector, o.Spec.Template.Labels)
			pods.add(t, &o.Spec.Template, o.Name+"-0."+o.Spec.ServiceName, nil)
		case "LeaderWorkerSet":
			if err := schema.Validate(jsonOf(t, text)); err != nil {
				t.Fatalf("against the schema of LeaderWorkerSet: %v\n%s", err, data)
			}
			var o lwsv1.LeaderWorkerSet
			strict(&o)
			meta = o.ObjectMeta
			w := &o.Spec.LeaderWorkerTemplate
			templates = []corev1.PodTemplateSpec{*w.LeaderTemplate, w.WorkerTemplate}
			for i := range int(*o.Spec.Replicas) {
				leader := fmt.Sprintf("%s-%d.%s", o.Name, i, o.Name)
				for j := range int(*w.Size) {
					template, host := &w.WorkerTemplate, fmt.Sprintf("%s-%d-%d", o.Name, i, j)
					if j == 0 {
						template, host = w.LeaderTemplate, leader
					}
					pods.add(t, template, host, map[string]string{lwsv1.LwsLeaderAddress: leader, lwsv1.LwsWorkerIndex: fmt.Sprint(j), lwsv1.LwsGroupSize: fmt.Sprint(*w.Size)})
				}
			}
		default:
			t.Fatalf("an object of kind %q", kind)
		}
		if names[kind+meta.Name] {
			t.Errorf("two objects %s %s", kind, meta.Name)
		}
		names[kind+meta.Name] = true
		if bad := validation.IsDNS1035Label(meta.Name); len(bad) > 0 || len(meta.Name) > 58 {
			t.Errorf("%s %q: %v", kind, meta.Name, bad)
		}
		checkLabels(t, meta.Labels)
		for key := range meta.Annotations {
			if bad := validation.IsQualifiedName(key); len(bad) > 0 {
				t.Errorf("annotation %q: %v", key, bad)
			}
		}
		for _, p := range templates {
			checkLabels(t, p.Labels)
			checkLabels(t, p.Spec.NodeSelector)
			labelled[kind] = append(labelled[kind], p.Labels)
		}
	}
	for _, s := range services {
		found := false
		for _, list := range labelled {
			for _, l := range list {
				found = found || within(s.Spec.Selector, l)
			}
		}
		if !found {
			t.Errorf("the service %s selects no pod: %v", s.Name, s.Spec.Selector)
		}
	}
	return pods
}

func jsonOf(t testing.TB, text []byte) any {
	t.Helper()
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func within(part, whole map[string]string) bool {
	for k, v := range part {
		if whole[k] != v {
			return false
		}
	}
	return true
}

func selects(t testing.TB, selector *metav1.LabelSelector, labels map[string]string) {
	t.Helper()
	if selector == nil || !within(selector.MatchLabels, labels) {
		t.Errorf("the selector %v does not find its own pods %v", selector, labels)
	}
}

func checkLabels(t testing.TB, labels map[string]string) {
	t.Helper()
	for k, v := range labels {
		if bad := append(validation.IsQualifiedName(k), validation.IsValidLabelValue(v)...); len(bad) > 0 {
			t.Errorf("label %q=%q: %v", k, v, bad)
		}
	}
}

// variable is a reference that Kubernetes replaces in arguments; "$$" stands for "$".
var variable = regexp.MustCompile(`\$\$|\$\([A-Za-z_][A-Za-z0-9_]*\)`)

// add makes one pod of a template.
func (p *kubePods) add(t testing.TB, template *corev1.PodTemplateSpec, host string, injected map[string]string) {
	t.Helper()
	if len(template.Spec.Containers) != 1 {
		t.Fatalf("%d containers", len(template.Spec.Containers))
	}
	c := &template.Spec.Containers[0]
	env := map[string]string{}
	for k, v := range injected {
		env[k] = v
	}
	for _, e := range c.Env {
		if e.Name == "MODEL" { // whichever it is: the tests' model
			e.Value = "/models/a b"
		}
		env[e.Name] = e.Value
	}
	call := launchtest.Call{Program: strings.Join(c.Command, " "), Env: env}
	for _, a := range c.Args {
		call.Args = append(call.Args, variable.ReplaceAllStringFunc(a, func(ref string) string {
			if ref == "$$" {
				return "$"
			}
			v, known := env[ref[2:len(ref)-1]]
			if !known {
				t.Errorf("the argument %q has no value", a)
			}
			return v
		}))
	}
	if call.Program != "vllm" {
		t.Errorf("the container runs %q", call.Program)
	}
	gpus := 0
	for name, q := range c.Resources.Limits {
		if name != "nvidia.com/gpu" {
			t.Errorf("the pod asks for %s", name)
		}
		gpus = int(q.Value())
	}
	if answers := c.ReadinessProbe != nil && len(c.Ports) == 1; answers == call.Has("--headless") {
		t.Errorf("a pod that is probed: %v, headless: %v", answers, !answers)
	}
	var pool string
	for k, v := range template.Spec.NodeSelector {
		pool = k + "=" + v
	}
	p.calls = append(p.calls, hostCall{Call: call, host: host})
	p.pools, p.gpus = append(p.pools, pool), append(p.gpus, gpus)
}

// leaderWorkerSetSchema is the published schema of LeaderWorkerSet, from the module of its
// types.
func leaderWorkerSetSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/lws").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema any `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yamlv3.Unmarshal(data, &crd); err != nil || len(crd.Spec.Versions) != 1 || crd.Spec.Versions[0].Name != "v1" {
		t.Fatalf("the schema has changed its form: %v, %d versions", err, len(crd.Spec.Versions))
	}
	text, err := yamlv3.Marshal(crd.Spec.Versions[0].Schema.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("leaderworkerset.json", jsonOf(t, text)); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("leaderworkerset.json")
}

// TestKubernetesIsThePlan reads manifests of random plans with the published types and
// schema, lets them become pods, and reads the plan back from what vllm is given there.
func TestKubernetesIsThePlan(t *testing.T) {
	schema := leaderWorkerSetSchema(t)
	kinds := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		p := launchtest.Plan(rt, launchtest.Shape{Uniform: rapid.IntRange(0, 3).Draw(rt, "uniform") > 0})
		files, err := Files("k8s", p)
		var no *Refusal
		if errors.As(err, &no) {
			kinds["refused"]++
			if _, err := Files("vllm", p); err == nil {
				rt.Fatalf("vLLM runs it, Kubernetes does not: %v", no)
			}
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		for _, k := range []string{"Deployment", "LeaderWorkerSet", "StatefulSet"} {
			if strings.Contains(string(files[0].Data), "\nkind: "+k+"\n") {
				kinds[k]++
			}
		}
		pods := decode(t, files[0].Data, schema)
		checkCommands(t, p, pods.calls)
		// The GPUs of a pod have no ids: a rank is its pool.
		s, err := Of(p)
		if err != nil {
			rt.Fatal(err)
		}
		k := cluster{s: s}
		var want, got []string
		for r, m := range meantBy(p) {
			if m.PP == 1 {
				m.Layers = ""
			}
			var ranks []string
			for i := range m.GPUs {
				for label, value := range k.selector(s.Replicas[r][(i/m.TP)%m.PP].Pool) {
					ranks = append(ranks, label+"="+value)
				}
			}
			want = append(want, fmt.Sprintf("%d %d %d %v %s: %q", m.TP, m.PP, m.DP, m.EP, m.Layers, ranks))
		}
		for i := range pods.calls {
			pods.calls[i].Env["CUDA_VISIBLE_DEVICES"] = pods.pools[i] + strings.Repeat(","+pods.pools[i], pods.gpus[i]-1)
		}
		for _, m := range saidBy(t, pods.calls) {
			var ranks []string
			for _, gpu := range m.GPUs {
				ranks = append(ranks, strings.TrimPrefix(gpu, hostIn(gpu)+" "))
			}
			got = append(got, fmt.Sprintf("%d %d %d %v %s: %q", m.TP, m.PP, m.DP, m.EP, m.Layers, ranks))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := gocmp.Diff(want, got); diff != "" {
			rt.Fatalf("the pods are not the plan:\n%s\n%s", diff, files[0].Data)
		}
		if t.Failed() {
			rt.Fatalf("of\n%s", files[0].Data)
		}
	})
	for _, k := range []string{"Deployment", "LeaderWorkerSet", "refused"} {
		if kinds[k] < 5 {
			t.Errorf("%d with %s: the generator misses it: %v", kinds[k], k, kinds)
		}
	}
}

// hostIn is the host of a GPU as meant has it, in quotes.
func hostIn(gpu string) string { return gpu[:strings.LastIndex(gpu, `" `)+1] }

// TestKubernetesUnlikeWorkers: a replica whose later nodes are of unlike pools has an object
// a node, whose first one the others find.
func TestKubernetesUnlikeWorkers(t *testing.T) {
	p := rapid.Custom(func(rt *rapid.T) *results.Plan { return launchtest.Plan(rt, launchtest.Shape{Uniform: true}) }).Filter(func(p *results.Plan) bool {
		st := p.Phases[0].Stages
		return len(st) >= 3 && st[2].Replica == 0 && st[0].TP == 4 && st[0].DPAttention == 1 && len(p.Deployment.Cluster.Pools) == 2 &&
			p.Deployment.Cluster.Pools[0].GPUsPerNode == 4 && p.Deployment.Cluster.Pools[1].GPUsPerNode == 4
	}).Example(3)
	third := inputs.Pool(p.Deployment.Cluster.Pools[1])
	third.Name, third.Nodes = "third", []inputs.Node{{Host: "x", GPUs: []string{"x/gpu-0", "x/gpu-1", "x/gpu-2", "x/gpu-3"}}}
	p.Deployment.Cluster.Pools = append(p.Deployment.Cluster.Pools, third)
	p.Phases[0].Stages = p.Phases[0].Stages[:3]
	p.Phases[0].Strategy.Replicas = 1
	p.Phases[0].Stages[2].Pool, p.Phases[0].Stages[2].GPUs = "third", third.Nodes[0].GPUs
	files, err := Files("k8s", p)
	if err != nil {
		t.Fatal(err)
	}
	pods := decode(t, files[0].Data, leaderWorkerSetSchema(t))
	if n := strings.Count(string(files[0].Data), "\nkind: StatefulSet\n"); n != 3 || len(pods.calls) != 3 {
		t.Fatalf("%d StatefulSets, %d pods", n, len(pods.calls))
	}
	slices.SortFunc(pods.calls, func(a, b hostCall) int { return cmp.Compare(number(t, a, "--node-rank"), number(t, b, "--node-rank")) })
	if m := saidBy(t, pods.calls); len(m) != 1 || m[0].PP != 3 {
		t.Errorf("%+v", m)
	}
	if pods.pools[0] == pods.pools[1] || pods.pools[1] == pods.pools[2] {
		t.Errorf("pools %q", pods.pools)
	}
}

func TestObjectName(t *testing.T) {
	for text, want := range map[string]string{
		"llama-3.1 70B": "llama-3-1-70b", "": "plan", "7 GPUs": "plan-7-gpus", "--x--": "x", `"; rm -rf ~; <script>`: "rm-rf-script",
		strings.Repeat("a-", 40): strings.TrimSuffix(strings.Repeat("a-", 20), "-"), "日本": "plan",
	} {
		if got := objectName(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestSchemaRefuses: the published schema is one that refuses.
func TestSchemaRefuses(t *testing.T) {
	schema := leaderWorkerSetSchema(t)
	const whole = "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet\nspec:\n  leaderWorkerTemplate:\n    size: 2\n    restartPolicy: RecreateGroupOnPodRestart\n    workerTemplate:\n      spec:\n        containers:\n        - name: vllm\n"
	if err := schema.Validate(jsonOf(t, []byte(whole))); err != nil {
		t.Fatal(err)
	}
	for old, new := range map[string]string{
		"RecreateGroupOnPodRestart": "Never", "size: 2": "size: two", "name: vllm": "image: vllm", "workerTemplate:": "workersTemplate:",
	} {
		if err := schema.Validate(jsonOf(t, []byte(strings.Replace(whole, old, new, 1)))); err == nil {
			t.Errorf("%q instead of %q passes", new, old)
		}
	}
}
