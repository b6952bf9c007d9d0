package ideals

// addGrowth sets the growth of a class: of a super-node its time, and the transfer of
// the nets that no stage can touch before it; where a net may be touched anywhere, every
// one of its super-nodes counts it.
func (k *core) addGrowth(c *class) {
	if k.after == nil {
		return
	}
	growth, sum := make([]int64, k.n), 0.0
	for v, t := range c.time {
		if t != never {
			growth[v] = t
			sum += float64(t)
		}
	}
	for e, pins := range k.pins {
		first := pins[0]
		for _, v := range pins {
			if !k.after[first].has(int(v)) {
				first = -1
				break
			}
		}
		for _, v := range pins {
			if (first < 0 || v == first) && c.time[v] != never {
				growth[v] += c.cost[e]
				sum += float64(c.cost[e])
			}
		}
	}
	if c.growth.weight = growth; sum < 1<<61 {
		k.addTail(&c.growth)
	}
}
