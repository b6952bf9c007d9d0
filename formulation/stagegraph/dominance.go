package stagegraph

// live lists, by pool, the shapes that no other shape with as many GPUs and the same
// sends beats on every class: no slower layer by layer in both phases, and fitting
// wherever it fits. What it drops, keepBest would drop class by class; dropping it
// once makes a graph an order of magnitude cheaper where experts give hundreds of
// shapes.
func (s *Space) live(price *pricing, fits [][][]bool, l *Layout) [][]int {
	out := make([][]int, len(s.pools))
	for k := range s.pools {
		for i, sh := range s.pools[k].shapes {
			if sh.GPUs() > l.GPUs[k] {
				continue
			}
			beaten := false
			kept := out[k][:0]
			for _, j := range out[k] {
				other := s.pools[k].shapes[j]
				same := other.GPUs() == sh.GPUs() && other.CP == sh.CP && other.DPAttention == sh.DPAttention
				switch {
				case beaten || !same:
				case price.noSlower(k, j, i) && covers(fits[k][j], fits[k][i]):
					beaten = true
				case price.noSlower(k, i, j) && covers(fits[k][i], fits[k][j]):
					continue
				}
				kept = append(kept, j)
			}
			if out[k] = kept; !beaten {
				out[k] = append(out[k], i)
			}
		}
	}
	return out
}

// noSlower reports whether shape i of a pool takes no longer than shape j for any
// part of a stage in either phase.
func (p *pricing) noSlower(pool, i, j int) bool {
	for _, t := range [][][]prices{p.latency, p.rate} {
		if t == nil {
			continue
		}
		a, b := &t[pool][i], &t[pool][j]
		if a.embed > b.embed || a.head > b.head || a.network > b.network {
			return false
		}
		for kind := range a.layer {
			if a.layer[kind] > b.layer[kind] {
				return false
			}
		}
		for next := range a.local {
			if a.local[next] > b.local[next] {
				return false
			}
		}
	}
	return true
}

// covers reports whether a holds wherever b does.
func covers(a, b []bool) bool {
	for i := range b {
		if b[i] && !a[i] {
			return false
		}
	}
	return true
}
