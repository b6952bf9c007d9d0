package batch

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// engineOf is a job with names that no format may trip over.
func engineOf(name, config, output, program string, flags ...string) *Engine {
	return &Engine{
		Name: name, Program: program, Config: config, Output: output, Shares: 4, CPUs: 2, Memory: "2Gi", Retries: 3, Flags: flags,
		Image: "registry:5000/partita@sha256:0", Claim: "shared-claim", Mount: "/work",
	}
}

// kubeFields are the fields of batch/v1 Job and what they hold, as Kubernetes 1.33
// documents them: those that a job of shares may use. A list's elements follow "[]", "*"
// stands for any name.
var kubeFields = map[string]string{
	"apiVersion": "string", "kind": "string", "metadata.name": "string", "metadata.labels.*": "string", "metadata.annotations.*": "string",
	"spec.suspend": "bool", "spec.completionMode": "string", "spec.completions": "int", "spec.parallelism": "int", "spec.backoffLimit": "int", "spec.backoffLimitPerIndex": "int",
	"spec.podFailurePolicy.rules[].action": "string", "spec.podFailurePolicy.rules[].onPodConditions[].type": "string",
	"spec.podFailurePolicy.rules[].onExitCodes.containerName": "string", "spec.podFailurePolicy.rules[].onExitCodes.operator": "string", "spec.podFailurePolicy.rules[].onExitCodes.values[]": "int",
	"spec.template.spec.restartPolicy": "string", "spec.template.spec.volumes[].name": "string", "spec.template.spec.volumes[].persistentVolumeClaim.claimName": "string",
	"spec.template.spec.containers[].name": "string", "spec.template.spec.containers[].image": "string", "spec.template.spec.containers[].workingDir": "string",
	"spec.template.spec.containers[].command[]": "string", "spec.template.spec.containers[].args[]": "string",
	"spec.template.spec.containers[].env[].name": "string", "spec.template.spec.containers[].env[].value": "string",
	"spec.template.spec.containers[].resources.requests.*": "string", "spec.template.spec.containers[].resources.limits.*": "string",
	"spec.template.spec.containers[].volumeMounts[].name": "string", "spec.template.spec.containers[].volumeMounts[].mountPath": "string",
}

// walk visits every value of a document by its path.
func walk(v any, path string, visit func(path string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			next := strings.TrimPrefix(path+"."+name, ".")
			if _, ok := kubeFields[path+".*"]; ok {
				next = path + ".*"
			}
			walk(child, next, visit)
		}
	case []any:
		for _, child := range v {
			walk(child, path+"[]", visit)
		}
	default:
		visit(path, v)
	}
}

func documents(t interface{ Fatal(...any) }, text []byte) []map[string]any {
	var out []map[string]any
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc map[string]any
		err := d.Decode(&doc)
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, doc)
	}
}

func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func words(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, w := range list {
		s, _ := w.(string)
		out = append(out, expanded(s))
	}
	return out
}

// expanded is a word as Kubernetes hands it to the container: a doubled dollar is one,
// $(NAME) a variable.
func expanded(word string) string {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		switch {
		case word[i] != '$' || i+1 == len(word):
			b.WriteByte(word[i])
		case word[i+1] == '$':
			b.WriteByte('$')
			i++
		case word[i+1] == '(' && strings.Contains(word[i:], ")"):
			b.WriteString("EXPANDED")
			i += strings.Index(word[i:], ")")
		default:
			b.WriteByte('$')
		}
	}
	return b.String()
}

