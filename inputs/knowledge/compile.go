package knowledge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"partita/inputs"
)

// Bounds of an expression: rules of engines have a line or two.
const (
	// LongestExpression is the number of letters that a rule may have.
	LongestExpression = 2000
	// mostDepth bounds nested brackets.
	mostDepth = 60
	// mostCost bounds one evaluation, in CEL's own units; a comparison costs about two.
	mostCost = 10_000
)

// Rules are the rules of a condition, compiled. What was evaluated once is remembered.
// Not safe for concurrent use.
type Rules struct {
	condition *inputs.Condition
	list      []rule
	texts     []string
	numbers   map[string]value // of texts
	start     Values
	pools     []poolValues
	err       error // the first evaluation that failed
}

// rule is one compiled rule.
type rule struct {
	inputs.Rule
	uses    Level
	slots   []int // the variables it uses
	program cel.Program
	known   map[string]bool // results by the values of the slots
}

// Compile makes the rules of a condition that bind its phase ready. The error is of type
// inputs.Diagnostics, with the place of every problem.
func Compile(c *inputs.Condition) (*Rules, error) {
	r := &Rules{condition: c, numbers: map[string]value{}}
	if len(c.Rules) == 0 {
		r.ready()
		return r, nil
	}
	e, err := newLanguage()
	if err != nil {
		return nil, err
	}
	var problems inputs.Diagnostics
	for i := range c.Rules {
		x := c.Rules[i]
		if slices.ContainsFunc(c.Rules[:i], func(y inputs.Rule) bool { return y.Name == x.Name }) {
			problems = append(problems, inputs.Diagnostic{Place: x.Place, Problem: fmt.Sprintf("two rules are named %q", x.Name), Want: "a name of its own"})
		}
		compiled, wrong := e.compile(x)
		problems = append(problems, wrong...)
		if len(wrong) == 0 && binds(x.Phase, c.Workload.Phase) {
			r.list = append(r.list, compiled)
		}
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	r.ready()
	return r, nil
}

// Problems are what is wrong with the expressions of rules, whatever the condition.
func Problems(rules []inputs.Rule) inputs.Diagnostics {
	if len(rules) == 0 {
		return nil
	}
	l, err := newLanguage()
	if err != nil {
		return inputs.Diagnostics{{Problem: err.Error()}}
	}
	var out inputs.Diagnostics
	for _, r := range rules {
		_, wrong := l.compile(r)
		out = append(out, wrong...)
	}
	return out
}

// For is the rules for another condition that has the same ones and the same phase: they
// are not compiled again.
func (r *Rules) For(c *inputs.Condition) *Rules {
	out := &Rules{condition: c, numbers: map[string]value{}, list: slices.Clone(r.list)}
	for i := range out.list {
		out.list[i].known = map[string]bool{}
	}
	out.ready()
	return out
}

// ready sets what the condition says.
func (r *Rules) ready() {
	r.start.rules = r
	if len(r.list) == 0 {
		return
	}
	r.start.ofCondition(r.condition)
	for i := range r.condition.Cluster.Pools {
		r.pools = append(r.pools, r.poolValues(&r.condition.Cluster.Pools[i]))
	}
}

// binds reports whether a rule for one phase binds a workload: one that does both
// phases is bound by the rules of either.
func binds(of, workload inputs.Phase) bool {
	return of == "" || of == workload || workload == inputs.Mixed && of != inputs.Training
}

// language is CEL with the variables of rules.
type language struct{ env *cel.Env }

func newLanguage() (*language, error) {
	opts := []cel.EnvOption{
		cel.ClearMacros(), // no loops: an expression costs what its length says
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(LongestExpression),
		cel.ParserRecursionLimit(mostDepth),
	}
	types := [...]*cel.Type{wholeNumber: cel.IntType, realNumber: cel.DoubleType, text: cel.StringType, yesNo: cel.BoolType}
	for _, r := range variableRows() {
		opts = append(opts, cel.Variable(r.name, types[r.kind]))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, fmt.Errorf("the language of rules: %w", err)
	}
	return &language{env}, nil
}

// compile parses and checks one rule.
func (l *language) compile(x inputs.Rule) (rule, inputs.Diagnostics) {
	if strings.TrimSpace(x.Expr) == "" {
		return rule{}, wrong(x, 0, 0, "the expression is empty", "an expression such as tp <= 8", "")
	}
	if n := utf8.RuneCountInString(x.Expr); n > LongestExpression {
		return rule{}, wrong(x, 0, 0, fmt.Sprintf("the expression has %d letters", n), fmt.Sprintf("at most %d", LongestExpression), "split it into several rules")
	}
	checked, issues := l.env.Compile(x.Expr)
	if issues.Err() != nil {
		var out inputs.Diagnostics
		for _, e := range issues.Errors() {
			out = append(out, explained(x, e.Location.Line(), e.Location.Column(), e.Message)...)
		}
		return rule{}, out
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		return rule{}, wrong(x, 0, 0, "the expression is of type "+t.String(), "true or false", "compare it with something, such as tp <= 8")
	}
	native := checked.NativeRep()
	out := rule{Rule: x, known: map[string]bool{}}
	for i, v := range variableRows() {
		for _, ref := range native.ReferenceMap() {
			if ref.Name == v.name && len(ref.OverloadIDs) == 0 {
				out.uses |= 1 << i
			}
		}
		if out.uses&(1<<i) != 0 {
			out.slots = append(out.slots, i)
		}
	}
	if at, name, bad := negated(native.Expr(), true); bad {
		from := native.SourceInfo().GetStartLocation(at)
		return rule{}, wrong(x, from.Line(), from.Column(), name+" is negated or compared",
			name+" as it stands, alone or joined by && and ||", "that stages differ cannot be demanded")
	}
	program, err := l.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(mostCost))
	if err != nil {
		return rule{}, wrong(x, 0, 0, "the expression cannot be evaluated: "+err.Error(), "", "")
	}
	out.program = program
	return out, nil
}

