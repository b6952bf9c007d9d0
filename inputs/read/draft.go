package read

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/opgraph"
)

// rank orders the sources of a value: a higher one replaces a lower one, two of
// the same rank must agree.
type rank int

const (
	fromFile rank = iota
	fromEnvironment
	fromFlag
)

// fact is one stated value.
type fact struct {
	value     any
	statement int // index into draft.statements
	rank      rank
}

// draft collects what the sources state, before it is resolved into a Condition.
// Facts are kept by the path of their key: "workload.batch", "cluster.pools.0.count".
type draft struct {
	files *files
	lib   library
	// packs are those that are named; known is what they add, nil where there are none.
	packs      []source
	known      *known
	facts      map[string]fact
	table      map[string]key // keyTable
	statements []inputs.Statement
	problems   Diagnostics
	// pools counts the pools that are listed one by one; 0: the cluster is one pool
	// described by cluster.* alone.
	pools int
	// poolSource is the file that listed pools, and whether it is an inventory
	// (hardware JSON, nvidia-smi), of which several add up.
	poolSource string
	inventory  bool
	// hosts counts the machines of inventories.
	hosts int
	// model is what a config.json describes, modelSource its file.
	model       *inputs.Model
	modelSource string
	modelRank   rank
	// bad lists the paths of a structured file that do not fit the schema.
	bad []string
	// config is the config.json that a condition names.
	config configFile
	// graphFile is the operator graph that a condition names, graph what it says.
	graphFile   configFile
	graph       *opgraph.Model
	graphSource string
	graphRank   rank
	// unnamed: a model was named that nobody knows; said once is enough.
	unnamed     bool
	assumptions []inputs.Assumption
	warnings    []string
}

// copied is the draft so far, to be continued without changing it.
func (d *draft) copied() *draft {
	c := *d
	c.facts = maps.Clone(d.facts)
	c.statements, c.problems = slices.Clone(d.statements), slices.Clone(d.problems)
	c.packs = slices.Clone(d.packs)
	c.assumptions, c.warnings = slices.Clone(d.assumptions), slices.Clone(d.warnings)
	if d.model != nil {
		m := *d.model
		m.Kinds = slices.Clone(m.Kinds) // a stated number of experts a token changes them
		c.model = &m
	}
	return &c
}

// configFile is a config.json that a condition names by its path.
type configFile struct {
	path string
	at   inputs.Place
	rank rank
}

// say records a statement and returns its number.
func (d *draft) say(place inputs.Place, text string) int {
	d.statements = append(d.statements, inputs.Statement{Place: place, Text: text})
	return len(d.statements) - 1
}

// used notes what a statement was used as; several uses are joined.
func (d *draft) used(statement int, as string) {
	s := &d.statements[statement]
	if s.UsedAs != "" && !strings.Contains(s.UsedAs, as) {
		as = s.UsedAs + "; " + as
	} else if s.UsedAs != "" {
		return
	}
	s.UsedAs = as
}

// longProblem is how much of a problem is told: a text it quotes may be a whole file.
const longProblem = 400 // letters: five lines of a terminal

// problem records a diagnostic.
func (d *draft) problem(place inputs.Place, problem, want, hint string) {
	if letters := []rune(problem); len(letters) > longProblem {
		problem = string(letters[:longProblem]) + "…"
	}
	d.problems = append(d.problems, Diagnostic{Place: place, Problem: problem, Want: want, Hint: hint})
}

// setText parses a text for a key and records it; a text that does not parse is a problem.
func (d *draft) setText(statement int, path, text string, at inputs.Place, r rank) bool {
	k, ok := d.keyOf(path)
	if !ok {
		d.problem(at, fmt.Sprintf("unknown key %q", path), "", "")
		return false
	}
	v, err := k.parse(text)
	if err != nil {
		d.problem(at, fmt.Sprintf("%s%q is not understood", pathAt(path, at), text), wantOf(err), "")
		return false
	}
	return d.set(statement, path, v, at, r)
}

// pathAt names a path before what is said of it, unless its place does already.
func pathAt(path string, at inputs.Place) string {
	if strings.HasSuffix(at.File, path) {
		return ""
	}
	return path + ": "
}

