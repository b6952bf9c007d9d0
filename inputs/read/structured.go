package read

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"

	"partita/inputs"
)

// newViper is a viper whose keys are split by "::", so that a dot in a name stays.
func newViper() *viper.Viper {
	return viper.NewWithOptions(viper.KeyDelimiter("::"))
}

// readStructured reads a YAML, TOML or JSON condition. The text is parsed twice:
// for the places of keys and values, and by viper for the values.
func readStructured(d *draft, file, format string, data []byte) {
	before := len(d.problems)
	root, ok := d.tree(file, format, data)
	if !ok {
		return
	}
	d.bad = nil
	fits := d.checkSchema(root, reflect.TypeFor[document](), "", "")
	v := newViper()
	v.SetConfigType(format)
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		if fits { // else it is said already: viper refuses a doubled key
			d.problem(inputs.Place{File: file}, "not valid "+strings.ToUpper(format)+": "+err.Error(), "", "")
		}
		return
	}
	if !fits {
		// The rest is read all the same, so that all its problems are told at once.
		var whole bool
		if v, whole = without(v, d.bad); !whole {
			return
		}
	}
	doc, ok := d.decode(v, file)
	if !ok {
		return
	}
	if n := len(doc.Cluster.Pools); n > 0 && !d.listPools(n, file, false, root.find("cluster.pools").at) {
		return
	}
	d.record(doc, root, file, fromFile)
	d.recordNulls(root, reflect.TypeFor[document](), "")
	if len(d.problems) == before && len(d.statements) == 0 {
		d.problem(inputs.Place{File: file, Line: 1}, "the file states nothing", "a condition", "docs/condition.md shows one")
	}
}

// tree is a text's values with their places.
func (d *draft) tree(file, format string, data []byte) (*node, bool) {
	if format == "toml" {
		return d.tomlTree(file, data)
	}
	return d.yamlTree(file, data)
}

// without is the settings of a viper without some paths; false where nothing is left.
func without(v *viper.Viper, bad []string) (*viper.Viper, bool) {
	settings := v.AllSettings()
	for _, path := range bad {
		if path == "" {
			return nil, false
		}
		prune(settings, strings.Split(path, "."))
	}
	rest := newViper()
	return rest, rest.MergeConfigMap(settings) == nil
}

// prune deletes a path. An element of a list becomes empty, so that the others keep
// their numbers.
func prune(settings any, path []string) {
	switch s := settings.(type) {
	case map[string]any:
		if len(path) == 1 {
			delete(s, path[0])
			return
		}
		prune(s[path[0]], path[1:])
	case []any:
		i, err := strconv.Atoi(path[0])
		switch {
		case err != nil || i < 0 || i >= len(s):
		case len(path) == 1:
			s[i] = map[string]any{}
		default:
			prune(s[i], path[1:])
		}
	}
}

// decode reads the settings of a viper into the schema, exactly: no key may be left over.
func (d *draft) decode(v *viper.Viper, file string) (*document, bool) {
	var doc document
	if err := v.UnmarshalExact(&doc, viper.DecodeHook(mapstructure.DecodeHookFuncType(decodeLeaf))); err != nil {
		d.problem(inputs.Place{File: file}, strings.ReplaceAll(err.Error(), "\n", " "), "", "docs/condition.md shows the form")
		return nil, false
	}
	return &doc, true
}

// record enters every value of a document into the draft.
func (d *draft) record(doc *document, root *node, file string, r rank) {
	base := d.pools - len(doc.Cluster.Pools)
	if r > fromFile {
		base = 0
	}
	leaves(doc, func(path, key, text string) {
		n := root.find(path)
		at, valueAt := n.at, n.valueAt
		if key == "knowledge" && r > fromFile {
			return // it was read with the files
		}
		statement := d.say(at, path+": "+text)
		if rest, ok := strings.CutPrefix(key, "cluster.pools."); ok {
			key = d.poolKey(rest, base, valueAt)
		}
		if key == "" {
			return
		}
		if key == "knowledge" {
			d.used(statement, "knowledge: read")
			for _, path := range n.children {
				d.nameKnowledge(path.text, path.valueAt)
			}
			if len(n.children) == 0 {
				d.nameKnowledge(text, valueAt)
			}
			return
		}
		if key == "model.graph" {
			d.used(statement, "model: operator graph read from "+text)
			d.graphFile = configFile{path: text, at: valueAt, rank: r}
			return
		}
		if key == "model.config" {
			d.used(statement, "model: read from "+text)
			d.config = configFile{path: text, at: valueAt, rank: r}
			return
		}
		d.setText(statement, key, text, valueAt, r)
	})
}

// poolKey numbers the pools of a file after those listed before; a flag names one
// that exists.
func (d *draft) poolKey(rest string, base int, at inputs.Place) string {
	index, field, _ := strings.Cut(rest, ".")
	var i int
	if _, err := fmt.Sscanf(index, "%d", &i); err != nil || base+i >= d.pools {
		d.problem(at, fmt.Sprintf("pool %s of %d", index, d.pools), "a pool that is listed, counted from 0", "cluster.count speaks of a cluster with one pool")
		return ""
	}
	return poolPath(base+i, field)
}

// recordNulls accounts for keys without a value. An object without fields is a title
// with nothing below it, no statement.
func (d *draft) recordNulls(n *node, t reflect.Type, path string) {
	if n.kind == objectNode && t.Kind() != reflect.Struct {
		return // an object where a list is wanted, which is said already
	}
	for i, c := range n.children {
		name, field := fmt.Sprint(i), schemaField{typ: t}
		if n.kind == objectNode {
			name = strings.ToLower(n.names[i])
			field = schemaFields(t)[name]
		} else if t.Kind() == reflect.Slice {
			field.typ = t.Elem()
		}
		at := join(path, name)
		title := field.typ != nil && field.typ.Kind() == reflect.Struct && field.scalar == ""
		if (c.kind == nullNode || c.kind == scalarNode && c.text == "") && !title {
			d.used(d.say(c.at, at+": (empty)"), "not stated: no value is given")
		}
		if field.typ != nil && (field.typ.Kind() == reflect.Struct || field.typ.Kind() == reflect.Slice) {
			d.recordNulls(c, field.typ, at)
		}
	}
}
