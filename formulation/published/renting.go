package published

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"partita/inputs/instance"
)

// renting finds every way to rent that no other beats: label setting over the types of
// instances. Layers are alike and so are instances of a type, so a way is what it uses
// of each type, in the order of the file. A label is (layers held, stages), its value
// the pair (price, slowest segment); of two labels that hold as many layers in as many
// stages, one that is dearer and no faster is dropped. What is left in the end answers
// every budget and every price at once.
type renting struct {
	rental *instance.Rental
	prices []int64 // of an instance of each type, in nano-dollars an hour
	most   int     // labels that may be made
	made   int
	tried  int
}

// mostLabels is how many labels a search may make: about a GiB. The published rentals
// take some thousands.
const mostLabels = 1 << 23

// errTooLarge says that a rental has too many labels.
var errTooLarge = errors.New("too many labels")

// goOn is asked before every step; the error is that of the context, or errTooLarge.
func (x *renting) goOn(ctx context.Context) error {
	if x.made > x.most {
		return errTooLarge
	}
	if x.tried++; x.tried%4096 == 0 {
		return ctx.Err()
	}
	return nil
}

// way is a label: a renting of some of the types.
type way struct {
	layers, stages int
	price          int64   // nano-dollars an hour
	tokens         float64 // of the slowest segment; +Inf: no segment yet
	use            *use    // of the last type used
	before         *way
}

// use fills Count instances of a type with segments, every GPU of them.
type use struct {
	count          int // of a complete use
	layers, stages int
	gpus           int
	tokens         float64
	segment        int // the last one, by its index; -1: none yet
	before         *use
}

// nanos is an amount of dollars in billionths: amounts are compared as integers, so that
// sums of decimal prices do not miss a budget by a rounding error.
func nanos(usd float64) int64 {
	return int64(math.Round(min(usd, math.MaxInt64/2e9) * 1e9))
}

func newRenting(r *instance.Rental) *renting {
	x := &renting{rental: r, most: mostLabels}
	for _, t := range r.Types {
		x.prices = append(x.prices, nanos(t.USDPerHour))
	}
	return x
}

// ways are the complete rentings that no other beats, by stages, then price. With an error,
// that of the context or errTooLarge, they are those on the types looked at until then.
func (x *renting) ways(ctx context.Context) ([]*way, error) {
	x.made, x.tried = 0, 0
	labels, err := map[held][]*way{{}: {{tokens: math.Inf(1)}}}, ctx.Err()
	for k := 0; k < len(x.rental.Types) && err == nil; k++ {
		var uses []*use
		if uses, err = x.uses(ctx, k); err == nil {
			labels, err = x.extend(ctx, k, labels, uses)
		}
	}
	var out []*way
	for stages := 1; stages <= x.rental.MaxStages; stages++ {
		out = append(out, labels[held{x.rental.Layers, stages}]...)
	}
	return out, err
}

// held is what labels are kept by.
type held struct{ layers, stages int }

// extend adds the uses of a type to labels, which stay as they are.
func (x *renting) extend(ctx context.Context, k int, labels map[held][]*way, uses []*use) (map[held][]*way, error) {
	from := make([]held, 0, len(labels))
	for s := range labels {
		from = append(from, s)
	}
	slices.SortFunc(from, func(a, b held) int {
		return cmp.Or(cmp.Compare(a.layers, b.layers), cmp.Compare(a.stages, b.stages))
	})
	next := make(map[held][]*way, len(labels))
	for s, list := range labels {
		next[s] = slices.Clone(list)
	}
	for _, s := range from {
		for _, w := range labels[s] {
			for _, u := range uses {
				if err := x.goOn(ctx); err != nil {
					return next, err
				}
				to := held{s.layers + u.layers, s.stages + u.stages}
				if to.layers > x.rental.Layers || to.stages > x.rental.MaxStages {
					continue
				}
				before := len(next[to])
				next[to] = insert(next[to], &way{to.layers, to.stages, w.price + int64(u.count)*x.prices[k], min(w.tokens, u.tokens), u, w})
				x.made += len(next[to]) - before
			}
		}
	}
	return next, nil
}

