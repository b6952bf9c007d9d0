package batch

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The part of Kubernetes' batch/v1 and core/v1 that a job of shares needs. Field names
// and rules are those of Kubernetes 1.33, where backoffLimitPerIndex is stable: it
// needs completionMode Indexed and restartPolicy Never.
type (
	kubeJob struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   kubeMeta `yaml:"metadata"`
		Spec       jobSpec  `yaml:"spec"`
	}
	kubeMeta struct {
		Name        string            `yaml:"name,omitempty"`
		Labels      map[string]string `yaml:"labels,omitempty"`
		Annotations map[string]string `yaml:"annotations,omitempty"`
	}
	jobSpec struct {
		Suspend              bool           `yaml:"suspend,omitempty"`
		CompletionMode       string         `yaml:"completionMode,omitempty"`
		Completions          int            `yaml:"completions,omitempty"`
		Parallelism          int            `yaml:"parallelism,omitempty"`
		BackoffLimit         *int           `yaml:"backoffLimit,omitempty"`
		BackoffLimitPerIndex *int           `yaml:"backoffLimitPerIndex,omitempty"`
		PodFailurePolicy     *failurePolicy `yaml:"podFailurePolicy,omitempty"`
		Template             podTemplate    `yaml:"template"`
	}
	failurePolicy struct {
		Rules []failureRule `yaml:"rules"`
	}
	failureRule struct {
		Action          string         `yaml:"action"`
		OnExitCodes     *onExitCodes   `yaml:"onExitCodes,omitempty"`
		OnPodConditions []podCondition `yaml:"onPodConditions,omitempty"`
	}
	onExitCodes struct {
		ContainerName string `yaml:"containerName"`
		Operator      string `yaml:"operator"`
		Values        []int  `yaml:"values"`
	}
	podCondition struct {
		Type string `yaml:"type"`
	}
	podTemplate struct {
		Metadata *kubeMeta `yaml:"metadata,omitempty"`
		Spec     podSpec   `yaml:"spec"`
	}
	podSpec struct {
		RestartPolicy string      `yaml:"restartPolicy"`
		Containers    []container `yaml:"containers"`
		Volumes       []volume    `yaml:"volumes"`
	}
	container struct {
		Name         string        `yaml:"name"`
		Image        string        `yaml:"image"`
		WorkingDir   string        `yaml:"workingDir"`
		Command      []string      `yaml:"command"`
		Args         []string      `yaml:"args"`
		Env          []variable    `yaml:"env,omitempty"`
		Resources    resources     `yaml:"resources"`
		VolumeMounts []volumeMount `yaml:"volumeMounts"`
	}
	variable struct {
		Name  string `yaml:"name"`
		Value string `yaml:"value"`
	}
	resources struct {
		Requests map[string]string `yaml:"requests"`
		Limits   map[string]string `yaml:"limits"`
	}
	volumeMount struct {
		Name      string `yaml:"name"`
		MountPath string `yaml:"mountPath"`
	}
	volume struct {
		Name  string `yaml:"name"`
		Claim claim  `yaml:"persistentVolumeClaim"`
	}
	claim struct {
		ClaimName string `yaml:"claimName"`
	}
)

// Names inside the pods.
const (
	shardContainer = "shard"
	mergeContainer = "merge"
	sharedVolume   = "shared"
)

// longestJob leaves room, in the 63 letters of a pod's host name, for "-merge" and for
// the dash and the digits of an index.
const longestJob = 50

// Exit codes that starting again does not change: a wrong command line, a wrong config.
func hopeless() []int { return []int{2, 3} }

