package read

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// poolPrefix begins the path of a field of a listed pool.
const poolPrefix = "cluster.pools."

// bracketed is an element in brackets: cluster.pools[0], cluster.pools[a100].
var bracketed = regexp.MustCompile(`\[([^\[\]]*)\]`)

// numbered is the path of a key as the schema has it: an element in brackets follows a
// dot (cluster.pools[0].count is cluster.pools.0.count), and a pool that is named is
// numbered (cluster.pools.a100.count). A pool without a name of its own goes by its
// accelerator. A name that no pool or that several have stays as it is, and is then
// reported as no index.
func (d *draft) numbered(path string) string {
	path = bracketed.ReplaceAllString(path, ".$1")
	rest, ok := strings.CutPrefix(path, poolPrefix)
	if !ok {
		return path
	}
	index, _, _ := strings.Cut(rest, ".")
	if _, err := strconv.Atoi(index); err == nil {
		return path
	}
	found, length, twice := "", 0, false
	for i, name := range d.poolNames() {
		field, ok := strings.CutPrefix(rest, name+".")
		if name == "" || !ok || len(name) < length {
			continue
		}
		twice = len(name) == length
		found, length = fmt.Sprintf("%s%d.%s", poolPrefix, i, field), len(name)
	}
	if found == "" || twice {
		return path
	}
	return found
}

// poolNames are the names that listed pools go by in paths, in lower case as paths are.
func (d *draft) poolNames() []string {
	names := make([]string, d.pools)
	for i := range names {
		name, _ := get[string](d, poolPath(i, "name"))
		if name == "" {
			name, _ = get[string](d, poolPath(i, "accelerator"))
		}
		names[i] = strings.ToLower(name)
	}
	return names
}

// poolHint lists the pools that a path can name.
func (d *draft) poolHint() string {
	var known []string
	for _, name := range d.poolNames() {
		if name != "" {
			known = append(known, strconv.Quote(name))
		}
	}
	if len(known) == 0 {
		return "cluster.count speaks of a cluster with one pool"
	}
	return "the pools are " + strings.Join(known, ", ")
}
