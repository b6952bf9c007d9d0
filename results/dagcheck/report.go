package dagcheck

import (
	"cmp"
	"fmt"
	"slices"
)

const reportFormat = 1

// Report is what a check came to.
type Report struct {
	Format int    `json:"format_version"`
	File   string `json:"file"`
	OK     bool   `json:"ok"`
	// Broken counts the findings, those that are not listed included.
	Broken   int         `json:"broken"`
	Graphs   []GraphFact `json:"graphs"`
	Findings []Finding   `json:"findings"`
	// More is how many findings are counted only.
	More int `json:"more,omitempty"`

	phases map[string]string // seen, with the place
}

// GraphFact is one graph of the file with what was checked on it.
type GraphFact struct {
	Name      string   `json:"name"`
	Phase     string   `json:"phase,omitempty"`
	Condition string   `json:"condition,omitempty"`
	Folded    bool     `json:"folded"`
	Line      int      `json:"line"`
	Nodes     int      `json:"nodes"`
	Edges     int      `json:"edges"`
	GPUs      int      `json:"gpus"`
	Rules     []Ticked `json:"rules"`
}

// Ticked is one rule of the checklist.
type Ticked struct {
	Rule  string `json:"rule"`
	About string `json:"about"`
	OK    bool   `json:"ok"`
	// Checked is on how much the rule was checked, and Unit what is counted. 0: it found
	// nothing to apply to.
	Checked int    `json:"checked"`
	Unit    string `json:"unit"`
	Broken  int    `json:"broken"`
	// Unchecked says why the rule was not checked, or not on everything.
	Unchecked string `json:"unchecked,omitempty"`
}

// Finding is one place where a rule is broken. Line and Col count from 1.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Col, f.Rule, f.Message)
}

// add checks one graph by every rule.
func (r *Report) add(g *graph, o Options) {
	fact := GraphFact{Name: g.header.Name, Condition: g.condition, Folded: g.folded, Line: int(g.at.Line),
		Nodes: len(g.nodes), Edges: len(g.edges), GPUs: len(g.clusterOf)}
	fact.Phase = g.phaseName()
	for _, one := range rules() {
		c := &check{graph: g, rule: &one, options: o, file: r}
		one.check(c)
		if c.applied == 0 && c.unchecked == "" {
			c.unchecked = "no " + one.unit
		}
		fact.Rules = append(fact.Rules, Ticked{Rule: one.name, About: one.about, OK: c.broken == 0, Checked: c.applied, Unit: one.unit,
			Broken: c.broken, Unchecked: c.unchecked})
		r.Findings = append(r.Findings, c.found...)
		r.Broken += c.broken
	}
	r.Graphs = append(r.Graphs, fact)
}

// finish sorts what was found.
func (r *Report) finish(o Options) {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	r.OK = r.Broken == 0
	r.More = r.Broken - len(r.Findings)
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
}
