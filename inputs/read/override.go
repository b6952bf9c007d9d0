package read

import (
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/viper"

	"partita/inputs"
)

// environmentPrefix begins the environment variables that state values:
// PARTITA_WORKLOAD__BATCH is workload.batch, two underscores a level.
const environmentPrefix = "PARTITA_"

// oneUnderscore is a section of the schema with a key behind a single underscore,
// which would be dropped unseen.
var oneUnderscore = regexp.MustCompile(`^(CLUSTER|MODEL|WORKLOAD|GOAL|STRATEGY)_([^_])`)

// readEnvironment reads the variables of an environment that name a key of the
// schema's sections. Other PARTITA_ variables belong to the program around.
func readEnvironment(d *draft, env []string) {
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		rest, ok := strings.CutPrefix(name, environmentPrefix)
		if ok && oneUnderscore.MatchString(rest) {
			path := oneUnderscore.ReplaceAllString(rest, "${1}__${2}")
			d.problem(inputs.Place{File: name}, "one underscore does not part the levels of a key", "two underscores a level", "did you mean "+environmentPrefix+path+"?")
		}
	}
	readOverrides(d, ofEnvironment(env), fromEnvironment)
}

// ofEnvironment are the keys that an environment states, by the name of the variable.
func ofEnvironment(env []string) []Override {
	var set []Override
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		rest, ok := strings.CutPrefix(name, environmentPrefix)
		if !ok || oneUnderscore.MatchString(rest) || !strings.Contains(rest, "__") && !slices.Contains([]string{"NAME", "MODEL", "KNOWLEDGE", "ENGINE"}, rest) {
			continue
		}
		set = append(set, Override{Key: strings.ToLower(strings.ReplaceAll(rest, "__", ".")), Value: value, source: name})
	}
	sort.SliceStable(set, func(i, j int) bool { return set[i].source < set[j].source })
	return set
}

// readOverrides enters values given by path, later ones first come last: a flag
// that is given twice counts as given last.
func readOverrides(d *draft, set []Override, r rank) {
	root, v, ok := d.planted(set)
	if !ok {
		return
	}
	if doc, ok := d.decode(v, set[0].Key); ok {
		d.record(doc, root, set[0].Key, r)
	}
}

// CheckOverrides reports the keys that no condition has, and those that cannot go
// together. Whether a condition has the pools they name, and takes their values, is for
// Load to say.
func CheckOverrides(set []Override) Diagnostics {
	d := newFiles("").draft()
	var known []Override
	for _, o := range set {
		rest, ofPool := strings.CutPrefix(d.overrideKey(o.Key), poolPrefix)
		index, _, _ := strings.Cut(rest, ".")
		if _, err := strconv.Atoi(index); !ofPool || err == nil {
			known = append(known, o)
		}
	}
	d.planted(known)
	return d.problems.Sorted()
}

// CheckValues is CheckOverrides with their values, as far as no condition is needed to
// tell: whether a text is understood and within bounds.
func CheckValues(set []Override) Diagnostics {
	problems := CheckOverrides(set)
	if len(problems) > 0 {
		return problems
	}
	d := newFiles("").draft()
	readOverrides(d, slices.DeleteFunc(slices.Clone(set), func(o Override) bool {
		return strings.HasPrefix(d.overrideKey(o.Key), poolPrefix)
	}), fromFlag)
	return d.problems.Sorted()
}

// planted makes a tree and a viper of values given by path; false where there are none
// or they do not fit the schema.
func (d *draft) planted(set []Override) (*node, *viper.Viper, bool) {
	if len(set) == 0 {
		return nil, nil, false
	}
	last := map[string]Override{}
	var order []string
	for _, o := range set {
		key := d.overrideKey(o.Key)
		if _, again := last[key]; !again {
			order = append(order, key)
		}
		last[key] = o
	}
	root := &node{kind: objectNode, planted: true}
	v := newViper()
	for _, key := range order {
		o := last[key]
		at := o.at()
		if !plant(root, key, o.Value, at) {
			d.problem(at, "key "+key+" is both a value and an object", "one of them", "")
			return nil, nil, false
		}
		v.Set(strings.ReplaceAll(key, ".", "::"), o.Value)
	}
	return root, v, d.checkSchema(root, reflect.TypeFor[document](), "", "")
}

// at is the place of an override.
func (o Override) at() inputs.Place {
	at := o.Place
	switch {
	case o.source != "":
		at.File = o.source
	case at.File == "":
		at.File = "--set " + o.Key
	}
	return at
}

// overrideKey is the path that the key of an override stands for.
func (d *draft) overrideKey(key string) string {
	switch key = d.numbered(strings.ToLower(strings.TrimSpace(key))); key {
	case "model":
		return "model.catalog"
	case "cluster.gpus":
		return "cluster.count"
	}
	return key
}

// Path is the path that the key of an override stands for, whatever the condition:
// "cluster.gpus" is cluster.count, "model" model.catalog.
func Path(key string) string { return (&draft{}).overrideKey(key) }

// SameValue reports whether two texts say the same of the thing at a path: "2s" and
// "2000ms" of a time. Texts that are not understood are the same where they are equal.
func SameValue(path, a, b string) bool {
	if a == b {
		return true
	}
	d := newFiles("").draft()
	k, ok := d.keyOf(d.overrideKey(path))
	if !ok {
		return false
	}
	x, errX := k.parse(a)
	y, errY := k.parse(b)
	return errX == nil && errY == nil && agree(x, y)
}

// plant puts a value into the tree at a path.
func plant(root *node, path, text string, at inputs.Place) bool {
	n := root
	for name := range strings.SplitSeq(path, ".") {
		if n.kind != objectNode {
			return false
		}
		next := n.child(name)
		if next == nil {
			next = &node{kind: objectNode, at: at, valueAt: at, planted: true}
			n.names, n.children = append(n.names, name), append(n.children, next)
		}
		n = next
	}
	if len(n.children) > 0 {
		return false
	}
	n.kind, n.text = scalarNode, text
	return true
}
