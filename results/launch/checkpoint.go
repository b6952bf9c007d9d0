package launch

import (
	"fmt"
	"slices"

	"partita/inputs"
	"partita/inputs/catalog"
)

// Checkpoint is what an engine loads for the model of a plan.
type Checkpoint struct {
	// Name is the identifier on the Hugging Face hub; "" where the model is none that the
	// catalogue knows in the number format of the plan. It has to be said then.
	Name string
	// Format is the number format of the weights that Name holds.
	Format inputs.DType
	// Missing says what has to be given where Name is "".
	Missing string
}

// checkpoint is the published checkpoint of a plan's model: of the catalogue's entry of that
// name, where its shape is that of the plan. A condition may use a known name for a shape of
// its own, or name a model that nobody published.
func (s *Serving) checkpoint() (Checkpoint, error) {
	known, err := catalog.Load()
	if err != nil {
		return Checkpoint{}, err
	}
	m := s.Model
	missing := Checkpoint{Missing: fmt.Sprintf("a path or Hugging Face id of %s with %s weights", quoted(m.Name), m.Weights)}
	entry, found := known.ModelEntry(m.Name)
	if !found || !sameShape(&entry.Model, m) {
		return missing, nil
	}
	// A name with a format at its end ("Llama-3.1-405B-FP8") is found as the published one
	// with another format: ask for what is published under the identifier itself.
	published, _ := known.ModelEntry(entry.HuggingFace)
	c := Checkpoint{Name: entry.HuggingFace, Format: published.Model.Weights}
	if loads(c.Format, m.Weights) {
		return c, nil
	}
	return missing, nil
}

// loads reports whether an engine can bring a checkpoint into the number format of a plan as
// it loads it: 16-bit formats into each other, and into FP8, which engines scale by
// themselves. Smaller formats need a checkpoint that was made for them.
func loads(from, to inputs.DType) bool {
	wide := from == inputs.BF16 || from == inputs.FP16
	return from == to || wide && (to == inputs.BF16 || to == inputs.FP16 || to == inputs.FP8 || to == inputs.FP32)
}

// sameShape reports whether two models have the same layers and vocabulary.
func sameShape(a, b *inputs.Model) bool {
	if a.Hidden != b.Hidden || a.Vocab != b.Vocab || len(a.Layers) != len(b.Layers) || scale(a) != scale(b) {
		return false
	}
	return slices.EqualFunc(kinds(a), kinds(b), func(x, y inputs.LayerKind) bool {
		return x.Attention == y.Attention && x.FFN == y.FFN
	})
}

// scale is the factor on the widths of feed-forward blocks; 0 stands for 1.
func scale(m *inputs.Model) float64 {
	if m.FFNScale == 0 {
		return 1
	}
	return m.FFNScale
}

// kinds are the kinds of a model's layers, one a layer.
func kinds(m *inputs.Model) []inputs.LayerKind {
	out := make([]inputs.LayerKind, 0, len(m.Layers))
	for _, k := range m.Layers {
		if k < 0 || k >= len(m.Kinds) {
			return nil
		}
		out = append(out, m.Kinds[k])
	}
	return out
}

// quoted is a foreign text inside a message.
func quoted(text string) string { return `"` + Comment(text) + `"` }
