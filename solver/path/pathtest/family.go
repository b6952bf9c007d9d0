package pathtest

import (
	"math/rand/v2"

	"partita/solver/path"
)

// Family describes a problem that grows: layers with unlike times, pools of unlike
// GPUs, tensor degrees MinDegree … MaxDegree (doubling; 0 is 1). Every GPU must be used.
type Family struct {
	Name      string
	Layers    int
	Pools     []int // GPUs of each pool
	MinDegree int
	MaxDegree int
	Phase     path.Phase // of phase 1
	Send      bool
	// Prefill gives phase 0 a weight as well: times of its own, and Λ + 7·T.
	Prefill bool
	// Balance is 1-ε in per cent, 0: free.
	Balance int64
	// Alike: all layers take the same, and intervals of one length are one class, less
	// those with the first layer or the last.
	Alike bool
	// Idle: GPUs may stay unused.
	Idle bool
}

// Families are the instances that the solvers are measured on: the rows of the
// table of measured times in docs/formulation.md, with stage times all different,
// and what real conditions add to them.
func Families() []Family {
	peak, both := path.Phase{Rate: 1}, path.Phase{Sum: 1, Peak: 1}
	two, three := []int{8, 8}, []int{8, 8, 16}
	return []Family{
		{Name: "32x8/peak", Layers: 32, Pools: []int{8}, MaxDegree: 1, Phase: peak},
		{Name: "80x16/peak", Layers: 80, Pools: []int{16}, MaxDegree: 1, Phase: peak},
		{Name: "126x16/peak", Layers: 126, Pools: []int{16}, MaxDegree: 1, Phase: peak},
		{Name: "2pools80x16/peak", Layers: 80, Pools: two, MaxDegree: 2, Phase: peak},
		{Name: "2pools80x16/sum+peak", Layers: 80, Pools: two, MaxDegree: 2, Phase: both},
		{Name: "3pools80x32/peak", Layers: 80, Pools: three, MaxDegree: 4, Phase: peak},
		{Name: "3pools80x32/sum+peak", Layers: 80, Pools: three, MaxDegree: 4, Phase: both},
		{Name: "3pools80x32/send", Layers: 80, Pools: three, MaxDegree: 4, Phase: both, Send: true},
		{Name: "3pools80x32/balanced", Layers: 80, Pools: three, MaxDegree: 4, Phase: both, Balance: 75},
		{Name: "3pools80x32/serving", Layers: 80, Pools: three, MaxDegree: 8, Phase: path.Phase{Sum: 1, Rate: 8}, Send: true, Prefill: true, Balance: 75},
		{Name: "3pools80x32/alike", Layers: 80, Pools: three, MaxDegree: 8, Phase: path.Phase{Sum: 1, Rate: 8}, Send: true, Prefill: true, Balance: 75, Alike: true},
		{Name: "4pools126x64/peak", Layers: 126, Pools: []int{16, 16, 16, 16}, MaxDegree: 8, Phase: peak},
		{Name: "4pools126x64/sum+peak", Layers: 126, Pools: []int{16, 16, 16, 16}, MaxDegree: 8, Phase: both},
		{Name: "4pools126x256/tp4,8/peak", Layers: 126, Pools: []int{64, 64, 64, 64}, MinDegree: 4, MaxDegree: 8, Phase: peak},
		{Name: "4pools126x256/tp4,8/sum+peak", Layers: 126, Pools: []int{64, 64, 64, 64}, MinDegree: 4, MaxDegree: 8, Phase: both},
	}
}

// Large are instances of up to 1,024 GPUs, and the homogeneous one.
func Large() []Family {
	peak, both := path.Phase{Rate: 1}, path.Phase{Sum: 1, Peak: 1}
	serving := path.Phase{Sum: 1, Rate: 8}
	even, odd := []int{256, 256, 256, 256}, []int{512, 256, 160, 96}
	quarter := []int{64, 64, 64, 64}
	return []Family{
		{Name: "alike126x16/peak", Layers: 126, Pools: []int{16}, MaxDegree: 8, Phase: peak, Alike: true},
		{Name: "alike126x16/sum+peak", Layers: 126, Pools: []int{16}, MaxDegree: 8, Phase: both, Alike: true},
		{Name: "alike126x1024/sum+peak", Layers: 126, Pools: []int{1024}, MaxDegree: 16, Phase: both, Alike: true},
		{Name: "4pools126x256/peak", Layers: 126, Pools: quarter, MaxDegree: 8, Phase: peak},
		{Name: "4pools126x256/sum+peak", Layers: 126, Pools: quarter, MaxDegree: 8, Phase: both},
		{Name: "alike4pools126x256/sum+peak", Layers: 126, Pools: quarter, MaxDegree: 8, Phase: both, Alike: true},
		{Name: "alike4pools126x1024/peak", Layers: 126, Pools: even, MaxDegree: 16, Phase: peak, Alike: true},
		{Name: "alike4pools126x1024/sum+peak", Layers: 126, Pools: even, MaxDegree: 16, Phase: both, Alike: true},
		{Name: "alike4pools126x1024/odd", Layers: 126, Pools: odd, MaxDegree: 16, Phase: both, Alike: true},
		{Name: "alike4pools126x1024/idle", Layers: 126, Pools: even, MaxDegree: 8, Phase: both, Alike: true, Idle: true},
		{Name: "alike4pools126x1024/send", Layers: 126, Pools: even, MaxDegree: 16, Phase: both, Send: true, Alike: true},
		{Name: "alike4pools126x1024/balanced", Layers: 126, Pools: even, MaxDegree: 16, Phase: both, Balance: 75, Alike: true},
		{Name: "alike4pools126x1024/serving", Layers: 126, Pools: even, MaxDegree: 16, Phase: serving, Send: true, Prefill: true, Balance: 75, Alike: true},
		{Name: "4pools126x1024/peak", Layers: 126, Pools: even, MaxDegree: 16, Phase: peak},
		{Name: "4pools126x1024/sum+peak", Layers: 126, Pools: even, MaxDegree: 16, Phase: both},
		{Name: "4pools126x1024/idle/peak", Layers: 126, Pools: even, MaxDegree: 8, Phase: peak, Idle: true},
		{Name: "4pools126x1024/idle/sum+peak", Layers: 126, Pools: even, MaxDegree: 8, Phase: both, Idle: true},
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
		p.Resources = append(p.Resources, path.Resource{Capacity: gpus, Exact: !f.Idle})
		percent := int64(100)
		if k > 0 {
			percent = int64(150 + r.IntN(650))
		}
		// Prefill and decode favour different GPUs.
		prefill := percent * int64(80+r.IntN(80)) / 100
		for d := max(1, f.MinDegree); d <= f.MaxDegree && d <= gpus; d *= 2 {
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
			if f.Alike && a > 1 && b < n-1 {
				p.Class[a*n+b] = p.Class[n+1+b-a]
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
