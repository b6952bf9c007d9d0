package formulation

import (
	"slices"

	"partita/formulation/stagegraph"
	"partita/results"
	"partita/solver/path"
)

// ledger keeps the account of a frontier: every outer choice ends in one line, alone
// or with others of its layout that share its fate.
type ledger struct {
	outer   results.Outer
	lines   []ledgerLine
	grouped map[ledgerKey]int
	// coarse joins layouts that differ in GPUs alone: there are too many for a line each.
	coarse bool
	// told are the choices with a line of their own.
	told map[stagegraph.Choice]bool
}

type ledgerKey struct {
	layout   *stagegraph.Layout // nil where lines are coarse
	replicas int
	outcome  string
	why      string
}

// ledgerLine is a line with the least spot of what it stands for.
type ledgerLine struct {
	results.FrontierChoice
	low    spot
	choice stagegraph.Choice // of a line of its own
}

// add counts choices of a node under a line.
func (k *ledger) add(x *prospect, n *frontNode, choices int, outcome, why string) {
	switch outcome {
	case "infeasible":
		k.outer.Infeasible += choices
	case "pruned":
		k.outer.Pruned += choices
	default:
		k.outer.Open += choices
	}
	l := x.pass.layouts[n.first]
	key := ledgerKey{l, l.Replicas, outcome, why}
	gpus := l.GPUs
	if k.coarse || n.first < n.last {
		key.layout, gpus = nil, nil
	}
	low := n.low
	if outcome == "infeasible" {
		low = farthest
	}
	i, ok := k.grouped[key]
	if !ok {
		i = len(k.lines)
		k.grouped[key] = i
		k.lines = append(k.lines, ledgerLine{low: low, FrontierChoice: results.FrontierChoice{
			Replicas: l.Replicas, GPUsPerReplica: slices.Clone(gpus), Outcome: outcome, Why: why,
		}})
	}
	line := &k.lines[i]
	line.Choices += choices
	for axis := range line.low {
		line.low[axis] = min(line.low[axis], low[axis])
	}
}

// harvested counts a choice whose plans are all known.
func (k *ledger) harvested(ch stagegraph.Choice, low spot) {
	k.outer.Solved++
	k.told[ch] = true
	k.lines = append(k.lines, ledgerLine{low: low, choice: ch, FrontierChoice: results.FrontierChoice{
		Replicas: ch.Layout.Replicas, GPUsPerReplica: slices.Clone(ch.Layout.GPUs), MicroBatches: ch.Micro, DecodeGroups: ch.Groups,
		Choices: 1, Outcome: "solved", Why: "no plan that others do not beat",
	}})
}

// refused takes over what the floors of whole layouts refused.
func (k *ledger) refused(r *recorder) {
	k.outer.Infeasible += r.outer.Infeasible
	for _, line := range r.lines {
		k.lines = append(k.lines, ledgerLine{low: farthest, FrontierChoice: results.FrontierChoice{
			Replicas: line.Replicas, GPUsPerReplica: slices.Clone(line.GPUsPerReplica), Choices: line.Choices, Outcome: line.Outcome, Why: line.Why,
		}})
	}
}

// list is the account with bounds in the units of the axes.
func (k *ledger) list(x *prospect) []results.FrontierChoice {
	out := []results.FrontierChoice{}
	for _, line := range k.lines {
		c := line.FrontierChoice
		for _, v := range x.front {
			if c.Outcome == "solved" && v.choice == line.choice {
				c.Points++
				c.Why = ""
			}
		}
		if line.low[0] < path.NoLimit && line.low[0] > 0 {
			ms := float64(line.low[0]) * x.unit * 1e3
			c.LatencyBound = &ms
		}
		if line.low[1] < path.NoLimit && line.low[1] > 0 {
			rate := x.goal.tokensPerRound() / (float64(line.low[1]) * x.scale[1])
			c.TokensBound = &rate
		}
		out = append(out, c)
	}
	return out
}
