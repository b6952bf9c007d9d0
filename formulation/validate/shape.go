package validate

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"partita/inputs"
	"partita/inputs/measured"
	"partita/inputs/read"
)

// modelSizes is a model as a condition states it: by its name in the catalogue, or by its
// sizes. It is comparable.
type modelSizes struct {
	catalog string
	// Without a name: a decoder of one kind of layer.
	layers, hidden, heads, kvHeads, headDim, intermediate, vocab int
	gated, tied                                                  bool
}

// modelOf finds the model of a row: in the catalogue, else by its sizes. Layers that a row
// states beside a name replace those of the catalogue, as in models that were cut for a
// measurement. ranks is the tensor-parallel degree, which heads divide over.
func (k known) modelOf(r *measured.Row) (s modelSizes, reason string) {
	sizes, stated := sizesOf(r.Shape)
	m, found := k.model(r)
	switch {
	case found && (sizes["L"] == 0 || int(sizes["L"]) == len(m.Layers)):
		return modelSizes{catalog: m.Name}, ""
	case found && len(m.Kinds) == 1 && m.Kinds[0].Attention.Kind != inputs.MLA && m.Kinds[0].FFN.Experts == 0:
		a, f := &m.Kinds[0].Attention, &m.Kinds[0].FFN
		return modelSizes{
			layers: int(sizes["L"]), hidden: m.Hidden, heads: a.Heads, kvHeads: a.KVHeads, headDim: a.HeadDim,
			intermediate: f.Intermediate, vocab: m.Vocab, gated: f.Gated, tied: m.Tied,
		}, ""
	case found:
		return s, "the model was cut to other layers than it has, and they are not all of one kind"
	case !stated || sizes["h"] == 0:
		name := r.HuggingFace
		if name == "" {
			name = r.Model
		}
		return s, fmt.Sprintf("model %q is not in the catalogue", name)
	}
	return plainOf(sizes, r)
}

// plainOf is a plain decoder by its sizes: GPT-2 and what was trained on its pattern until
// gated blocks came. What is not stated is that pattern's: blocks four times as wide as the
// hidden state, as many KV heads as heads, embedding and head shared.
func plainOf(sizes map[string]float64, r *measured.Row) (modelSizes, string) {
	s := modelSizes{
		layers: int(sizes["L"]), hidden: int(sizes["h"]), heads: int(sizes["a"]), vocab: int(sizes["V"]),
		intermediate: int(sizes["ffn"]), tied: true,
	}
	if s.vocab == 0 {
		s.vocab = gpt2Vocab
	}
	if s.intermediate == 0 {
		s.intermediate = 4 * s.hidden
	} else {
		s.gated = s.intermediate < 4*s.hidden // a third matrix at two thirds of the width
	}
	if s.heads == 0 {
		s.heads = usualHeads(s.hidden, max(1, r.TP))
	}
	if s.layers == 0 {
		// The name has the parameters: 12 h² a layer.
		p := billions.FindStringSubmatch(r.Model)
		if p == nil {
			return s, "the number of layers is not stated"
		}
		n, _ := strconv.ParseFloat(p[1], 64)
		h := float64(s.hidden)
		s.layers = int(math.Round((n*1e9 - float64(s.vocab)*h) / (12 * h * h)))
	}
	if s.heads == 0 || s.hidden%s.heads != 0 || s.layers < 1 {
		return s, "the sizes of the model do not fit together"
	}
	s.kvHeads, s.headDim = s.heads, s.hidden/s.heads
	return s, ""
}

// gpt2Vocab is the vocabulary of GPT-2, padded as Megatron-LM does (a multiple of 128).
const gpt2Vocab = 50304

// billions finds the parameters in a name such as "GPT-145.6B".
var billions = regexp.MustCompile(`(\d+(?:\.\d+)?)B\b`)

// sizesOf reads "L80 h13824 a96 s2048 V250k"; ok tells whether there is any size.
func sizesOf(text string) (sizes map[string]float64, ok bool) {
	sizes = map[string]float64{}
	for _, word := range strings.Fields(text) {
		g := sizeWord.FindStringSubmatch(word)
		if g == nil {
			continue
		}
		x, err := strconv.ParseFloat(g[2], 64)
		if err != nil {
			continue
		}
		if g[3] != "" {
			x *= 1e3
		}
		sizes[g[1]] = x
	}
	return sizes, len(sizes) > 0
}

var sizeWord = regexp.MustCompile(`^([A-Za-z]+)(\d+(?:\.\d+)?)(k?)$`)

// usualHeads is a number of heads that divides over the ranks, the one whose width comes
// closest to 128; 0 where there is none.
func usualHeads(hidden, ranks int) int {
	best, off := 0, math.Inf(1)
	for n := ranks; n <= hidden/32; n += ranks {
		if hidden%n != 0 {
			continue
		}
		if d := math.Abs(math.Log(float64(hidden) / float64(n) / 128)); d < off {
			best, off = n, d
		}
	}
	return best
}

// settings state the model.
func (s *modelSizes) settings() []read.Override {
	if s.catalog != "" {
		return []read.Override{{Key: "model.catalog", Value: s.catalog}}
	}
	yesNo := map[bool]string{true: "yes", false: "no"}
	out := []read.Override{{Key: "model.gated", Value: yesNo[s.gated]}, {Key: "model.tied", Value: yesNo[s.tied]}}
	for _, x := range []struct {
		key   string
		value int
	}{
		{"layers", s.layers}, {"hidden", s.hidden}, {"heads", s.heads}, {"kv_heads", s.kvHeads}, {"head_dim", s.headDim},
		{"intermediate", s.intermediate}, {"vocab", s.vocab},
	} {
		out = append(out, read.Override{Key: "model." + x.key, Value: strconv.Itoa(x.value)})
	}
	return out
}
