package catalog

import "partita/inputs"

// Config holds the fields of a Hugging Face config.json that a plan depends on,
// under their published names. Zero means that the file does not state the field
// or states none (null). Sizes are in elements, lengths in tokens.
type Config struct {
	Architectures         []string
	ModelType             string
	HiddenSize            int
	NumHiddenLayers       int
	VocabSize             int
	MaxPositionEmbeddings int
	TieWordEmbeddings     *bool // nil: the default of the architecture
	HiddenAct             string

	NumAttentionHeads int
	NumKeyValueHeads  int
	HeadDim           int

	// Multi-head latent attention.
	QLoraRank     int
	KVLoraRank    int
	QKRopeHeadDim int
	QKNopeHeadDim int
	VHeadDim      int

	// Sliding windows.
	SlidingWindow        int
	UseSlidingWindow     *bool // nil: a stated window is used
	SlidingWindowPattern int   // every n-th layer is full
	MaxWindowLayers      int   // layers below it are full
	AttentionChunkSize   int
	LayerTypes           []string // one a layer

	IntermediateSize    int
	IntermediateSizeMLP int // of dense layers, where intermediate_size is that of an expert

	// Mixture of experts.
	NumExperts                   int
	NumExpertsPerTok             int
	MoEIntermediateSize          int
	NSharedExperts               int
	SharedExpertIntermediateSize int
	FirstKDenseReplace           int   // layers below it are dense
	MoELayerFreq                 int   // layer l routes where l mod it = 0
	DecoderSparseStep            int   // layer l routes where (l+1) mod it = 0
	MLPOnlyLayers                []int // dense layers

	DType        inputs.DType // of the checkpoint
	Quantization inputs.DType // of the quantised weights; empty: none
	ExpertsOnly  bool         // the routed experts alone are quantised
	// WideAttention is of how many layers the matrices of attention are left out of
	// quantising; -1: all.
	WideAttention int

	at map[string]place
}

// place is a position in the file that a Config was read from.
type place struct{ line, col int }

// problem is a Problem at the place of the first named field that is stated.
func (c *Config) problem(text, want, hint string, fields ...string) Problem {
	p := Problem{Text: text, Want: want, Hint: hint}
	for _, f := range fields {
		if at, ok := c.at[f]; ok {
			p.Line, p.Col = at.line, at.col
			break
		}
	}
	return p
}

// stated reports whether the file has the field, even as null.
func (c *Config) stated(field string) bool {
	_, ok := c.at[field]
	return ok
}

// experts reports whether any layer routes tokens.
func (c *Config) routed() bool { return c.NumExperts > 0 }

// latent reports whether the attention keeps compressed keys and values.
func (c *Config) latent() bool { return c.KVLoraRank > 0 }

// Note tells what one field of a configuration was used as.
type Note struct {
	Line, Col int
	Text      string // the field as it is written: hidden_size: 4096
	UsedAs    string
}

// Reading is a model that was read from a configuration, with everything a
// report needs to say about it. The model is meaningful where Problems is empty.
type Reading struct {
	Model       inputs.Model
	Notes       []Note
	Assumptions []inputs.Assumption
	Warnings    []string
	Problems    []Problem
}

// ParseConfig reads the text of a config.json: every field with its position and
// use, and all problems at once.
func ParseConfig(text []byte) Reading {
	root, problem := parseJSON(text)
	if problem != nil {
		return Reading{Problems: []Problem{*problem}}
	}
	return readConfig(root)
}