// insert keeps a list in rising price and tokens, without labels that are beaten; of
// equals the first stays.
func insert(list []*way, w *way) []*way {
	at, _ := slices.BinarySearchFunc(list, w, func(a, b *way) int { return cmp.Compare(a.price, b.price) })
	if at < len(list) && list[at].price == w.price && list[at].tokens >= w.tokens || at > 0 && list[at-1].tokens >= w.tokens {
		return list
	}
	end := at
	for end < len(list) && list[end].tokens <= w.tokens {
		end++
	}
	return slices.Replace(list, at, end, w)
}

// uses are the ways to fill instances of a type, for each number of instances, layers and
// stages the fastest.
//
// Tensor-parallel groups are aligned powers of two. They fill n instances of g GPUs if
// and only if they add up to n·g, and those of s GPUs or more take at most n·⌊g/s⌋·s for
// every s: placed from the largest, each group then finds an aligned place.
func (x *renting) uses(ctx context.Context, k int) ([]*use, error) {
	var segments []int
	for i, s := range x.rental.Segments {
		if s.Type == x.rental.Types[k].Name && s.Layers <= x.rental.Layers {
			segments = append(segments, i)
		}
	}
	slices.SortStableFunc(segments, func(a, b int) int { return x.rental.Segments[b].TP - x.rental.Segments[a].TP })
	most := min(x.rental.Types[k].Count, x.rental.MaxStages)
	divides := !slices.ContainsFunc(segments, func(i int) bool { return x.rental.Types[k].GPUs%x.rental.Segments[i].TP != 0 })
	if divides { // there is room for n·g GPUs of any groups: one search for all n
		return x.fill(ctx, k, most, 1, segments)
	}
	var out []*use
	for count := 1; count <= most; count++ {
		filled, err := x.fill(ctx, k, count, count, segments)
		if err != nil {
			return nil, err
		}
		out = append(out, filled...)
	}
	return out, nil
}

// fill is uses in the room of a number of instances, for that number and others down to
// least: segments from the largest group down, each as often as it fits.
func (x *renting) fill(ctx context.Context, k, count, least int, segments []int) ([]*use, error) {
	type state struct{ gpus, layers int }
	gpus := x.rental.Types[k].GPUs
	labels := make([]map[state]*use, x.rental.MaxStages+1) // by stages
	labels[0] = map[state]*use{{}: {tokens: math.Inf(1), segment: -1}}
	for _, i := range segments {
		s := &x.rental.Segments[i]
		room := count * (gpus / s.TP) * s.TP
		for stages := range x.rental.MaxStages {
			// Each label leads to one of its own: the order of the map does not matter.
			for at, u := range labels[stages] {
				if err := x.goOn(ctx); err != nil {
					return nil, err
				}
				to := state{at.gpus + s.TP, at.layers + s.Layers}
				if to.gpus > room || to.layers > x.rental.Layers {
					continue
				}
				tokens := min(u.tokens, s.TokensPerS)
				if labels[stages+1] == nil {
					labels[stages+1] = map[state]*use{}
				}
				if old := labels[stages+1][to]; old == nil || tokens > old.tokens {
					labels[stages+1][to] = &use{0, to.layers, stages + 1, to.gpus, tokens, i, u}
					x.made++
				}
			}
		}
	}
	var out []*use
	for _, at := range labels {
		for _, u := range at {
			if u.count = u.gpus / gpus; u.gpus%gpus == 0 && u.count >= least {
				out = append(out, u)
			}
		}
	}
	slices.SortFunc(out, func(a, b *use) int {
		return cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(a.stages, b.stages), cmp.Compare(a.layers, b.layers))
	})
	return out, nil
}

// segments are those of a way, by their indices: types in the order of the file, of each
// the largest groups first.
func (w *way) segments() []int {
	var out []int
	for ; w.use != nil; w = w.before {
		for u := w.use; u.segment >= 0; u = u.before {
			out = append(out, u.segment)
		}
	}
	slices.Reverse(out)
	return out
}