// Words of Kubernetes that flags may state.
var (
	kubeQuantity = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$`)
	kubeName     = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
)

// Kubernetes is an Indexed Job that runs each share in a pod, and a second Job,
// suspended, that joins the shares. All pods see one folder: a claim that is mounted
// where the command runs, so paths mean in the pods what they mean here, from the folder
// that is shared.
func (e *Engine) Kubernetes() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	switch {
	case e.Image == "":
		return nil, fmt.Errorf("no image given: --image names one that holds this program")
	case strings.ContainsAny(e.Image, " \t\n\r"):
		return nil, fmt.Errorf("--image %q: want a reference such as registry/partita:1", e.Image)
	case len(e.Claim) > 253 || !kubeName.MatchString(e.Claim):
		return nil, fmt.Errorf("--claim %q: want the name of a PersistentVolumeClaim: lower-case letters, digits, dashes", e.Claim)
	case !strings.HasPrefix(e.Mount, "/") || strings.Contains(e.Mount, ":"):
		return nil, fmt.Errorf("--mount %q: want an absolute path without a colon", e.Mount)
	case !kubeQuantity.MatchString(e.Memory):
		return nil, fmt.Errorf("--memory %q: want a quantity of Kubernetes such as 2Gi", e.Memory)
	}
	name := jobName(e.Name, longestJob)
	parallel := e.Parallel
	if parallel == 0 {
		parallel = e.Shares
	}
	shards := e.job(name, shardContainer, e.shareArgs())
	shards.Spec.CompletionMode, shards.Spec.Completions, shards.Spec.Parallelism = "Indexed", e.Shares, parallel
	shards.Spec.BackoffLimitPerIndex = &e.Retries
	shards.Spec.PodFailurePolicy = &failurePolicy{Rules: []failureRule{
		{Action: "Ignore", OnPodConditions: []podCondition{{"DisruptionTarget"}}}, // an evicted pod is no failure of the share
		{Action: "FailIndex", OnExitCodes: &onExitCodes{shardContainer, "In", hopeless()}},
	}}
	merge := e.job(name+"-merge", mergeContainer, e.mergeArgs())
	merge.Spec.Suspend = true
	merge.Spec.BackoffLimit = &e.Retries

	var b bytes.Buffer
	fmt.Fprintf(&b, `# The shards of a batch as an Indexed Job, and the Job that joins them.
#   kubectl apply -f THIS-FILE
#   kubectl wait --for=condition=Complete --timeout=-1s job/%[1]s
#   kubectl patch job/%[1]s-merge --type=merge -p '{"spec":{"suspend":false}}'
# The claim %[2]s must be writable by many nodes (ReadWriteMany) and hold the config
# and its condition files at the paths of the command, from %[3]s on.
`, name, e.Claim, strconv.Quote(e.Mount))
	y := yaml.NewEncoder(&b)
	y.SetIndent(2)
	for _, doc := range []kubeJob{shards, merge} {
		if err := y.Encode(doc); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), y.Close()
}

// job is a Job with one container that runs this program in the shared folder.
func (e *Engine) job(name, containerName string, args []string) kubeJob {
	cpus := strconv.Itoa(e.CPUs)
	return kubeJob{
		APIVersion: "batch/v1", Kind: "Job",
		Metadata: kubeMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/name": "partita"}, Annotations: map[string]string{"partita/batch": e.Name}},
		Spec: jobSpec{Template: podTemplate{Spec: podSpec{
			RestartPolicy: "Never",
			Containers: []container{{
				Name: containerName, Image: e.Image, WorkingDir: e.Mount,
				Command: kubeWords(e.Program), Args: kubeWords(args...), Env: kubeVariables(e.Env),
				Resources: resources{
					Requests: map[string]string{"cpu": cpus, "memory": e.Memory},
					Limits:   map[string]string{"memory": e.Memory}, // a limit on cores would only throttle
				},
				VolumeMounts: []volumeMount{{sharedVolume, e.Mount}},
			}},
			Volumes: []volume{{sharedVolume, claim{e.Claim}}},
		}}},
	}
}

func kubeVariables(env []string) []variable {
	var out []variable
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		out = append(out, variable{name, kubeWords(value)[0]})
	}
	return out
}

// kubeWords are words of a command, or values of variables, as Kubernetes takes them:
// $(NAME) there is a variable, and a doubled dollar a single one.
func kubeWords(words ...string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ReplaceAll(w, "$", "$$")
	}
	return out
}
