package read

import (
	"reflect"
	"regexp"
	"sort"
	"strings"

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
	var set []Override
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		rest, ok := strings.CutPrefix(name, environmentPrefix)
		if ok && oneUnderscore.MatchString(rest) {
			path := oneUnderscore.ReplaceAllString(rest, "${1}__${2}")
			d.problem(inputs.Place{File: name}, "one underscore does not part the levels of a key", "two underscores a level", "did you mean "+environmentPrefix+path+"?")
			continue
		}
		if !ok || !strings.Contains(rest, "__") && rest != "NAME" && rest != "MODEL" {
			continue
		}
		set = append(set, Override{Key: strings.ToLower(strings.ReplaceAll(rest, "__", ".")), Value: value, source: name})
	}
	sort.SliceStable(set, func(i, j int) bool { return set[i].source < set[j].source })
	readOverrides(d, set, fromEnvironment)
}

// readOverrides enters values given by path, later ones first come last: a flag
// that is given twice counts as given last.
func readOverrides(d *draft, set []Override, r rank) {
	if len(set) == 0 {
		return
	}
	last := map[string]Override{}
	var order []string
	for _, o := range set {
		key := strings.ToLower(strings.TrimSpace(o.Key))
		if key == "model" {
			key = "model.catalog"
		}
		key = d.numbered(key)
		if key == "cluster.gpus" {
			key = "cluster.count"
		}
		if _, again := last[key]; !again {
			order = append(order, key)
		}
		last[key] = o
	}
	root := &node{kind: objectNode}
	v := newViper()
	for _, key := range order {
		o := last[key]
		at := o.Place
		switch {
		case o.source != "":
			at.File = o.source
		case at.File == "":
			at.File = "--set " + o.Key
		}
		if !plant(root, key, o.Value, at) {
			d.problem(at, "key "+key+" is both a value and an object", "one of them", "")
			return
		}
		v.Set(strings.ReplaceAll(key, ".", "::"), o.Value)
	}
	if !d.checkSchema(root, reflect.TypeFor[document](), "", "") {
		return
	}
	if doc, ok := d.decode(v, order[0]); ok {
		d.record(doc, root, order[0], r)
	}
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
