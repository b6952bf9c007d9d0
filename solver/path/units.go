package path

// unitRatio is the width of the windows of T in UnitBound: its bound is that much
// below the best of its kind.
const unitRatio = 1.03

// UnitBound bounds from below, over all paths of p, the objective with a share of the
// metric of phase 1 multiplied by the units used over per (at least once):
//
//	Weight_0·F_0 + Weight_1·F_1 · (1 − share + share·max(1, units/per))
//
// It is a bound for problems that differ in how many units a path must use, taken
// together: in a window of T with lower end lo every unit costs at least
// share·Weight_1·Rate_1·lo/per, which is a price, so one shortest path a window does.
// NoLimit where no path exists.
func UnitBound(p *Problem, per int, share float64) (int64, error) {
	c, err := compile(p)
	if err != nil {
		return 0, err
	}
	var least [2]int64
	for ph := range 2 {
		if least[ph] = c.minimax(c.kinds, ph); least[ph] >= infinite {
			return NoLimit, nil
		}
	}
	var most int64
	for _, legs := range c.kinds {
		for i := range legs {
			most = max(most, legs[i].time[1])
		}
	}
	f := p.Phases
	form := costForm{coef: [2]int64{p.Weight[0] * f[0].Sum, 0}, constant: p.Weight[0] * f[0].Peak * least[0]}
	rate := p.Weight[1] * max(f[1].Rate, f[1].Sum+f[1].Peak)
	lambda := make([]int64, len(p.Resources))
	best := int64(NoLimit)
	for lo := least[1]; lo <= most; {
		hi := max(lo, int64(float64(lo)*unitRatio))
		if form.constant+rate*lo >= best {
			break
		}
		kinds := make([][]leg, len(c.kinds))
		for k, legs := range c.kinds {
			for i := range legs {
				if legs[i].time[1] <= hi {
					kinds[k] = append(kinds[k], legs[i])
				}
			}
		}
		for r := range lambda {
			lambda[r] = int64(share * float64(rate*lo*priceScale) / float64(per))
		}
		if v, _ := c.newShortest(kinds).run(&form, lambda); v < infinite {
			fixed := form.constant + int64((1-share)*float64(rate*lo))
			best = min(best, max(v/priceScale+fixed, form.constant+rate*lo))
		}
		lo = hi + 1
	}
	return best, nil
}
