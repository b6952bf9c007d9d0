package pathtest

import (
	"math/rand/v2"

	"partita/solver/path"
)

// Family describes a problem that grows: layers with unlike times, pools of unlike
// GPUs, tensor degrees 1 … MaxDegree (powers of two). Every GPU must be used.
type Family struct {
	Name      string
	Layers    int
	Pools     []int // GPUs of each pool
	MaxDegree int
	Phase     path.Phase // of phase 1
	Send      bool
	// Prefill gives phase 0 a weight as well: times of its own, and Λ + 7·T.
	Prefill bool
	// Balance is 1-ε in per cent, 0: free.
	Balance int64
	// Alike: all layers take the same, and intervals of one length are one class.
	Alike bool
}

// Families are the instances that the solvers are measured on: the rows of the
// table of measured times in docs/formulation.md, with stage times all different.
func Families() []Family {
	peak, both := path.Phase{Rate: 1}, path.Phase{Sum: 1, Peak: 1}
	return []Family{
		{Name: "80x16/peak", Layers: 80, Pools: []int{16}, MaxDegree: 1, Phase: peak},
		{Name: "126x16/peak", Layers: 126, Pools: []int{16}, MaxDegree: 1, Phase: peak},
		{Name: "2pools80x16/peak", Layers: 80, Pools: []int{8, 8}, MaxDegree: 2, Phase: peak},
		{Name: "2pools80x16/sum+peak", Layers: 80, Pools: []int{8, 8}, MaxDegree: 2, Phase: both},
		{Name: "3pools80x32/peak", Layers: 80, Pools: []int{8, 8, 16}, MaxDegree: 4, Phase: peak},
		{Name: "3pools80x32/sum+peak", Layers: 80, Pools: []int{8, 8, 16}, MaxDegree: 4, Phase: both},
		{Name: "3pools80x32/send", Layers: 80, Pools: []int{8, 8, 16}, MaxDegree: 4, Phase: both, Send: true},
		{Name: "3pools80x32/balanced", Layers: 80, Pools: []int{8, 8, 16}, MaxDegree: 4, Phase: both, Balance: 75},
		{Name: "3pools80x32/serving", Layers: 80, Pools: []int{8, 8, 16}, MaxDegree: 8, Phase: path.Phase{Sum: 1, Rate: 8}, Send: true, Prefill: true, Balance: 75},
		{Name: "3pools80x32/alike", Layers: 80, Pools: []int{8, 8, 16}, MaxDegree: 8, Phase: path.Phase{Sum: 1, Rate: 8}, Send: true, Prefill: true, Balance: 75, Alike: true},
		{Name: "4pools126x64/sum+peak", Layers: 126, Pools: []int{16, 16, 16, 16}, MaxDegree: 8, Phase: both},
	}
}

// Problem is the instance of the family that the seed gives. A layer takes 400 to
// 1,600 ticks on the fastest pool; a pool is up to eight times slower (an H100 beside
// a T4); doubling the degree divides the time by 1.6 to 1.9.
func (f Family) Problem(seed uint64) *path.Problem {
	r := rand.New(rand.NewPCG(seed, uint64(f.Layers)))
	n := f.Layers + 1
	p := &path.Problem{
		Boundaries: n,
		Class:      make([]int32, n*n),
		Phases:     [2]path.Phase{{Sum: 1}, f.Phase},
		Weight:     [2]int64{0, 1},
		Limit:      [2]int64{path.NoLimit, path.NoLimit},
	}
	if f.Prefill {
		p.Phases[0], p.Weight[0] = path.Phase{Sum: 1, Peak: 7}, 1
	}
	if f.Balance > 0 {
		p.BalanceNum, p.BalanceDen = f.Balance, 100
	}
	f.intervals(p, r)
	if f.Send {
		f.sends(p, r)
	}
	return p
}

// way is one kind of option: a pool and a degree.
type way struct {
	pool, units int32
	percent     [2]int64 // of the time on one GPU of the fastest pool, by phase
	floor       int64    // ticks a stage takes whatever its length
	most        int      // layers that fit
}

func (f Family) ways(p *path.Problem, r *rand.Rand) []way {
	var ways []way
	for k, gpus := range f.Pools {
		p.Resources = append(p.Resources, path.Resource{Capacity: gpus, Exact: true})
		percent := int64(100)
		if k > 0 {
			percent = int64(150 + r.IntN(650))
		}
		// Prefill and decode favour different GPUs.
		prefill := percent * int64(80+r.IntN(80)) / 100
		for d := 1; d <= f.MaxDegree && d <= gpus; d *= 2 {
			ways = append(ways, way{int32(k), int32(d), [2]int64{prefill, percent}, int64(r.IntN(200)), 12 * d})
			gain := int64(160 + r.IntN(30))
			percent, prefill = percent*100/gain, prefill*100/gain
		}
	}
	return ways
}

// intervals gives every interval its class and every class its options.
func (f Family) intervals(p *path.Problem, r *rand.Rand) {
	work := make([]int64, f.Layers)
	for i := range work {
		work[i] = int64(400 + r.IntN(1200))
		if f.Alike {
			work[i] = 1000
		}
	}
	ways, n := f.ways(p, r), p.Boundaries
	for i := range p.Class {
		p.Class[i] = -1
	}
	for a := range n {
		total := int64(0)
		for b := a + 1; b < n; b++ {
			total += work[b-1]
			if f.Alike && a > 0 {
				p.Class[a*n+b] = p.Class[b-a]
				continue
			}
			var options []path.Option
			for i, w := range ways {
				if b-a > w.most {
					continue
				}
				o := path.Option{Group: w.pool, Resource: w.pool, Units: w.units, Ref: int32(i)}
				for phase := range o.Time {
					o.Time[phase] = total*w.percent[phase]/100 + w.floor + int64(r.IntN(20))
				}
				options = append(options, o)
			}
			if options != nil {
				p.Class[a*n+b] = int32(len(p.Options))
				p.Options = append(p.Options, options)
			}
		}
	}
}

// sends charges more between pools than within one.
func (f Family) sends(p *path.Problem, r *rand.Rand) {
	p.Send = make([][][2]int64, len(f.Pools))
	for i := range p.Send {
		p.Send[i] = make([][2]int64, len(f.Pools))
		for j := range p.Send[i] {
			t := int64(30)
			if i != j {
				t = int64(200 + r.IntN(200))
			}
			p.Send[i][j] = [2]int64{t, t}
		}
	}
}
