package encode

import (
	"context"
	"fmt"
	"strings"

	"partita/solver"
	"partita/solver/path"
)

// Exclusion names why an option may not be used, "" where nothing speaks against it.
type Exclusion func(class, option int32) string

// exclusionConstraint is a condition that rules options out as a whole:
//
//	Σ x_c ≤ 0   over the arcs of the options that it excludes
//
// The graph of a search leaves such arcs out from the start; where a conflict is looked
// for they are in the model, so that the condition can be switched off.
type exclusionConstraint struct {
	name     string
	excluded Exclusion
}

func (c exclusionConstraint) label() string { return c.name }

// Explain is the constraint as a sentence.
func (c exclusionConstraint) Explain() string { return "no stage that " + c.name + " excludes is used" }

func (c exclusionConstraint) add(b *builder) []solver.Constraint {
	var e solver.Expr
	for i, j := range b.arcs {
		if a := &b.n.arcs[j]; c.excluded(a.class, a.option) == c.name {
			e = e.Add(1, b.x[i])
		}
	}
	if e.Len() == 0 {
		return nil
	}
	return []solver.Constraint{b.m.AtMost(c.name, e, 0)}
}

// Conflict names conditions of a problem that clash when the objective is left aside, by
// the names of their constraints ("limit_0", "limit_1", "cap", "balance", "count_2",
// "packing_0") and of exclusions. Every row is assumed but those of the path itself, and
// the rows named are a minimal set; a condition of several rows (a limit whose metric has
// two branches) may so be named beside one that all of its rows together do without.
// solver.ErrNoConflict: the problem can be satisfied. Options that are excluded carry a
// fee of 1 for the time, so that none takes the place of one that is not.
func Conflict(ctx context.Context, p *path.Problem, excluded Exclusion, b solver.Conflicter) ([]string, error) {
	own := *p
	own.Weight = [2]int64{}
	own.Options = make([][]path.Option, len(p.Options))
	var names []string
	known := map[string]bool{}
	for class, options := range p.Options {
		own.Options[class] = append([]path.Option(nil), options...)
		for i := range own.Options[class] {
			name := excluded(int32(class), int32(i))
			own.Options[class][i].Fee = 0
			if name != "" {
				own.Options[class][i].Fee = 1
				if !known[name] {
					known[name] = true
					names = append(names, name)
				}
			}
		}
	}
	n, err := newNetwork(&own)
	if err != nil {
		return nil, err
	}
	if len(n.arcs) > mostConflictArcs {
		return nil, fmt.Errorf("%d stage candidates: a conflict is looked for among %d at most", len(n.arcs), mostConflictArcs)
	}
	all := make([]int32, len(n.arcs))
	for i := range all {
		all[i] = int32(i)
	}
	m := newBuilder("conflict", n, all, knownOfAll(&own))
	m.visits = true
	list := append([]constraint{peakConstraint{&own}}, constraints(&own)...)
	for _, name := range names {
		list = append(list, exclusionConstraint{name, excluded})
	}
	m.add(list)
	if _, err := m.decoder(); err != nil {
		return nil, err
	}
	var guards []solver.Constraint
	for _, g := range m.groups {
		for _, row := range g.Rows {
			if assumed(g.Name, row.Name()) {
				guards = append(guards, row)
			}
		}
	}
	rows, err := b.Conflict(ctx, m.m, guards)
	if err != nil {
		return nil, err
	}
	var out []string
	seen := map[string]bool{}
	for _, row := range rows {
		if name := clashName(row.Name()); !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out, nil
}

// mostConflictArcs bounds the models whose conflict is looked for: clauses over all
// layers for each time of a bottleneck, some hundred thousand.
const mostConflictArcs = 3000

func knownOfAll(p *path.Problem) known { return known{p: p, cutoff: path.NoLimit, whole: true} }

// assumed says which rows can be switched off: conditions, not the rows that define the
// path, its bottleneck or its shortest stage.
func assumed(group, row string) bool {
	switch group {
	case "path", "peak", "objective":
		return false
	case "balance":
		return row == "balance"
	}
	return true
}

// clashName is the part of a row's name that tells its condition: limits and caps have
// one row for each branch of a metric, packings one for each size.
func clashName(row string) string {
	parts := strings.Split(row, "_")
	switch parts[0] {
	case "limit", "packing":
		return strings.Join(parts[:min(2, len(parts))], "_")
	case "cap":
		return "cap"
	}
	return row
}
