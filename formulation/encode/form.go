package encode

import "partita/solver/path"

// form is a linear form over a path: the sum over its stages of unit[r]·units +
// time·τ + stage + fee·Fee, plus peak·T. Every condition of the problem but the
// packing of awkward sizes is a bound on such a form.
type form struct {
	unit  []int64 // by resource; nil is all zero
	time  [2]int64
	peak  [2]int64
	stage int64
	fee   int64
}

// row is a form with its bound: form ≤ bound, or = bound.
type row struct {
	name  string
	form  form
	bound int64
	equal bool
}

// of is the coefficient of an arc.
func (f *form) of(a *arc) int64 {
	c := f.time[0]*a.time[0] + f.time[1]*a.time[1] + f.stage + f.fee*a.fee
	if f.unit != nil {
		c += f.unit[a.resource] * int64(a.units)
	}
	return c
}

// at is the peak part of the form where T is known to be at least low.
func (f *form) at(low [2]int64) int64 { return f.peak[0]*low[0] + f.peak[1]*low[1] }

// constant: no arc has a coefficient, whatever the path.
func (f *form) constant() bool {
	for _, u := range f.unit {
		if u != 0 {
			return false
		}
	}
	return f.time == [2]int64{} && f.stage == 0 && f.fee == 0
}

// totals is what a path comes to in the terms of a form.
type totals struct {
	used  []int64
	time  [2]int64
	stage int64
	fee   int64
}

func (t *totals) add(a *arc) {
	t.used[a.resource] += int64(a.units)
	t.time[0] += a.time[0]
	t.time[1] += a.time[1]
	t.stage++
	t.fee += a.fee
}

// on is the arc part of the form on a path with these totals.
func (f *form) on(t *totals) int64 {
	v := f.time[0]*t.time[0] + f.time[1]*t.time[1] + f.stage*t.stage + f.fee*t.fee
	for r, u := range f.unit {
		v += u * t.used[r]
	}
	return v
}

// metricForms are the linear forms whose maximum is Σ weight_p·F_p + fee·Fee, because
// F_p = max(Sum_p·Λ_p + Peak_p·T_p, Rate_p·T_p): one form for each choice of a branch
// in each phase. The first form takes the sums; rate says in which phases the branch
// Rate_p·T_p is worth considering.
func metricForms(p *path.Problem, weight [2]int64, fee int64, rate [2]bool) []form {
	forms := []form{{fee: fee}}
	for f, phase := range p.Phases {
		w := weight[f]
		if w == 0 {
			continue
		}
		if phase.Sum == 0 {
			for i := range forms {
				forms[i].peak[f] = w * max(phase.Peak, phase.Rate)
			}
			continue
		}
		bare := forms
		forms = make([]form, 0, 2*len(bare))
		for _, b := range bare {
			b.time[f], b.peak[f] = w*phase.Sum, w*phase.Peak
			forms = append(forms, b)
		}
		if rate[f] {
			for _, b := range bare {
				b.peak[f] = w * phase.Rate
				forms = append(forms, b)
			}
		}
	}
	return forms
}

// feeUnit is the coefficient of fees in the objective: 0 where there are none, so that
// a pure bottleneck objective is seen to be one.
func feeUnit(p *path.Problem) int64 {
	for _, options := range p.Options {
		for _, o := range options {
			if o.Fee != 0 {
				return 1
			}
		}
	}
	return 0
}

// rateCanWin says in which phases Rate·T can exceed Sum·Λ + Peak·T, given sumLow ≤ Λ
// and T = low. T ≤ Λ always, so only above Sum + Peak.
func rateCanWin(p *path.Problem, sumLow, low [2]int64) (rate [2]bool) {
	for f, phase := range p.Phases {
		rate[f] = phase.Rate > phase.Sum+phase.Peak && phase.Rate*low[f] > phase.Sum*sumLow[f]+phase.Peak*low[f]
	}
	return rate
}

// rateMayWin is rateCanWin where nothing is known of Λ and T.
func rateMayWin(p *path.Problem) (rate [2]bool) {
	for f, phase := range p.Phases {
		rate[f] = phase.Rate > phase.Sum+phase.Peak
	}
	return rate
}
