package ideals

// Units are the sets of nodes that Solve keeps together, each ascending, in an order in
// which the forward pass goes forward; before lists the units that come before each, by
// index. Any linear order of the units that keeps theirs can be cut into stages.
func Units(p *Problem) (members, before [][]int) {
	c := contract(p)
	return c.members, c.preds
}
