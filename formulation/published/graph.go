package published

import (
	"context"
	"fmt"
	"math"
	"slices"

	"partita/formulation/assignment"
	"partita/formulation/ideals"
	"partita/formulation/makespan"
	"partita/formulation/scatter"
	"partita/inputs/opgraph"
	"partita/results"
)

// solveGraph answers an operator graph: the search of the goal, then its assignment as
// devices.
func solveGraph(ctx context.Context, g *opgraph.Graph, o Options, a *answer) error {
	if err := o.only(a.Goal, Labels); err != nil {
		return err
	}
	r, err := searchGraph(ctx, g, o, a.Goal)
	if err != nil {
		return err
	}
	a.Backend, a.status, a.Because = Labels, r.Status, r.Because
	if r.Device != nil {
		a.found(&results.PlacedSolution{Devices: devicesOf(g, r.Device)}, r.Value)
	}
	if !math.IsInf(r.Bound, 0) {
		a.bounded(r.Bound)
	}
	return nil
}

// startStages bounds the search for a contiguous placement that another begins with.
const startStages = 100_000

// searchGraph runs the search of a goal.
func searchGraph(ctx context.Context, g *opgraph.Graph, o Options, goal string) (assignment.Result, error) {
	switch goal {
	case Contiguous:
		return ideals.Place(ctx, g, ideals.Options{})
	case Latency:
		return makespan.Solve(ctx, g, makespan.Options{Progress: o.progress("one sample takes")})
	case Noncontiguous:
		row, err := ideals.Place(ctx, g, ideals.Options{Stages: startStages})
		if err != nil {
			return row, err
		}
		opts := scatter.Options{Start: row.Device, Progress: o.progress("largest load")} // never worse
		if o.TimeLimit > 0 {
			opts.Work = scatter.NoLimit // the time is the limit
		}
		return scatter.Solve(ctx, g, opts)
	default:
		return assignment.Result{}, fmt.Errorf("no search answers the objective %q", goal)
	}
}

// progress logs what a search tells of the best value so far and its bound; nil where
// nobody listens.
func (o *Options) progress(what string) func(value, bound float64) {
	if o.Log == nil {
		return nil
	}
	ms := func(x float64) string {
		if math.IsInf(x, 0) {
			return "?"
		}
		return fmt.Sprintf("%.6g ms", x)
	}
	return func(value, bound float64) {
		o.Log(fmt.Sprintf("%s %s, none below %s", what, ms(value), ms(bound)))
	}
}

// devicesOf lists the devices that have nodes, with their loads.
func devicesOf(g *opgraph.Graph, device []int) []results.PlacedDevice {
	loads := assignment.Loads(g, device)
	all := make([]results.PlacedDevice, g.Devices())
	for d := range all {
		all[d] = results.PlacedDevice{Device: deviceName(g, d), Nodes: []int{}, LoadMS: loads[d]}
	}
	for v, d := range device {
		all[d].Nodes = append(all[d].Nodes, g.Nodes[v].ID)
		all[d].Bytes += g.Nodes[v].Bytes
	}
	for d := range all {
		slices.Sort(all[d].Nodes)
	}
	return slices.DeleteFunc(all, func(d results.PlacedDevice) bool { return len(d.Nodes) == 0 })
}

// deviceName is accelerator-0 …, then cpu-0 ….
func deviceName(g *opgraph.Graph, d int) string {
	if g.IsCPU(d) {
		return fmt.Sprintf("cpu-%d", d-g.Accelerators)
	}
	return fmt.Sprintf("accelerator-%d", d)
}
