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
	Phase     path.Phase // of phase 1; phase 0 has no weight
	Send      bool
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
	work := make([]int64, f.Layers)
	for i := range work {
		work[i] = int64(400 + r.IntN(1200))
	}
	type way struct {
		pool, units int32
		percent     int64 // of the time on one GPU of the fastest pool
		floor       int64 // ticks a stage takes whatever its length
		most        int   // layers that fit
	}
	var ways []way
	for k, gpus := range f.Pools {
		p.Resources = append(p.Resources, path.Resource{Capacity: gpus, Exact: true})
		percent := int64(100)
		if k > 0 {
			percent = int64(150 + r.IntN(650))
		}
		for d := 1; d <= f.MaxDegree && d <= gpus; d *= 2 {
			ways = append(ways, way{int32(k), int32(d), percent, int64(r.IntN(200)), 12 * d})
			percent = percent * 100 / int64(160+r.IntN(30))
		}
	}
	for a := range n {
		for b := range n {
			p.Class[a*n+b] = -1
		}
		total := int64(0)
		for b := a + 1; b < n; b++ {
			total += work[b-1]
			var options []path.Option
			for i, w := range ways {
				if b-a > w.most {
					continue
				}
				t := total*w.percent/100 + w.floor + int64(r.IntN(20))
				options = append(options, path.Option{Group: w.pool, Resource: w.pool, Units: w.units, Time: [2]int64{t, t}, Ref: int32(i)})
			}
			if options != nil {
				p.Class[a*n+b] = int32(len(p.Options))
				p.Options = append(p.Options, options)
			}
		}
	}
	if f.Send {
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
	return p
}
