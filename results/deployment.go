package results

import (
	"slices"

	"partita/inputs"
)

// Deployment is what a plan was made for: the model, the cluster and the workload as
// they were read, with what was assumed. With it a saved plan is drawn and started
// without the files it came from.
type Deployment struct {
	Model    inputs.Model    `json:"model"`
	Cluster  inputs.Cluster  `json:"cluster"`
	Workload inputs.Workload `json:"workload"`
	// Engine is the serving engine whose limits bound the plan; absent where none was named.
	Engine string `json:"engine,omitempty"`
}

// DeploymentOf is the deployment of a condition. It shares the condition's lists, which
// nobody changes after reading; the other names of an accelerator are left out.
func DeploymentOf(c *inputs.Condition) *Deployment {
	d := &Deployment{Model: c.Model, Cluster: c.Cluster, Workload: c.Workload, Engine: c.Engine}
	d.Cluster.Pools = slices.Clone(c.Cluster.Pools)
	for k := range d.Cluster.Pools {
		d.Cluster.Pools[k].Accelerator.Aliases = nil
	}
	return d
}

// Condition is the condition as far as a deployment knows it: without the goal, the rules
// and where anything was stated.
func (d *Deployment) Condition(name string) *inputs.Condition {
	return &inputs.Condition{Name: name, Model: d.Model, Cluster: d.Cluster, Workload: d.Workload, Engine: d.Engine}
}
