package knowledge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
	"partita/inputs/catalog"
)

// Pack is what one file states.
type Pack struct {
	File         string
	Rules        []inputs.Rule
	Efficiencies []Efficiency
	Profiles     []Profile
	Statements   []inputs.Statement // of all that is stated, and of prose that is not applied
	Problems     inputs.Diagnostics

	accelerators []entry[catalog.AcceleratorEntry]
	models       []entry[catalog.ModelEntry]
}

// entry is an entry for the catalogue with the number of its statement.
type entry[E any] struct {
	value     E
	statement int
}

// Efficiency is a utilisation that was measured: of the devices of a name, or of a
// generation.
type Efficiency struct {
	inputs.Efficiency
	Accelerator, Generation string
	Source                  string
	Place                   inputs.Place
	statement               int
}

// mostEntries bounds each list of a file.
const mostEntries = 2000

// lists are the top-level keys that hold knowledge.
func lists() []string { return []string{"accelerators", "models", "efficiencies", "profiles", "rules"} }

// Parse reads one file: YAML (JSON with it), or Markdown by its ending, of which front
// matter and fenced YAML are read and prose is listed as not applied. What is wrong is in
// Problems, with the place of each; rules are compiled as well.
func Parse(file string, data []byte) Pack {
	p := &parser{pack: Pack{File: file}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		p.problem(inputs.Place{File: file}, "the file is not text", "YAML or Markdown in UTF-8", "")
		return p.pack
	}
	p.lines = strings.Split(string(data), "\n")
	if IsMarkdown(file) {
		p.markdown()
	} else if !p.yaml(data, 0, true) && len(p.pack.Problems) == 0 {
		p.problem(inputs.Place{File: file, Line: 1, Col: 1}, "the file states nothing", "one of "+strings.Join(lists(), ", "), "docs/knowledge.md shows one")
	}
	p.check()
	return p.pack
}

// IsMarkdown reports whether a file is read as Markdown.
func IsMarkdown(file string) bool {
	ext := strings.ToLower(filepath.Ext(file))
	return ext == ".md" || ext == ".markdown"
}

// parser reads one file.
type parser struct {
	pack  Pack
	lines []string
	// above is how many lines of the file lie above the YAML that is read.
	above int
}

func (p *parser) problem(at inputs.Place, text, want, hint string) {
	p.pack.Problems = append(p.pack.Problems, inputs.Diagnostic{Place: at, Problem: text, Want: want, Hint: hint})
}

func (p *parser) at(n *yaml.Node) inputs.Place {
	return inputs.Place{File: p.pack.File, Line: p.above + n.Line, Col: n.Column}
}

// say records a statement and returns its number.
func (p *parser) say(at inputs.Place, text, usedAs string) int {
	p.pack.Statements = append(p.pack.Statements, inputs.Statement{Place: at, Text: text, UsedAs: usedAs})
	return len(p.pack.Statements) - 1
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yaml reads a text that begins below so many lines of the file. It reports whether it
// states anything. A whole file must hold knowledge; a block of Markdown may not.
func (p *parser) yaml(data []byte, above int, whole bool) bool {
	p.above = above
	var doc yaml.Node
	err := decode(data, &doc)
	switch {
	case errors.Is(err, io.EOF):
		return false
	case err != nil:
		at := inputs.Place{File: p.pack.File, Line: above + 1}
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
			n, _ := strconv.Atoi(m[1])
			at.Line = above + n
		}
		hint := ""
		if strings.Contains(err.Error(), "mapping values are not allowed") {
			hint = "quote an expression that holds a colon and a space"
		}
		p.problem(at, "not valid YAML: "+yamlLine.ReplaceAllString(err.Error(), ""), "", hint)
		return false
	case len(doc.Content) == 0 || doc.Content[0].Tag == "!!null":
		return false
	}
	root := doc.Content[0]
	if !whole && !holdsKnowledge(root) {
		return false
	}
	if root.Kind != yaml.MappingNode {
		p.problem(p.at(root), "the file is no object", "an object with "+strings.Join(lists(), ", "), "docs/knowledge.md shows one")
		return false
	}
	p.object(root, "", map[string]func(key, value *yaml.Node){
		"accelerators": func(_, v *yaml.Node) { p.each(v, "accelerators", p.accelerator) },
		"models":       func(_, v *yaml.Node) { p.each(v, "models", p.model) },
		"efficiencies": func(_, v *yaml.Node) { p.each(v, "efficiencies", p.efficiency) },
		"profiles":     func(_, v *yaml.Node) { p.each(v, "profiles", p.profile) },
		"rules":        func(_, v *yaml.Node) { p.each(v, "rules", p.rule) },
		"name":         func(k, v *yaml.Node) { p.say(p.at(k), "name: "+v.Value, "knowledge: name of the file's content") },
		"about":        func(k, v *yaml.Node) { p.say(p.at(k), "about: "+short(v.Value), "not applied: prose") },
	})
	return len(root.Content) > 0
}

