package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/inputs"
	"partita/inputs/catalog"
)

// modelFilters narrow the list of models.
type modelFilters struct {
	family, attention, precision     namesFlag
	params, context, layers, experts comparisonFlag
	moe, dense                       bool
}

func newCatalogModels(env Environment) *cobra.Command {
	f := &modelFilters{}
	l := &listing[inputs.Model]{
		what: "model", all: (*catalog.Catalog).Models,
		find: func(known *catalog.Catalog, name string) (inputs.Model, bool, []string, []string) {
			m, ok := known.Model(name)
			return m, ok, known.SuggestModel(name), nil
		},
		detail: func(env Environment, known *catalog.Catalog, m inputs.Model, _ []string) error {
			return modelDetail(env, known, m)
		},
		json:    func(known *catalog.Catalog, m inputs.Model) any { return modelJSON(known, m) },
		columns: modelColumns, shown: []string{"name", "parameters_b", "layers", "hidden", "attention", "experts", "precision"},
		filters: f.register, admits: f.admits,
	}
	return l.command(env, "models", `models lists the models that a condition can name, or shows one with its layers
and the provenance of its shapes. Filters narrow the list; an entry must pass
them all. Parameters are compared as a model's name rounds them: 70.6 billion
are 70B.`)
}

func (f *modelFilters) register(flags *pflag.FlagSet) {
	f.params.value, f.context.value, f.layers.value, f.experts.value = parameterSpan, countSpan, countSpan, countSpan
	flags.Var(&f.family, "family", "of `FAMILIES` that begin so, by comma: llama,'Qwen 3'")
	flags.BoolVar(&f.moe, "moe", false, "has layers with experts")
	flags.BoolVar(&f.dense, "dense", false, "has no layer with experts")
	flags.Var(&f.params, "params", "parameters: '`<=80B`', or a range 7B..14B")
	flags.Var(&f.attention, "attention", "with one of these `FORMS` of attention: mha, gqa, mqa, mla")
	flags.Var(&f.context, "context", "longest context in tokens: '`>=128k`'")
	flags.Var(&f.layers, "layers", "number of layers: '`>=80`'")
	flags.Var(&f.experts, "experts", "routed experts of a layer: '`>=64`'")
	flags.Var(&f.precision, "precision", "published in one of these `FORMATS`: bf16, fp8")
}

func (f *modelFilters) admits(known *catalog.Catalog) (func(inputs.Model) bool, error) {
	list := known.Models()
	family := func(m inputs.Model) string {
		entry, _ := known.ModelEntry(m.Name)
		return entry.Family
	}
	err := errors.Join(
		checkFamilies(f.family.names, distinctNames(list, family)),
		f.attention.check("attention", []string{"mha", "gqa", "mqa", "mla"}),
		f.precision.check("precision", distinctNames(list, func(m inputs.Model) string { return string(m.Weights) })),
	)
	if f.moe && f.dense {
		err = errors.Join(err, errors.New("--moe or --dense, not both"))
	}
	return func(m inputs.Model) bool {
		experts := mostExperts(m)
		return (len(f.family.names) == 0 || slices.ContainsFunc(f.family.names, func(want string) bool { return begins(family(m), want) })) &&
			(!f.moe || experts > 0) && (!f.dense || experts == 0) &&
			f.params.holds(m.DeclaredParams) && f.context.holds(float64(m.MaxContext)) && f.layers.holds(float64(len(m.Layers))) &&
			f.experts.holds(float64(experts)) && f.precision.holds(string(m.Weights)) &&
			slices.ContainsFunc(m.Kinds, func(k inputs.LayerKind) bool { return f.attention.holds(attentionForm(k.Attention)) })
	}, err
}

// begins reports whether a name begins with another, case and punctuation aside, at the
// end of a word: "llama" and "llama 3" begin "Llama 3.1", "lla" does not.
func begins(name, with string) bool {
	n, w := plainWords(name), plainWords(with)
	if len(w) > len(n) || len(w) == 0 {
		return false
	}
	for i := range w {
		if n[i] != w[i] {
			return false
		}
	}
	return true
}

// plainWords are the words and numbers of a name: Llama-3.1, "Llama 3.1" and llama3.1 are
// llama, 3, 1.
func plainWords(name string) []string {
	var out []string
	digits := false
	start := true
	for _, r := range strings.ToLower(name) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			start = true
			continue
		}
		if start || unicode.IsDigit(r) != digits {
			out = append(out, "")
		}
		start, digits = false, unicode.IsDigit(r)
		out[len(out)-1] += string(r)
	}
	return out
}

