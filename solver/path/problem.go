// Package path solves the stage-graph problem exactly: the best path through the
// boundaries of a chain under resource counts, with sum and bottleneck times.
//
//	nodes    boundaries 0 … Boundaries-1; a path goes from the first to the last
//	arcs     an interval [a, b) of class Class(a, b) run by one of the options of
//	         that class; every figure is an integer
//	Λ_p      Σ of Time[p] over the arcs of the path           (sum of phase p)
//	T_p      max of Time[p] over the arcs of the path         (bottleneck of phase p)
//	F_p      max(Sum_p·Λ_p + Peak_p·T_p, Rate_p·T_p)          (metric of phase p)
//	J        Weight_0·F_0 + Weight_1·F_1 + Σ Fee              (objective, minimised)
//
// subject to F_p ≤ Limit_p, the resource counts, node packing, and balance
// min Time[1] ≥ (1-ε)·max Time[1]. The package knows integers, not GPUs.
package path

import "math"

// NoLimit is a bound that never binds.
const NoLimit = math.MaxInt64

// Problem is one placement problem with every outer choice fixed. Plain data; it
// is not changed by solving it.
type Problem struct {
	// Boundaries is the number of nodes, layers + 1.
	Boundaries int
	// Class maps the interval [a, b) to its class, at index a*Boundaries+b; -1
	// where no option runs it.
	Class []int32
	// Options of each class. Intervals of one class cost the same.
	Options [][]Option
	// Send is added to the time of a stage of resource group i whose successor
	// belongs to group j (Option.Group); nil where nothing is charged. The last
	// stage sends nothing.
	Send [][][2]int64
	// Resources that options consume.
	Resources []Resource
	// Packings are conditions on the counts of differently sized groups.
	Packings []Packing
	Phases   [2]Phase
	Weight   [2]int64
	Limit    [2]int64 // NoLimit where none
	// Cap bounds a second combination of the metrics (a tie-break keeps the first
	// objective at its optimum); nil where none.
	Cap *Cap
	// BalanceNum/BalanceDen = 1-ε: min Time[1]·Den ≥ Num·max Time[1]. Num 0: free.
	BalanceNum, BalanceDen int64
	// MinStages and MaxStages bound the number of arcs of the path; 0: no bound.
	MinStages, MaxStages int
}

// Option is one way to run an interval.
type Option struct {
	Group    int32 // index into Send: the device pool
	Resource int32 // index into Resources
	Units    int32 // taken from the resource, > 0
	Time     [2]int64
	Fee      int64
	Ref      int32 // the caller's own handle
}

// Resource is a capacity. Exact: the path must use it up.
type Resource struct {
	Capacity int
	Exact    bool
}

// Packing says that groups counted by several resources share bins (nodes).
// Resource Resources[i] counts GPUs in groups of Sizes[i]. Copies replicas of the
// path must fit into the bins together, no group across bins. Total ≥ 0: the
// resources of one path must add up to exactly Total.
type Packing struct {
	Resources []int
	Sizes     []int
	Bins      []int
	Copies    int
	Total     int
}

// Phase says how the metric of a phase follows from Λ and T.
type Phase struct{ Sum, Peak, Rate int64 }

// Metric is F = max(Sum·Λ + Peak·T, Rate·T).
func (p Phase) Metric(sum, peak int64) int64 {
	return max(p.Sum*sum+p.Peak*peak, p.Rate*peak)
}

// Cap is the bound Σ Weight_p·F_p ≤ Max.
type Cap struct {
	Weight [2]int64
	Max    int64
}

// ClassOf is the class of [a, b), -1 where nothing runs it.
func (p *Problem) ClassOf(a, b int) int32 { return p.Class[a*p.Boundaries+b] }

// Stage is one arc of a path: the interval [From, To) run by Options[Class][Option].
type Stage struct {
	From, To      int
	Class, Option int32
}

// Value is what a path amounts to.
type Value struct {
	Sum, Peak, Low [2]int64 // Λ, T and min of Time by phase, sends included
	Metric         [2]int64 // F
	Fee            int64
	Objective      int64 // J
}