// decode reads the only document of a text; it guards against a panic in the parser.
func decode(data []byte, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the text cannot be parsed")
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return err
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		if err == nil {
			err = fmt.Errorf("yaml: line %d: a second document begins", more.Line)
		}
		return err
	}
	return nil
}

// holdsKnowledge reports whether a block of Markdown is meant for this program: it has
// one of the lists, or something close to its name.
func holdsKnowledge(root *yaml.Node) bool {
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		if inputs.Nearest(root.Content[i].Value, lists()) != "" {
			return true
		}
	}
	return false
}

// object calls a function for each key; unknown and doubled ones are problems.
func (p *parser) object(n *yaml.Node, what string, known map[string]func(key, value *yaml.Node)) {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := known[key.Value]
		switch {
		case !ok:
			hint := ""
			if best := inputs.Nearest(key.Value, names); best != "" {
				hint = fmt.Sprintf("did you mean %q?", best)
			}
			p.problem(p.at(key), fmt.Sprintf("unknown key %q%s", key.Value, what), "one of "+strings.Join(names, ", "), hint)
		case seen[key.Value]:
			p.problem(p.at(key), fmt.Sprintf("%q is stated twice%s", key.Value, what), "one value", "")
		default:
			seen[key.Value] = true
			read(key, value)
		}
	}
}

// each reads the entries of a list.
func (p *parser) each(n *yaml.Node, name string, read func(*yaml.Node)) {
	switch {
	case n.Tag == "!!null":
		return
	case n.Kind != yaml.SequenceNode:
		p.problem(p.at(n), name+" is no list", "a list of entries, each behind a dash", "")
		return
	case len(n.Content) > mostEntries:
		p.problem(p.at(n), fmt.Sprintf("%s has %d entries", name, len(n.Content)), fmt.Sprintf("at most %d in a file", mostEntries), "")
		return
	}
	for _, e := range n.Content {
		if e.Kind == yaml.AliasNode {
			e = e.Alias
		}
		read(e)
	}
}

// catalogued takes over problems of an entry for the catalogue.
func (p *parser) catalogued(n *yaml.Node, problems []catalog.Problem) bool {
	for _, x := range problems {
		at := p.at(n)
		if x.Line > 0 {
			at.Line, at.Col = p.above+x.Line, x.Col
		}
		p.problem(at, x.Text, x.Want, x.Hint)
	}
	return len(problems) == 0
}

func (p *parser) accelerator(n *yaml.Node) {
	e, problems := catalog.ReadAccelerator(n, p.at(n).String())
	if p.catalogued(n, problems) {
		p.pack.accelerators = append(p.pack.accelerators, entry[catalog.AcceleratorEntry]{e, p.say(p.at(n), "accelerator "+e.Accelerator.Name, "")})
	}
}

func (p *parser) model(n *yaml.Node) {
	e, problems := catalog.ReadModel(n, p.at(n).String())
	if p.catalogued(n, problems) {
		p.pack.models = append(p.pack.models, entry[catalog.ModelEntry]{e, p.say(p.at(n), "model "+e.Model.Name, "")})
	}
}

// efficiency reads one entry of efficiencies.
func (p *parser) efficiency(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.problem(p.at(n), "the entry is no object", "an object with accelerator or generation, compute and bandwidth", "")
		return
	}
	before := len(p.pack.Problems)
	e := Efficiency{Place: p.at(n)}
	share := func(into *float64) func(key, value *yaml.Node) {
		return func(key, value *yaml.Node) {
			v, err := inputs.ParseShare(value.Value)
			if err != nil || !(v > 0) || v > 1 {
				p.problem(p.at(value), fmt.Sprintf("%s: %q is not understood", key.Value, short(value.Value)), "a share above 0 and at most 1, such as 0.6 or 60 %", "")
				return
			}
			*into = v
		}
	}
	p.object(n, " of an efficiency", map[string]func(key, value *yaml.Node){
		"accelerator": func(_, v *yaml.Node) { e.Accelerator = v.Value },
		"generation":  func(_, v *yaml.Node) { e.Generation = v.Value },
		"compute":     share(&e.Compute),
		"bandwidth":   share(&e.Bandwidth),
		"source":      func(_, v *yaml.Node) { e.Source = v.Value },
	})
	if (e.Accelerator == "") == (e.Generation == "") {
		p.problem(p.at(n), "the efficiency is of no device", "one of accelerator and generation", "")
	}
	if e.Compute == 0 && len(p.pack.Problems) == before {
		p.problem(p.at(n), "the efficiency has no compute", "the share of the peak FLOP/s that is reached", "")
	}
	if len(p.pack.Problems) > before {
		return
	}
	text := fmt.Sprintf("efficiency of %s%s: compute %g", e.Accelerator, e.Generation, e.Compute)
	if e.Bandwidth > 0 {
		text += fmt.Sprintf(", bandwidth %g", e.Bandwidth)
	}
	e.statement = p.say(p.at(n), text, "")
	p.pack.Efficiencies = append(p.pack.Efficiencies, e)
}

