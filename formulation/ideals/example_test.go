package ideals_test

import (
	"context"
	"fmt"

	"partita/formulation/ideals"
)

// Two towers that meet: one on the small device, the other with what follows on the large.
func Example() {
	free := ideals.Node{Colour: ideals.NoColour}
	p := &ideals.Problem{
		Nodes: []ideals.Node{free, free, free, free},
		Edges: []ideals.Edge{{From: 0, To: 2}, {From: 1, To: 2}, {From: 2, To: 3}},
		Classes: []ideals.Class{
			{Name: "large", Count: 1, Time: []float64{4, 5, 2, 3}, Transfer: []float64{1, 1, 1, 1}, Bytes: ideals.Unlimited},
			{Name: "small", Count: 1, Time: []float64{8, 12, 4, 6}, Transfer: []float64{1, 1, 1, 1}, Bytes: ideals.Unlimited},
		},
	}
	s, err := ideals.Solve(context.Background(), p, ideals.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Status, s.Value, "ms")
	for i, stage := range s.Stages {
		fmt.Println(p.Classes[stage.Class].Name, stage.Nodes, p.Loads(s.Stages)[i], "ms")
	}
	// Output:
	// optimal 11 ms
	// small [0] 9 ms
	// large [1 2 3] 11 ms
}
