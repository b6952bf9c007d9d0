package lanes

import (
	"cmp"
	"math"
	"slices"
)

// Route is what goes from one machine of a plan to another, by index; From is Outside
// for what enters at the first layer, To for what leaves after the last.
type Route struct {
	From, To   int
	TokensPerS float64
}

// Outside stands for the source and the sink of a plan.
const Outside = -1

// Routes is a flow of the plan's whole value, in the order of the layers: a machine
// hands over when its layers end, to the machines that hold the next one and have room,
// those that end last first. There always is room: what all machines of a layer pass is
// at least the value.
func (p *Problem) Routes(plan []Range) []Route {
	if len(plan) == 0 {
		return nil
	}
	g := newGrid(p)
	order := make([]int, len(plan))
	room := make([]int64, len(plan))
	carries := make([]int64, len(plan))
	for i, r := range plan {
		order[i] = i
		room[i] = int64(math.Ceil(math.Ldexp(p.Throughput(r), g.shift)))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(plan[b].End(), plan[a].End()) })
	var routes []Route
	hand := func(from int, amount int64, l int) {
		for _, to := range order {
			if amount == 0 {
				return
			}
			if plan[to].First > l || plan[to].End() <= l || room[to] == 0 {
				continue
			}
			x := min(amount, room[to])
			amount, room[to], carries[to] = amount-x, room[to]-x, carries[to]+x
			routes = append(routes, Route{from, to, g.tokens(x)})
		}
	}
	hand(Outside, g.worth(p, plan), 0)
	for l := 1; l < p.Layers; l++ {
		for i, r := range plan {
			if r.End() == l {
				hand(i, carries[i], l)
			}
		}
	}
	for i, r := range plan {
		if r.End() == p.Layers && carries[i] > 0 {
			routes = append(routes, Route{i, Outside, g.tokens(carries[i])})
		}
	}
	return routes
}