// rule reads one entry of rules.
func (p *parser) rule(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.problem(p.at(n), "the rule is no object", "an object with name, expr and perhaps phase, because and source", "")
		return
	}
	before := len(p.pack.Problems)
	var r inputs.Rule
	text := func(into *string) func(key, value *yaml.Node) {
		return func(key, value *yaml.Node) {
			if value.Kind != yaml.ScalarNode {
				p.problem(p.at(value), key.Value+" of a rule is no text", "text", "quote it")
				return
			}
			*into = strings.TrimSpace(value.Value)
		}
	}
	var phase string
	p.object(n, " of a rule", map[string]func(key, value *yaml.Node){
		"name":    text(&r.Name),
		"because": text(&r.Because),
		"source":  text(&r.Source),
		"expr": func(key, value *yaml.Node) {
			text(&r.Expr)(key, value)
			r.Place = p.within(value)
		},
		"phase": func(key, value *yaml.Node) {
			text(&phase)(key, value)
			r.Phase = inputs.Phase(strings.ToLower(phase))
			phases := []string{string(inputs.Prefill), string(inputs.Decode), string(inputs.Mixed), string(inputs.Training)}
			if slices.Contains(phases, string(r.Phase)) || value.Kind != yaml.ScalarNode {
				return
			}
			hint := ""
			if best := inputs.Nearest(string(r.Phase), phases); best != "" {
				hint = fmt.Sprintf("did you mean %q?", best)
			}
			p.problem(p.at(value), fmt.Sprintf("phase %q is not known", short(phase)), "one of "+strings.Join(phases, ", "), hint)
		},
	})
	if len(p.pack.Problems) > before {
		return
	}
	if r.Name == "" {
		p.problem(p.at(n), "the rule has no name", "name: and a few words", "explanations and reports call it by its name")
		return
	}
	if r.Place.Line == 0 {
		p.problem(p.at(n), fmt.Sprintf("rule %q has no expression", r.Name), "expr: such as tp <= 8", "docs/knowledge.md lists the names")
		return
	}
	used := "rule: binding"
	if r.Phase != "" {
		used += " for " + string(r.Phase)
	}
	if r.Because != "" {
		used += "; " + r.Because
	}
	p.say(r.Place, fmt.Sprintf("rule %q: %s", r.Name, strings.Join(strings.Fields(r.Expr), " ")), used)
	p.pack.Rules = append(p.pack.Rules, r)
}

// within is where the text of a scalar begins: behind a quote, or on the line below the
// sign of a block.
func (p *parser) within(n *yaml.Node) inputs.Place {
	at := p.at(n)
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		at.Col++
	case yaml.LiteralStyle, yaml.FoldedStyle:
		for i := at.Line; i < len(p.lines); i++ { // lines[i] is the line i+1
			if text := strings.TrimLeft(p.lines[i], " "); strings.TrimSpace(text) != "" {
				at.Line, at.Col = i+1, len(p.lines[i])-len(text)+1
				break
			}
		}
	}
	return at
}

// check compiles the rules; an error in the middle of an expression that the file breaks
// over lines is told where the expression begins.
func (p *parser) check() {
	for _, d := range Problems(p.pack.Rules) {
		if i := d.Place.Line - 1; i >= 0 && i < len(p.lines) && d.Place.Col > utf8.RuneCountInString(p.lines[i])+1 {
			d.Place.Col = 0
		}
		p.pack.Problems = append(p.pack.Problems, d)
	}
}

// longText bounds what a statement quotes.
const longText = 200

// short is a text on one line, cut where it is long.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if letters := []rune(s); len(letters) > longText {
		return string(letters[:longText-1]) + "…"
	}
	return s
}