// wantOf is what a parser wanted.
func wantOf(err error) string {
	if q, ok := err.(*inputs.QuantityError); ok {
		return q.Want
	}
	return err.Error()
}

// told reports whether what is stated of a key is a problem already: then it is not
// missing as well.
func (d *draft) told(path string) bool {
	return slices.ContainsFunc(d.problems, func(p Diagnostic) bool {
		return strings.HasPrefix(p.Problem, path+": ") || strings.HasSuffix(p.Place.File, path)
	})
}

// set records a value of a key. It reports false, with a problem, where the value
// is out of bounds or contradicts another statement of the same rank.
func (d *draft) set(statement int, path string, v any, at inputs.Place, r rank) bool {
	k, ok := d.keyOf(path)
	if !ok {
		d.problem(at, fmt.Sprintf("unknown key %q", path), "", "")
		return false
	}
	if k.check != nil {
		if want := k.check(v); want != "" {
			d.problem(at, fmt.Sprintf("%s%s is out of bounds", pathAt(path, at), k.show(v)), want, "")
			return false
		}
	}
	old, stated := d.facts[path]
	switch {
	case stated && old.rank > r:
		d.used(statement, k.use(v)+", replaced by "+d.origin(old))
		return true
	case stated && old.rank == r && !agree(old.value, v):
		d.problem(at, fmt.Sprintf("%s %s contradicts %s (%s)", k.noun(), k.show(v), k.show(old.value), d.origin(old)),
			"one value", "delete or correct one of the two statements")
		return false
	}
	d.used(statement, k.use(v))
	if w, ok := v.(wire); ok && stated && old.rank == r && w.Kind == inputs.LinkUnknown {
		return true // the first statement names the kind too
	}
	d.facts[path] = fact{v, statement, r}
	if stated && old.rank < r {
		d.used(old.statement, "replaced by "+d.origin(d.facts[path]))
	}
	return true
}

// agree reports whether two values say the same. Two rates of a link agree where only
// one of them names its kind.
func agree(a, b any) bool {
	x, okX := a.(wire)
	y, okY := b.(wire)
	if okX && okY && (x.Kind == inputs.LinkUnknown || y.Kind == inputs.LinkUnknown) {
		x.Kind, y.Kind = inputs.LinkUnknown, inputs.LinkUnknown
		return x == y
	}
	return reflect.DeepEqual(a, b)
}

// origin names where a fact was stated.
func (d *draft) origin(f fact) string {
	s := d.statements[f.statement]
	if at := s.Place.String(); at != "" {
		return at
	}
	return s.Text
}

// place is where a key was stated; the zero place where it was not.
func (d *draft) place(path string) inputs.Place {
	if f, ok := d.facts[path]; ok {
		return d.statements[f.statement].Place
	}
	return inputs.Place{}
}

// has reports whether a key was stated.
func (d *draft) has(path string) bool { _, ok := d.facts[path]; return ok }

// assume lists a value that no input stated.
func (d *draft) assume(what, value, because string) {
	d.assumptions = append(d.assumptions, inputs.Assumption{What: what, Value: value, Because: because})
}

// warn lists a warning.
func (d *draft) warn(format string, args ...any) {
	d.warnings = append(d.warnings, fmt.Sprintf(format, args...))
}

// get is the value of a key.
func get[T any](d *draft, path string) (T, bool) {
	v, ok := d.facts[path].value.(T)
	return v, ok
}

// poolFact is a pool's own value of a field, or the cluster's where the pool has
// none. A flag or environment value for the cluster replaces a file's pool value.
func poolFact[T any](d *draft, pool int, field string) (value T, path string, ok bool) {
	own, general := poolPath(pool, field), "cluster."+field
	if pool >= d.pools {
		own = general
	}
	path = own
	if !d.has(own) || d.facts[general].rank > d.facts[own].rank {
		path = general
	}
	value, ok = get[T](d, path)
	return value, path, ok
}

// poolPath is the key of a field of a listed pool.
func poolPath(pool int, field string) string {
	return fmt.Sprintf("cluster.pools.%d.%s", pool, field)
}
