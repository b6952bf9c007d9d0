package formulation_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"partita/formulation"
)

func TestDebug(t *testing.T) {
	n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		t.Skip()
	}
	d := newDraw(n)
	c := d.condition()
	o, _ := newOracle(c, 0)
	plans := o.enumerate()
	if len(plans) > 0 {
		d.require(c, plans)
	}
	fmt.Printf("model layers %v kinds %d, workload %+v\n goal %+v", c.Model.Layers, len(c.Model.Kinds), c.Workload, c.Goal)
	if c.Goal.Balance != nil {
		fmt.Print(" balance ", *c.Goal.Balance)
	}
	fmt.Println()
	for k, p := range c.Cluster.Pools {
		fmt.Printf("pool %d count %+v nodes %+v per %d mem %d util %g usd %g\n", k, p.Count, p.Nodes, p.GPUsPerNode, p.MemoryBytes, p.Utilization, p.USDPerHour)
	}
	fmt.Println("plans", len(plans))
	rep, err := formulation.Optimize(context.Background(), c, formulation.Options{Backend: "labels"})
	fmt.Println(err)
	if err == nil {
		fmt.Println(rep.Status, rep.Feasible, rep.Reasons, rep.Warnings)
		if rep.Plan != nil {
			ph := &rep.Plan.Phases[0]
			fmt.Printf("%+v\n", ph.Strategy)
			for _, s := range ph.Stages {
				fmt.Printf("  %+v\n", s)
			}
			fmt.Println("objective", ph.Solve.Objective, ph.Solve.ObjectiveUnit)
			fmt.Println(ph.Solve.Certificate.GPUCount, ph.Solve.Certificate.Balance)
			if ph.Metrics.TTFTMS != nil {
				fmt.Println("ttft", *ph.Metrics.TTFTMS)
			}
			fmt.Println("tokens", *ph.Metrics.TokensPerS)
			fmt.Println("balance", ph.Balance)
			for _, q := range ph.Requirements {
				fmt.Printf("  %+v\n", q)
			}
			for _, p := range ph.Solve.Certificate.Passes {
				fmt.Printf("%s %+v", p.Purpose, p.Outer)
				if p.Best != nil {
					fmt.Print(" ", *p.Best)
				}
				fmt.Println()
			}
			fmt.Println("verify:", verified(rep, c))
		}
	}
	fmt.Println("want ", newJudge(c, plans, edge).decide().describe())
	fmt.Println("eased", newJudge(c, plans, -edge).decide().describe())
}