// TestKubernetesJob holds the Job against what Kubernetes demands of one.
func TestKubernetesJob(t *testing.T) {
	e := engineOf("Llama sweep", "examples/batch.yaml", "partita-out/llama", "partita", "--set", "workload.batch=64")
	e.Parallel, e.Env = 2, []string{"PARTITA_NAME=$(HOME)=x"}
	text, err := e.Kubernetes()
	if err != nil {
		t.Fatal(err)
	}
	docs := documents(t, text)
	if len(docs) != 2 {
		t.Fatalf("%d documents", len(docs))
	}
	label := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	for _, doc := range docs {
		walk(doc, "", func(path string, v any) {
			kind := "?"
			switch v.(type) {
			case string:
				kind = "string"
			case int:
				kind = "int"
			case bool:
				kind = "bool"
			}
			if kubeFields[path] != kind {
				t.Errorf("%s is %v (%s), Kubernetes has %q", path, v, kind, kubeFields[path])
			}
		})
		name, _ := at(doc, "metadata", "name").(string)
		if !label.MatchString(name) || len(name) > 63 || at(doc, "apiVersion") != "batch/v1" || at(doc, "kind") != "Job" {
			t.Errorf("name %q of %v %v", name, at(doc, "apiVersion"), at(doc, "kind"))
		}
		pod := at(doc, "spec", "template", "spec")
		if at(pod, "restartPolicy") != "Never" { // backoffLimitPerIndex and podFailurePolicy need it
			t.Errorf("restartPolicy %v", at(pod, "restartPolicy"))
		}
		if at(pod, "volumes", 0, "name") != at(pod, "containers", 0, "volumeMounts", 0, "name") ||
			at(pod, "containers", 0, "workingDir") != "/work" || at(pod, "containers", 0, "volumeMounts", 0, "mountPath") != "/work" ||
			at(pod, "volumes", 0, "persistentVolumeClaim", "claimName") != "shared-claim" {
			t.Error("the shared folder is not where the command runs")
		}
	}
	spec := at(docs[0], "spec")
	for field, want := range map[string]any{"completionMode": "Indexed", "completions": 4, "parallelism": 2, "backoffLimitPerIndex": 3, "suspend": nil, "backoffLimit": nil} {
		if at(spec, field) != want {
			t.Errorf("%s: %v, want %v", field, at(spec, field), want)
		}
	}
	rules := at(spec, "podFailurePolicy", "rules")
	if at(rules, 0, "action") != "Ignore" || at(rules, 0, "onPodConditions", 0, "type") != "DisruptionTarget" || at(rules, 1, "action") != "FailIndex" ||
		at(rules, 1, "onExitCodes", "containerName") != at(spec, "template", "spec", "containers", 0, "name") {
		t.Errorf("rules %v", rules)
	}
	want := []string{"batch", "examples/batch.yaml", "--shards", "4", "--out", "partita-out/llama", "--jobs", "2", "--failed-ok", "--set", "workload.batch=64"}
	if diff := cmp.Diff(want, words(at(spec, "template", "spec", "containers", 0, "args"))); diff != "" {
		t.Error(diff)
	}
	if v := at(spec, "template", "spec", "containers", 0, "env", 0); at(v, "name") != "PARTITA_NAME" || expanded(at(v, "value").(string)) != "$(HOME)=x" {
		t.Errorf("env %v", v)
	}
	if at(docs[1], "spec", "suspend") != true || at(docs[1], "spec", "completionMode") != nil {
		t.Errorf("the merge %v", at(docs[1], "spec"))
	}
	want = []string{"batch", "--merge", "partita-out/llama", "--out", "partita-out/llama", "--failed-ok"}
	if diff := cmp.Diff(want, words(at(docs[1], "spec", "template", "spec", "containers", 0, "args"))); diff != "" {
		t.Error(diff)
	}
	again, err := e.Kubernetes()
	if err != nil || !bytes.Equal(text, again) {
		t.Error("not the same bytes twice")
	}
}

// hostile draws names that mean something to a shell, YAML or Kubernetes.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"$(touch x)", "$(HOME)", "$$(X)", "`id`", "a'b", `a"b`, "a b\tc", "-rf", "--merge", "# no comment", "yes", "null", "1e3", "0x10", "~", "*", "a: b", "- a", "{a}", "é日本", "a\nb", "a\r\nb", "END_OF_MERGE", "\nEND_OF_MERGE\n", "%j", "\\", "a\\", "!x", "&", ";reboot", "|", "\u0085", "\u2028x", "\ufeff",
		}),
		rapid.StringMatching(`[ -~\n]{1,20}`),
	)
}

// TestKubernetesCarriesAnyName: whatever paths and flags hold, the container gets them.
func TestKubernetesCarriesAnyName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, config, output, program, flag := hostile().Draw(t, "name"), hostile().Draw(t, "config"), hostile().Draw(t, "output"), hostile().Draw(t, "program"), hostile().Draw(t, "flag")
		e := engineOf(name, config, output, program, "--set", flag)
		text, err := e.Kubernetes()
		if err != nil {
			t.Fatal(err)
		}
		docs := documents(t, text)
		if len(docs) != 2 {
			t.Fatalf("%d documents", len(docs))
		}
		for i, want := range [][]string{append([]string{program}, e.shareArgs()...), append([]string{program}, e.mergeArgs()...)} {
			c := at(docs[i], "spec", "template", "spec", "containers", 0)
			if got := append(words(at(c, "command")), words(at(c, "args"))...); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if got := at(docs[0], "metadata", "annotations", "partita/batch"); got != name {
			t.Errorf("annotation %q, want %q", got, name)
		}
	})
}

func TestKubernetesRefuses(t *testing.T) {
	for want, change := range map[string]func(*Engine){
		"no image given":               func(e *Engine) { e.Image = "" },
		"want a reference":             func(e *Engine) { e.Image = "a b" },
		"want the name of a":           func(e *Engine) { e.Claim = "My_Claim" },
		"want an absolute path":        func(e *Engine) { e.Mount = "work" },
		"want a quantity":              func(e *Engine) { e.Memory = "2 GB" },
		"holds a zero byte":            func(e *Engine) { e.Output = "a\x00" },
		`--claim "": want the name of`: func(e *Engine) { e.Claim = "" },
	} {
		e := engineOf("n", "c", "o", "p")
		change(e)
		if _, err := e.Kubernetes(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestPathsAreNoFlags(t *testing.T) {
	e := engineOf("n", "--merge", "-o", "p")
	if e.shareArgs()[1] != "./--merge" || e.mergeArgs()[2] != "./-o" {
		t.Errorf("%q, %q", e.shareArgs(), e.mergeArgs())
	}
}

func TestJobNames(t *testing.T) {
	for name, want := range map[string]string{
		"Llama_70B sweep!": "partita-llama-70b-sweep", "日本": "partita-batch", "-x-": "partita-x",
	} {
		if got := jobName(name, longestJob); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	long := jobName(strings.Repeat("long-", 40), longestJob)
	if other := jobName(strings.Repeat("long-", 41), longestJob); len(long) > longestJob || long == other {
		t.Errorf("%q and %q", long, other)
	}
}
