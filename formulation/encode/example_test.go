package encode_test

import (
	"context"
	"fmt"

	"partita/formulation/encode"
	"partita/solver/path"
	"partita/solver/sat"
)

// Four equal layers on a fast device, which runs a layer in 10 ticks, and a slow one,
// which takes 30; both must be used. The bottleneck decides.
func ExampleSolve() {
	p := &path.Problem{
		Boundaries: 5,
		Class:      make([]int32, 25),
		Resources:  []path.Resource{{Capacity: 1, Exact: true}, {Capacity: 1, Exact: true}},
		Phases:     [2]path.Phase{{}, {Rate: 1}},
		Weight:     [2]int64{0, 1},
		Limit:      [2]int64{path.NoLimit, path.NoLimit},
	}
	for i := range p.Class {
		p.Class[i] = int32(i%5-i/5) - 1 // by length; below 0 where the interval is empty
	}
	for n := int64(1); n <= 4; n++ {
		p.Options = append(p.Options, []path.Option{
			{Resource: 0, Units: 1, Time: [2]int64{0, 10 * n}},
			{Resource: 1, Units: 1, Time: [2]int64{0, 30 * n}},
		})
	}
	r, err := encode.Solve(context.Background(), p, sat.New(), encode.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Status, r.Value.Objective)
	for _, s := range r.Stages {
		fmt.Printf("layers [%d, %d) on device %d\n", s.From, s.To, s.Option)
	}
	// Output:
	// optimal 30
	// layers [0, 1) on device 1
	// layers [1, 4) on device 0
}
