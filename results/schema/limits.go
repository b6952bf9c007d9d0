package schema

import (
	"reflect"
	"strings"

	"partita/inputs"
	js "partita/inputs/schema"
	"partita/results"
)

// special is the schema of a type that writes its own JSON.
func special(t reflect.Type) *js.Schema {
	switch t {
	case reflect.TypeFor[results.Recomputes]():
		word := func() *js.Schema {
			return &js.Schema{Type: js.Types{"string"}, Enum: []any{string(inputs.NoRecompute), string(inputs.SelectiveRecompute), string(inputs.FullRecompute)}}
		}
		return js.AnyOf(word(), &js.Schema{Type: js.Types{"array"}, Items: word(), MinItems: 2})
	case reflect.TypeFor[results.PerStage]():
	default:
		return nil
	}
	degree := func() *js.Schema { return &js.Schema{Type: js.Types{"integer"}, Minimum: js.Bound(1)} }
	return js.AnyOf(degree(), &js.Schema{Type: js.Types{"array"}, Items: degree(), MinItems: 2})
}

// rule is what the program guarantees of a field beyond its type.
type rule struct {
	least  *float64
	above  *float64
	most   *float64
	values []any // a closed set that has no type of its own
	always bool  // never left out of a plan of this format, though absent in earlier ones
}

// rules are by type and Go name of the field.
func rules() map[reflect.Type]map[string]rule {
	one := js.Bound(1)
	share := rule{above: js.Bound(0), most: one}
	settled := rule{values: []any{"solved", "infeasible", "pruned", "open"}}
	return map[reflect.Type]map[string]rule{
		reflect.TypeFor[results.Plan](): {
			"FormatVersion": {values: []any{results.FormatVersion}},
			"Deployment":    {always: true}, "Outcome": {always: true}, "Verification": {always: true},
		},
		reflect.TypeFor[results.Strategy]():  {"Replicas": {least: one}, "PP": {least: one}, "ZeRO": {least: js.Bound(0), most: js.Bound(3)}},
		reflect.TypeFor[results.Metrics]():   {"MFU": share, "BubbleShare": {least: js.Bound(0), most: one}},
		reflect.TypeFor[results.Stage]():     {"TP": {least: one}, "EP": {least: one}, "ETP": {least: one}, "CP": {least: one}, "DPAttention": {least: one}},
		reflect.TypeFor[results.LaneRoute](): {"From": {least: js.Bound(-1)}, "To": {least: js.Bound(-1)}, "Sequences": {least: one}},
		reflect.TypeFor[results.Balance](): {"TimeMinOverMax": {least: js.Bound(0), most: one}, "Floor": {least: js.Bound(0), most: one},
			"TimeMaxOverMean": {least: js.Bound(0)}, "MemoryMaxOverMean": {least: js.Bound(0)}},
		reflect.TypeFor[results.Solve](): {
			"Status": {values: []any{"optimal", "feasible", "infeasible", "time_limit", "interrupted"}},
			"Gap":    {least: js.Bound(0), most: one},
		},
		reflect.TypeFor[results.OuterChoice](): {"Outcome": settled},
		reflect.TypeFor[inputs.Pool]():         {"Utilization": share},
		reflect.TypeFor[inputs.Efficiency]():   {"Compute": share, "Bandwidth": share},
		reflect.TypeFor[inputs.Workload]():     {"Batch": {least: js.Bound(0)}}, // 0 for an operator graph
		reflect.TypeFor[inputs.Goal]():         {"LatencyWeight": {least: js.Bound(0)}, "ThroughputWeight": {least: js.Bound(0)}},
	}
}

// always reports whether a field that may be left out by its type never is.
func always(t reflect.Type, field string) bool { return rules()[t][field].always }

// limit adds what is guaranteed of a field to its schema.
func limit(s *js.Schema, t reflect.Type, field string) {
	r := rules()[t][field]
	if r.least != nil {
		s.Minimum = r.least
	}
	if r.above != nil {
		s.Minimum, s.ExclusiveMinimum = nil, r.above
	}
	if r.most != nil {
		s.Maximum = r.most
	}
	if len(r.values) == 1 {
		s.Const, s.Minimum = r.values[0], nil
	} else if r.values != nil {
		s.Enum = r.values
	}
}

// leastOf is the smallest figure of a field, told by the unit in its JSON name: times,
// sizes, rates and prices are never below 0.
func leastOf(name string) *float64 {
	name = strings.TrimSuffix(name, "_interval")
	for _, unit := range []string{"_ms", "_s", "_seconds", "_gib", "_bytes", "_per_second", "_per_gpu", "_hour", "_tokens"} {
		if strings.HasSuffix(name, unit) {
			return js.Bound(0)
		}
	}
	return nil
}
