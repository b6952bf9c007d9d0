package results

import (
	"slices"

	"partita/inputs"
)

// Deployment is what a plan was made for: the model, the cluster, the workload and the
// goal as they were read, with what was assumed. With it a saved plan is verified, drawn
// and started without the files it came from.
type Deployment struct {
	Model    inputs.Model    `json:"model"`
	Cluster  inputs.Cluster  `json:"cluster"`
	Workload inputs.Workload `json:"workload"`
	Goal     inputs.Goal     `json:"goal"`
	// Rules bound the plan, in the order they were read.
	Rules []inputs.Rule `json:"rules,omitempty"`
	// Engine is the serving engine whose limits bound the plan; absent where none was named.
	Engine string `json:"engine,omitempty"`
}

// DeploymentOf is the deployment of a condition. It shares the condition's lists, which
// nobody changes after reading; the other names of an accelerator are left out.
func DeploymentOf(c *inputs.Condition) *Deployment {
	d := &Deployment{Model: c.Model, Cluster: c.Cluster, Workload: c.Workload, Goal: c.Goal, Rules: c.Rules, Engine: c.Engine}
	d.Cluster.Pools = slices.Clone(c.Cluster.Pools)
	for k := range d.Cluster.Pools {
		d.Cluster.Pools[k].Accelerator.Aliases = nil
	}
	return d
}

// Condition is the condition as far as a deployment knows it: all that a plan is verified
// against, without the statements and where they stand.
func (d *Deployment) Condition(name string) *inputs.Condition {
	return &inputs.Condition{Name: name, Model: d.Model, Cluster: d.Cluster, Workload: d.Workload, Goal: d.Goal, Rules: d.Rules, Engine: d.Engine}
}
