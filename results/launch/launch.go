// Package launch writes what starts a plan on real engines: commands, environment and
// manifests, each by the engine's own documented flags and limits. One engine a file.
//
//	files, err := launch.Files("vllm", plan)
//
// An engine that cannot run a plan is a Refusal, which says why; a plan is never changed
// so that an engine takes it. Names and paths of a condition are foreign to every format
// here: Word quotes them for a shell, YAML is marshalled and never pasted together.
package launch

import (
	"errors"
	"fmt"
	"strings"

	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/results"
)

// File is one file of a launch.
type File struct {
	Name       string // a plain name: vllm.sh
	Data       []byte
	Executable bool
}

// Target is an engine, or an orchestrator that starts one.
type Target struct {
	Name  string // as --to takes it
	Title string
	write func(s *Serving) ([]File, error)
	// train writes what starts a training step; nil: the target serves alone.
	train func(s *Serving) ([]File, error)
	// apart writes what spreads requests over the two sides of a plan that keeps prefill and
	// decode apart; nil where the target takes none, and together says why.
	apart    func(sides [2]*Serving) (File, error)
	together string
}

// Targets lists what plans can be started on, in the order of the documents.
func Targets() []Target {
	return []Target{
		{Name: "vllm", Title: "vLLM", write: writeVLLM, apart: vllmProxy},
		{Name: "sglang", Title: "SGLang", write: writeSGLang, apart: sglangApartRouter},
		{Name: "trtllm", Title: "TensorRT-LLM", write: writeTensorRT, together: "it keeps prefill and decode apart with trtllm-serve disaggregated, whose files are not written here"},
		{Name: "megatron", Title: "Megatron-LM", write: writeMegatron, train: trainMegatron, together: "it hands no KV cache from one server to another"},
		{Name: "llamacpp", Title: "llama.cpp", write: writeLlamaCpp, together: "it hands no KV cache from one server to another"},
		{Name: "ray", Title: "vLLM on Ray", write: writeRay, together: "prefill and decode apart are written for vLLM without Ray (--to vllm)"},
		{Name: "k8s", Title: "Kubernetes", write: writeKubernetes, together: "prefill and decode apart are written as scripts alone (--to vllm, --to sglang)"},
	}
}

// Errors of a plan that nothing can be written for.
var (
	ErrNoPlan = errors.New("there is no plan to start: solve first")
	// ErrNoDeployment is the error of a plan of format 1.
	ErrNoDeployment = errors.New("the plan has no deployment (format_version 1): it does not say which model and GPUs it is for; solve the condition again with this version")
)

// Refusal says why an engine cannot run a plan, a sentence each.
type Refusal struct {
	Title   string
	Reasons []string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s cannot run this plan: %s", r.Title, strings.Join(r.Reasons, "; "))
}

// Serving is a plan of one phase with what it is for, as the writers need it.
type Serving struct {
	Plan     *results.Plan
	Phase    *results.PhasePlan
	Model    *inputs.Model
	Cluster  *inputs.Cluster
	Workload *inputs.Workload
	// Replicas are the stages of each replica, in order.
	Replicas [][]*results.Stage

	hosts map[string]string // by the id of a GPU that the cluster lists
	apart *apart            // of one side of a plan that keeps prefill and decode apart
}

// Of is the serving of a plan.
func Of(p *results.Plan) (*Serving, error) {
	switch {
	case p == nil || len(p.Phases) == 0:
		return nil, ErrNoPlan
	case len(p.Phases) > 1:
		return nil, fmt.Errorf("the plan serves %d phases apart from each other: only a plan of one deployment can be started", len(p.Phases))
	case p.Deployment == nil:
		return nil, ErrNoDeployment
	}
	s := &Serving{Plan: p, Phase: &p.Phases[0], Model: &p.Deployment.Model, Cluster: &p.Deployment.Cluster, Workload: &p.Deployment.Workload}
	for i := range s.Phase.Stages {
		stage := &s.Phase.Stages[i]
		switch {
		case stage.Replica == len(s.Replicas):
			s.Replicas = append(s.Replicas, nil)
		case stage.Replica != len(s.Replicas)-1:
			return nil, fmt.Errorf("stages of the plan are not in the order of their replicas: replica %d follows %d", stage.Replica, len(s.Replicas)-1)
		}
		r := &s.Replicas[stage.Replica]
		if stage.Index != len(*r) {
			return nil, fmt.Errorf("stages of replica %d are not in order: stage %d stands at place %d", stage.Replica, stage.Index, len(*r))
		}
		*r = append(*r, stage)
	}
	if len(s.Replicas) == 0 {
		return nil, ErrNoPlan
	}
	return s, nil
}

// Files are the files of one target for a plan. A plan that the target cannot run is a
// *Refusal.
func Files(name string, p *results.Plan) ([]File, error) {
	for _, t := range Targets() {
		if t.Name == name {
			if p != nil && p.Disaggregated != nil {
				files, err := writeApart(&t, p)
				return files, unnamed(t.Title, err)
			}
			s, err := Of(p)
			if err != nil {
				return nil, err
			}
			if s.Model.Graph != nil {
				return nil, &Refusal{Title: t.Title, Reasons: []string{"the model is an operator graph: engines take models of layers, and place no single operators"}}
			}
			if s.Phase.Lanes != nil {
				return nil, &Refusal{Title: t.Title, Reasons: []string{"the plan is of lanes: machines share layers, and each sequence takes its own way through them. No engine that is known here runs that"}}
			}
			write := t.write
			if s.Workload.Phase == inputs.Training {
				if write = t.train; write == nil {
					return nil, &Refusal{Title: t.Title, Reasons: []string{"the plan is of a training step, and what is written for " + t.Title + " here serves requests"}}
				}
			}
			files, err := write(s)
			return files, unnamed(t.Title, err)
		}
	}
	return nil, fmt.Errorf("no launch target %q", name)
}

// unnamed is an error, a refusal where a GPU has a name that tells no engine which it is.
func unnamed(title string, err error) error {
	var name *nameError
	if errors.As(err, &name) {
		return &Refusal{Title: title, Reasons: []string{name.Error()}}
	}
	return err
}

// Refused are the reasons for which a target cannot run a plan; nil where it can.
func Refused(name string, p *results.Plan) ([]string, error) {
	_, err := Files(name, p)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Reasons, nil
	}
	return nil, err
}

// limits are the reasons for which an engine cannot run a plan, by its rule pack.
func (s *Serving) limits(engine string) ([]string, error) {
	c := s.Plan.Deployment.Condition(s.Plan.Condition)
	broken, err := knowledge.CheckEngine(engine, c, results.FactsOf(s.Phase, c))
	if err != nil {
		return nil, err
	}
	var why []string
	for _, v := range broken {
		why = append(why, fmt.Sprintf("%s (%s: %s)", v.Rule.Because, v.Where, v.Values))
	}
	return why, nil
}