// negated finds a same_… that is not demanded as it stands: searching with the value
// left open is exact only where a rule that holds for unlike stages holds for like ones.
func negated(e ast.Expr, positive bool) (id int64, name string, found bool) {
	switch e.Kind() {
	case ast.IdentKind:
		for i := sameTP; i < numVariables; i++ {
			if n := variableRows()[i].name; e.AsIdent() == n && !positive {
				return e.ID(), n, true
			}
		}
	case ast.CallKind:
		call := e.AsCall()
		args := call.Args()
		if call.IsMemberFunction() {
			args = append([]ast.Expr{call.Target()}, args...)
		}
		for i, a := range args {
			keeps := positive && (call.FunctionName() == operators.LogicalAnd || call.FunctionName() == operators.LogicalOr ||
				call.FunctionName() == operators.Conditional && i > 0)
			if id, name, found = negated(a, keeps); found {
				return id, name, true
			}
		}
	case ast.ListKind:
		for _, a := range e.AsList().Elements() {
			if id, name, found = negated(a, false); found {
				return id, name, true
			}
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			for _, a := range []ast.Expr{entry.AsMapEntry().Key(), entry.AsMapEntry().Value()} {
				if id, name, found = negated(a, false); found {
					return id, name, true
				}
			}
		}
	case ast.SelectKind:
		return negated(e.AsSelect().Operand(), false)
	}
	return 0, "", false
}

// wrong is one problem of a rule, at a line and column of its expression (0, 0: the rule).
func wrong(x inputs.Rule, line, col int, what, want, hint string) inputs.Diagnostics {
	return inputs.Diagnostics{{Place: within(x, line, col), Problem: fmt.Sprintf("rule %q: %s", x.Name, what), Want: want, Hint: hint}}
}

// within is the place of a line (from 1) and column (from 0) of an expression. Place is
// where the expression begins; what stands on further lines of a file may be indented.
func within(x inputs.Rule, line, col int) inputs.Place {
	at := x.Place
	if at.Line > 0 && at.Col > 0 && line == 1 {
		at.Col += col
	}
	if at.Line > 0 && line > 1 {
		at.Line, at.Col = at.Line+line-1, 0
	}
	return at
}

var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']*)'`)
	noOverload = regexp.MustCompile(`found no matching overload for '([^']*)' applied to '\(?([^']*?)\)?'`)
	syntax     = regexp.MustCompile(`^Syntax error: (.*)$`)
)

// explained says what CEL's checker found in the words of this program.
func explained(x inputs.Rule, line, col int, message string) inputs.Diagnostics {
	if m := undeclared.FindStringSubmatch(message); m != nil {
		if strings.HasPrefix(m[1], "_") || strings.HasPrefix(m[1], "@") {
			return wrong(x, line, col, "operator "+strings.Trim(m[1], "_@")+" is not known", "", "")
		}
		names := make([]string, 0, numVariables)
		for _, r := range variableRows() {
			names = append(names, r.name)
		}
		hint := "docs/knowledge.md lists the names"
		if best := inputs.Nearest(m[1], names); best != "" {
			hint = fmt.Sprintf("did you mean %q?", best)
		}
		return wrong(x, line, col, fmt.Sprintf("%q is not known", m[1]), "a variable of rules", hint)
	}
	if m := noOverload.FindStringSubmatch(message); m != nil {
		return wrong(x, line, col, fmt.Sprintf("%s does not take %s", strings.Trim(m[1], "_"), m[2]), "operands of fitting types", "whole numbers and double do not mix in arithmetic: double(tp)")
	}
	if m := syntax.FindStringSubmatch(message); m != nil {
		what, _, _ := strings.Cut(m[1], " expecting ")
		return wrong(x, line, col, "not a valid expression: "+what, "CEL, such as tp <= 8 && pp in [2, 4]", "")
	}
	return wrong(x, line, col, message, "", "")
}
