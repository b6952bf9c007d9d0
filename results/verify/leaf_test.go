package verify

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
)

// leaf is one number, truth value or text of a plan.
type leaf struct {
	path  string
	value reflect.Value
}

// leaves lists every leaf below v in a fixed order, through pointers and lists.
func leaves(path string, v reflect.Value) []leaf {
	var out []leaf
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			out = leaves(path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out = append(out, leaves(path+"."+v.Type().Field(i).Name, v.Field(i))...)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			out = append(out, leaves(fmt.Sprintf("%s[%d]", path, i), v.Index(i))...)
		}
	case reflect.Int, reflect.Int64, reflect.Float64, reflect.Bool, reflect.String:
		out = []leaf{{path, v}}
	}
	return out
}

// spoil changes a leaf a little.
func (l leaf) spoil() {
	switch l.value.Kind() {
	case reflect.Int, reflect.Int64:
		l.value.SetInt(l.value.Int() + 1)
	case reflect.Float64:
		l.value.SetFloat(l.value.Float()*1.001 + 1e-4)
	case reflect.Bool:
		l.value.SetBool(!l.value.Bool())
	case reflect.String:
		l.value.SetString(l.value.String() + "x")
	}
}

// free are the leaves that verification has no second source for: reasons and
// places, the solver's own account, intervals and a floor that still hold.
var free = regexp.MustCompile(`\.(Why|Place)$|\.Solve\.(Status|Objective|ObjectiveUnit|BestBound|Backend|TimeMS|Outer\.\w+|Certificate\.\w+)$|Interval\[\d\]$|\.Floor$`)

// idle are the leaves that say something of steps a phase does not run.
var idle = map[inputs.Phase]*regexp.Regexp{
	inputs.Mixed:   regexp.MustCompile(`^$`),
	inputs.Prefill: regexp.MustCompile(`Strategy\.(DecodeGroups|GroupSequences)$`),
	inputs.Decode:  regexp.MustCompile(`Strategy\.(MicroBatches|MicroBatchSequences)$`),
}

// Not one figure of a plan can be changed unseen: every leaf is changed in turn.
func TestEveryLeafIsChecked(t *testing.T) {
	for _, hc := range handCases {
		p, _, _ := hc.make()
		n := len(leaves("Plan", reflect.ValueOf(p)))
		tried := 0
		for i := range n {
			p, c, prices := hc.make()
			l := leaves("Plan", reflect.ValueOf(p))[i]
			if free.MatchString(l.path) || idle[c.Workload.Phase].MatchString(l.path) {
				continue
			}
			tried++
			l.spoil()
			if check(p, c, prices, Options{}).OK {
				t.Errorf("%s: %s changed to %v, and no rule saw it", hc.name, l.path, l.value)
			}
		}
		if tried < 100 {
			t.Errorf("%s: only %d leaves tried of %d", hc.name, tried, n)
		}
	}
}

// No content of a plan or of the counts of a condition makes the checks panic, and
// what holds is never spoilt by the order of the stages.
func TestAnyPlanCanBeChecked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hc := rapid.SampledFrom(handCases).Draw(t, "plan")
		p, c, prices := hc.make()
		all := append(leaves("Plan", reflect.ValueOf(p)), leaves("Workload", reflect.ValueOf(&c.Workload))...)
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			l := rapid.SampledFrom(all).Draw(t, "leaf")
			switch l.value.Kind() {
			case reflect.Int, reflect.Int64:
				if strings.HasPrefix(l.path, "Workload") {
					l.value.SetInt(int64(rapid.IntRange(0, 1<<20).Draw(t, l.path)))
				} else {
					l.value.SetInt(rapid.OneOf(rapid.Int64Range(-2, 5), rapid.Int64()).Draw(t, l.path))
				}
			case reflect.Float64:
				l.value.SetFloat(rapid.Float64().Draw(t, l.path))
			case reflect.Bool:
				l.value.SetBool(!l.value.Bool())
			case reflect.String:
				l.value.SetString(rapid.SampledFrom([]string{"", "big", "node-0/gpu-0", "x"}).Draw(t, l.path))
			}
		}
		if rapid.Bool().Draw(t, "shorten") {
			ph := &p.Phases[0]
			ph.Stages = ph.Stages[:rapid.IntRange(0, 3).Draw(t, "stages")]
		}
		v := check(p, c, prices, Options{Closest: rapid.Bool().Draw(t, "closest")})
		if v.OK != (len(Violations(v)) == 0) {
			t.Fatalf("OK %t with %d violations", v.OK, len(Violations(v)))
		}
	})
}

// The order in which a plan lists its stages says nothing.
func TestStageOrderDoesNotMatter(t *testing.T) {
	for _, hc := range handCases {
		rapid.Check(t, func(t *rapid.T) {
			p, c, prices := hc.make()
			p.Phases[0].Stages = rapid.Permutation(p.Phases[0].Stages).Draw(t, "stages")
			if v := check(p, c, prices, Options{}); !v.OK {
				t.Fatalf("%s:\n%s", hc.name, describe(v))
			}
		})
	}
}

func TestViolationsOfNothing(t *testing.T) {
	if got := Violations(nil); got != nil {
		t.Errorf("no verification: got %v", got)
	}
	for name, f := range map[string]func() (*results.Verification, error){
		"no plan":      func() (*results.Verification, error) { return Check(nil, handCondition(inputs.Mixed)) },
		"no condition": func() (*results.Verification, error) { return Check(&results.Plan{}, nil) },
	} {
		if v, err := f(); err == nil || v != nil {
			t.Errorf("%s: want an error, got %v", name, v)
		}
	}
}
