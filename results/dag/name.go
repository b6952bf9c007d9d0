package dag

import (
	"strconv"
	"strings"
	"unicode"
)

// clean makes foreign text fit a line: control and formatting characters are left out,
// white space becomes single spaces.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// escaped is text inside of a quoted string of DOT, whatever it holds: a label shows it as
// it is. A backslash is doubled in attributes that are no labels, too.
func escaped(s string) string { return quoting.Replace(clean(s)) }

var quoting = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// names gives GPUs their names in a graph: their ids, but for characters that would end
// an entry of a list. It never gives two GPUs one name.
type names struct {
	made  map[string]string
	taken map[string]bool
}

const separators = " ,;"

func plainID(id string) bool {
	for _, r := range id {
		if strings.ContainsRune(separators, r) || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return id != ""
}

// newNames reserves the ids that stay as they are, so that no made name is one of them.
func newNames(ids []string) *names {
	n := &names{made: map[string]string{}, taken: map[string]bool{}}
	for _, id := range ids {
		if plainID(id) {
			n.taken[id] = true
		}
	}
	for _, id := range ids {
		if _, known := n.made[id]; known || plainID(id) {
			continue
		}
		base := strings.Map(func(r rune) rune {
			if strings.ContainsRune(separators, r) {
				return '_'
			}
			return r
		}, clean(id))
		name := base
		for i := 2; name == "" || n.taken[name]; i++ {
			name = base + "~" + strconv.Itoa(i)
		}
		n.taken[name], n.made[id] = true, name
	}
	return n
}

// of is the name of a GPU, escaped for DOT.
func (n *names) of(id string) string {
	if name, ok := n.made[id]; ok {
		id = name
	}
	return escaped(id)
}
