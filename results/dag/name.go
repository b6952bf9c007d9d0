package dag

import (
	"slices"
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
// it is.
func escaped(s string) string { return quoting.Replace(clean(s)) }

var quoting = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// names gives GPUs their names in a graph: their ids, with _ for what is neither a letter nor
// a digit nor one of -_./:@+ and so could end an entry of a list, make a pattern of it, or
// mean something to DOT. It never gives two GPUs one name.
type names struct {
	made  map[string]string
	taken map[string]bool
}

func inName(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '/': // nearly all there is
		return true
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:@+", r)
}

// plainID tells that an id is its own name.
func plainID(id string) bool {
	for _, r := range id {
		if !inName(r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return id != "" && !strings.Contains(id, "..")
}

// newNames reserves the ids that stay as they are, so that no made name is one of them.
func newNames(ids []string) *names {
	n := &names{made: map[string]string{}, taken: map[string]bool{}}
	if !slices.ContainsFunc(ids, func(id string) bool { return !plainID(id) }) {
		return n
	}
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
			if inName(r) {
				return r
			}
			return '_'
		}, clean(id))
		base = strings.ReplaceAll(base, "..", "__")
		name := base
		for i := 2; name == "" || n.taken[name]; i++ {
			name = base + "_" + strconv.Itoa(i)
		}
		n.taken[name], n.made[id] = true, name
	}
	return n
}

// of is the name of a GPU, which needs no escape in DOT.
func (n *names) of(id string) string {
	if name, ok := n.made[id]; ok {
		return name
	}
	return id
}