func checkFamilies(asked, known []string) error {
	var wrong []error
	for _, want := range asked {
		if slices.ContainsFunc(known, func(name string) bool { return begins(name, want) }) {
			continue
		}
		text := fmt.Sprintf("--family %q: want the beginning of one of %s", want, strings.Join(known, ", "))
		if near := inputs.Nearest(strings.ToLower(want), lowered(append(firstWords(known), known...))); near != "" {
			text += fmt.Sprintf("; did you mean %s?", near)
		}
		wrong = append(wrong, errors.New(text))
	}
	return errors.Join(wrong...)
}

func firstWords(names []string) []string {
	return distinctNames(names, func(name string) string {
		word, _, _ := strings.Cut(name, " ")
		return word
	})
}

// attentionForm tells apart what layers of grouped queries are called by their KV heads.
func attentionForm(a inputs.Attention) string {
	switch {
	case a.Kind == inputs.MLA:
		return "mla"
	case a.KVHeads == a.Heads:
		return "mha"
	case a.KVHeads == 1:
		return "mqa"
	}
	return "gqa"
}

func mostExperts(m inputs.Model) int {
	most := 0
	for _, k := range m.Kinds {
		most = max(most, k.FFN.Experts)
	}
	return most
}

// modelColumns are the figures of a model.
func modelColumns(known *catalog.Catalog) []column[inputs.Model] {
	text := func(key, header string, of func(inputs.Model) string) column[inputs.Model] {
		return column[inputs.Model]{key: key, header: header, cell: of, raw: of}
	}
	count := func(key, header string, of func(inputs.Model) int) column[inputs.Model] {
		raw := func(m inputs.Model) string { return strconv.Itoa(of(m)) }
		return column[inputs.Model]{key: key, header: header, cell: raw, raw: raw, figure: func(m inputs.Model) float64 { return float64(of(m)) }}
	}
	entry := func(m inputs.Model) catalog.ModelEntry {
		e, _ := known.ModelEntry(m.Name)
		return e
	}
	last := func(m inputs.Model) inputs.LayerKind { // in models with unlike layers the first ones are the exception
		if len(m.Layers) == 0 {
			return inputs.LayerKind{}
		}
		return m.Kinds[m.Layers[len(m.Layers)-1]]
	}
	parameters := column[inputs.Model]{key: "parameters_b", header: "parameters",
		cell:   func(m inputs.Model) string { return billions(m.DeclaredParams) },
		raw:    func(m inputs.Model) string { return strconv.FormatFloat(m.DeclaredParams/1e9, 'g', -1, 64) },
		figure: func(m inputs.Model) float64 { return m.DeclaredParams }}
	attention := text("attention", "attention", func(m inputs.Model) string { return attentionForm(last(m).Attention) })
	attention.cell = func(m inputs.Model) string { form, _ := shapeText(m); return form }
	experts := count("experts", "experts", mostExperts)
	experts.cell = func(m inputs.Model) string { _, routed := shapeText(m); return routed }
	return []column[inputs.Model]{
		text("name", "model", func(m inputs.Model) string { return m.Name }),
		text("family", "family", func(m inputs.Model) string { return entry(m).Family }),
		parameters,
		count("layers", "layers", func(m inputs.Model) int { return len(m.Layers) }),
		count("hidden", "hidden", func(m inputs.Model) int { return m.Hidden }),
		attention,
		count("heads", "heads", func(m inputs.Model) int { return last(m).Attention.Heads }),
		count("kv_heads", "KV heads", func(m inputs.Model) int { return last(m).Attention.KVHeads }),
		experts,
		count("top_k", "top k", func(m inputs.Model) int { return last(m).FFN.TopK }),
		count("context", "context", func(m inputs.Model) int { return m.MaxContext }),
		text("precision", "dtype", func(m inputs.Model) string { return string(m.Weights) }),
		text("hugging_face", "Hugging Face", func(m inputs.Model) string { return entry(m).HuggingFace }),
		text("aliases", "also", func(m inputs.Model) string { return strings.Join(entry(m).Aliases, ", ") }),
		text("provenance", "provenance", func(m inputs.Model) string { return m.Provenance }),
	}
}

// parameterSpan is a parameter count as a model's name rounds it.
func parameterSpan(text string) (span, error) {
	v, err := inputs.ParseParameters(text)
	return leeway(0.05)(v), err
}

func countSpan(text string) (span, error) {
	n, err := inputs.ParseCount(text)
	return span{float64(n), float64(n)}, err
}
