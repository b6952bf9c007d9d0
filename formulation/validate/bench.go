package validate

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/profile"
	"partita/inputs/read"
)

// Constants are those that a row of a family is priced with on a generation of devices;
// nil: the built-in ones.
type Constants func(generation, family string) *inputs.Profile

// Unseen are the constants that were fitted without the row's family: what a row that
// was fitted on is evidence of nothing but the fit without.
func Unseen(generation, family string) *inputs.Profile { return profile.Without(generation, family) }

// Bench holds the rows of a table mapped to conditions, to be priced many times with
// other constants. It is not safe for concurrent use, and prices with all processors.
type Bench struct {
	rows    []measured.Row
	lib     known
	packs   []read.Override
	found   []outcome // mapped, not priced
	trainer *trainPricer
	order   []*pricer
	of      map[*pricer][]int // rows of a deployment, in the order of the table
}

// NewBench maps the rows.
func NewBench(rows []measured.Row) (*Bench, error) { return NewBenchWith(rows, nil) }

// NewBenchWith maps the rows with the devices, models and constants of packs of knowledge.
func NewBenchWith(rows []measured.Row, packs []read.Override) (*Bench, error) {
	lib, err := read.Catalog(packs)
	if err != nil {
		return nil, err
	}
	reader, err := read.NewReader("")
	if err != nil {
		return nil, err
	}
	b := &Bench{rows: rows, lib: known{lib}, packs: packs, found: make([]outcome, len(rows)), trainer: newTrainPricer(reader, packs), of: map[*pricer][]int{}}
	by := map[deployment]*pricer{}
	for i := range rows {
		o := &b.found[i]
		if o.mapRow(b.lib, &rows[i]); !o.mapped {
			continue
		}
		p := by[o.deployment]
		if p == nil {
			p = newPricer(reader, o.deployment)
			p.packs = packs
			by[o.deployment] = p
			b.order = append(b.order, p)
		}
		b.of[p] = append(b.of[p], i)
	}
	return b, nil
}

// Case is a row as a fit or a score sees it.
type Case struct {
	Row        *measured.Row
	Generation string  // of its devices; "" where they are not known
	Predicted  float64 // in the unit of the row; 0 where nothing is
	// Total is what the metric is counted under over all families.
	Total string
}

// Price predicts the rows that are asked for (nil: all) and returns a case for each row of the
// table, in its order.
func (b *Bench) Price(ctx context.Context, constants Constants, asked func(*measured.Row) bool) ([]Case, error) {
	found, err := b.price(ctx, constants, asked)
	if err != nil {
		return nil, err
	}
	out := make([]Case, len(found))
	for i := range found {
		o := &found[i]
		c := Case{Row: &b.rows[i], Predicted: o.predicted}
		if o.why != "" {
			c.Predicted = 0
		}
		if o.mapped || o.micro != nil || o.trained != nil {
			c.Generation, c.Total = b.lib.generation(b.rows[i].GPU), o.quantity.total()
		}
		out[i] = c
	}
	return out, nil
}

func (k known) generation(gpu string) string {
	a, _ := k.Accelerator(gpu)
	return a.Generation
}

// both prices all rows with the constants in use, and those of families that were fitted
// on once more with the constants that did not see them.
func (b *Bench) both(ctx context.Context) ([]outcome, error) {
	found, err := b.price(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range profile.Fits() {
		for family := range f.Without {
			seen[family] = true
		}
	}
	if len(seen) == 0 || len(b.packs) > 0 { // constants of packs were fitted elsewhere
		return found, nil
	}
	unseen, err := b.price(ctx, Unseen, func(r *measured.Row) bool { return seen[r.Family] })
	for i := range unseen {
		found[i].hold(&unseen[i])
	}
	return found, err
}

// hold takes a row's prediction by the constants that did not see its family. Where they
// give none there is nothing to hold against the measurement: what the others predict has
// seen it, so that the row is skipped for the reason.
func (o *outcome) hold(unseen *outcome) {
	switch {
	case unseen.why == "":
		o.heldOut = unseen.predicted
	case o.why == "":
		o.failed = failed{withoutFamily + unseen.why, unseen.unfit}
		o.predicted = 0
	}
}

// withoutFamily begins the reason of a row that only the constants in use predict.
const withoutFamily = "by constants fitted without the family: "

// price prices deployments, several at a time.
func (b *Bench) price(ctx context.Context, constants Constants, asked func(*measured.Row) bool) ([]outcome, error) {
	found := slices.Clone(b.found)
	wanted := func(i int) bool { return asked == nil || asked(&b.rows[i]) }
	for i := range found {
		if found[i].micro != nil && wanted(i) {
			found[i].priceAlone(b.lib, &b.rows[i], constants)
		}
		if found[i].trained != nil && wanted(i) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := found[i].priceTrained(b.trainer, &b.rows[i], constants); err != nil {
				return nil, err
			}
		}
	}
	// Workers take the next deployment each; they write to rows of their own.
	var workers sync.WaitGroup
	var next atomic.Int64
	failures := make([]error, len(b.order)) // by deployment: the first is told, whoever was faster
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for at := int(next.Add(1)) - 1; at < len(b.order); at = int(next.Add(1)) - 1 {
				p := b.order[at]
				clear(p.known)
				for _, i := range b.of[p] {
					if err := ctx.Err(); err != nil {
						failures[at] = err
						return
					}
					if !wanted(i) {
						continue
					}
					p.use(constants, b.rows[i].Family, b.lib.generation(p.accelerator))
					if failures[at] = found[i].price(p); failures[at] != nil {
						return
					}
				}
			}
		})
	}
	workers.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
