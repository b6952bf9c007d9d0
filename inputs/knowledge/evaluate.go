package knowledge

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"partita/inputs"
)

// Empty reports whether no rule binds.
func (r *Rules) Empty() bool { return len(r.list) == 0 }

// Len is the number of rules that bind.
func (r *Rules) Len() int { return len(r.list) }

// Rule is the i-th rule that binds.
func (r *Rules) Rule(i int) inputs.Rule { return r.list[i].Rule }

// Start is what the condition alone says.
func (r *Rules) Start() Values { return r.start }

// Uses reports whether some rule mentions a variable of a level.
func (r *Rules) Uses(l Level) bool {
	for i := range r.list {
		if r.list[i].uses&l != 0 {
			return true
		}
	}
	return false
}

// UsesTrait reports whether some rule mentions a trait of all stages.
func (r *Rules) UsesTrait(t Trait) bool { return r.Uses(1 << (sameTP + int(t))) }

// Joins reports whether some rule mentions variables of both levels.
func (r *Rules) Joins(a, b Level) bool {
	for i := range r.list {
		if r.list[i].uses&a != 0 && r.list[i].uses&b != 0 {
			return true
		}
	}
	return false
}

// Broken is the first rule that the values break, -1 where none is known to be. Rules
// that mention something unknown are left for later. A rule that fails to evaluate
// counts as broken, and Err tells.
func (r *Rules) Broken(v *Values) int {
	for i := range r.list {
		if r.list[i].uses&^v.known == 0 && !r.holds(i, v) {
			return i
		}
	}
	return -1
}

// BrokenBy is Broken among the rules that mention something of a level.
func (r *Rules) BrokenBy(l Level, v *Values) int {
	for i := range r.list {
		if u := r.list[i].uses; u&l != 0 && u&^v.known == 0 && !r.holds(i, v) {
			return i
		}
	}
	return -1
}

// Beside identifies what the rules that mention something of a level see beside it: values
// of equal texts are alike to BrokenBy whatever is set of the level.
func (r *Rules) Beside(l Level, v *Values) string {
	var key []byte
	for i := range r.list {
		if r.list[i].uses&l == 0 {
			continue
		}
		for _, s := range r.list[i].slots {
			switch bit := Level(1) << s; {
			case l&bit != 0:
			case v.known&bit == 0:
				key = append(key, 0)
			default:
				key = binary.LittleEndian.AppendUint64(append(key, 1), uint64(v.at[s]))
			}
		}
	}
	return string(key)
}

// Err is the first evaluation that failed: a division by zero, a number too large. It is
// of type inputs.Diagnostics.
func (r *Rules) Err() error { return r.err }

// holds evaluates a rule whose variables are all known.
func (r *Rules) holds(i int, v *Values) bool {
	x := &r.list[i]
	key := make([]byte, 0, 8*len(x.slots))
	for _, s := range x.slots {
		key = binary.LittleEndian.AppendUint64(key, uint64(v.at[s]))
	}
	if ok, known := x.known[string(key)]; known {
		return ok
	}
	out, _, err := x.program.Eval(v)
	ok := err == nil && out == types.True
	if err != nil && r.err == nil {
		r.err = inputs.Diagnostics{{
			Place: x.Place, Problem: fmt.Sprintf("rule %q has no value for %s: %v", x.Name, r.described(i, v), err),
			Want: "an expression that is true or false for every plan", Hint: "guard it: dp > 0 && batch % dp == 0",
		}}
	}
	x.known[string(key)] = ok
	return ok
}

// described lists the values that a rule sees: "tp = 8, gpus_per_node = 4".
func (r *Rules) described(i int, v *Values) string {
	if len(r.list[i].slots) == 0 {
		return "anything"
	}
	rows := variableRows()
	parts := make([]string, len(r.list[i].slots))
	for j, s := range r.list[i].slots {
		parts[j] = rows[s].name + " = " + v.text(s)
	}
	return strings.Join(parts, ", ")
}

// text is the number of a text; equal texts have equal numbers.
func (r *Rules) text(s string) value {
	if n, ok := r.numbers[s]; ok {
		return n
	}
	n := value(len(r.texts))
	r.texts, r.numbers[s] = append(r.texts, s), n
	return n
}

// text is a value for people.
func (v *Values) text(variable int) string {
	x := v.at[variable]
	switch variableRows()[variable].kind {
	case text:
		return strconv.Quote(v.rules.texts[x])
	case realNumber:
		return strconv.FormatFloat(math.Float64frombits(uint64(x)), 'g', 6, 64)
	case yesNo:
		return strconv.FormatBool(x != 0)
	}
	return strconv.FormatInt(x, 10)
}

// ResolveName makes the values CEL's activation.
func (v *Values) ResolveName(name string) (any, bool) {
	for i, r := range variableRows() {
		if r.name != name || v.known&(1<<i) == 0 {
			continue
		}
		switch x := v.at[i]; r.kind {
		case text:
			return types.String(v.rules.texts[x]), true
		case realNumber:
			return types.Double(math.Float64frombits(uint64(x))), true
		case yesNo:
			return types.Bool(x != 0), true
		default:
			return types.Int(x), true
		}
	}
	return nil, false
}

// Parent makes the values CEL's activation: there is none around it.
func (v *Values) Parent() interpreter.Activation { return nil }
