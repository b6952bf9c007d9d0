package read

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"partita/inputs"
)

// globalBatch is the size of a training step as stated: sequences, or tokens.
type globalBatch struct {
	Count  float64
	Tokens bool
	// Binary is the count with a k or an M of 2^10 or 2^20, which people mean where the
	// decimal one is no whole number of sequences; 0: no such unit.
	Binary float64
}

const (
	globalBatchText = `\+?` + plainNumber + `\s*(?i:sequences?|seqs?|samples?)?|` + realNumber + `\s*(?i:k|m|thousand|million)?\s*(?i:tokens?|toks?)`
	maxBatch        = 1 << 24 // sequences, as everywhere
	maxBatchTokens  = 1 << 40
)

var (
	batchInSequences = regexp.MustCompile(`(?i)^(?:sequences?|seqs?|samples?)?$`)
	wholeNumber      = regexp.MustCompile(`^\+?` + plainNumber + `$`)
	batchNumber      = regexp.MustCompile(`^\+?[\d.,_]+(?:[eE][+-]?\d+)?`)
	batchInTokens    = regexp.MustCompile(`(?i)^(k|m|thousand|million)?\s*(?:tokens?|toks?)$`)
)

// parseGlobalBatch reads "2048", "2048 sequences" or "16M tokens".
func parseGlobalBatch(s string) (globalBatch, error) {
	s = strings.TrimSpace(s)
	bad := &inputs.QuantityError{Text: s, Want: "sequences such as 2048, or tokens such as 16M tokens"}
	text := batchNumber.FindString(s)
	unit := strings.TrimSpace(s[len(text):])
	if batchInSequences.MatchString(unit) {
		n, err := inputs.ParseCount(text)
		if err != nil || !wholeNumber.MatchString(text) {
			return globalBatch{}, bad
		}
		return globalBatch{Count: float64(n)}, nil
	}
	m := batchInTokens.FindStringSubmatch(unit)
	n, err := inputs.ParseReal(text)
	if m == nil || err != nil {
		return globalBatch{}, bad
	}
	g := globalBatch{Count: n, Tokens: true}
	switch strings.ToLower(m[1]) {
	case "k", "thousand":
		g.Count, g.Binary = n*1e3, n*(1<<10)
	case "m", "million":
		g.Count, g.Binary = n*1e6, n*(1<<20)
	}
	return g, nil
}

// text is the batch as it is read back.
func (g globalBatch) text() string {
	switch {
	case !g.Tokens:
		return fmt.Sprintf("%.0f sequences", g.Count)
	case g.Binary == g.Count*(1<<20)/1e6:
		return strconv.FormatFloat(g.Count/1e6, 'g', -1, 64) + "M tokens"
	case g.Binary > 0:
		return strconv.FormatFloat(g.Count/1e3, 'g', -1, 64) + "k tokens"
	}
	return strconv.FormatFloat(g.Count, 'f', -1, 64) + " tokens"
}

func (g globalBatch) check() string {
	if most := map[bool]float64{false: maxBatch, true: maxBatchTokens}[g.Tokens]; g.Count < 1 || g.Count > most {
		return "a global batch from 1 to 16777216 sequences"
	}
	return ""
}

// sequences is the batch in whole sequences of a length; why says how tokens were read
// where they had to be. 0: there is no whole number.
func (g globalBatch) sequences(length int) (n int, why string) {
	if !g.Tokens {
		return int(g.Count), ""
	}
	for _, tokens := range []float64{g.Count, g.Binary} {
		if n := tokens / float64(length); n >= 1 && n == math.Trunc(n) && n <= maxBatch {
			if tokens != g.Count {
				return int(n), fmt.Sprintf("%s are no whole number of sequences of %d, with units of two %.0f tokens are %.0f", g.text(), length, tokens, n)
			}
			return int(n), ""
		}
	}
	return 0, ""
}

// optimizers is the state in bytes that optimizers keep for each parameter beside the
// weights that are trained with: a master copy in fp32, and their moments.
func optimizers() map[string]float64 {
	return map[string]float64{
		"adam": 12, "adamw": 12, // master copy, two moments in fp32 (Rajbhandari et al. 2020, "ZeRO")
		"adam-8bit": 6, "adamw-8bit": 6, // master copy, two moments of a byte (Dettmers et al. 2022)
		"muon": 8, "lion": 8, "sgd-momentum": 8, // master copy, one moment in fp32
		"sgd": 4, // master copy alone
	}
}

// optimizerNames lists them in the order of the documents.
func optimizerNames() []string {
	return []string{"adam", "adamw", "adam-8bit", "adamw-8bit", "muon", "lion", "sgd-momentum", "sgd"}
}

const (
	maxOptimizerBytes  = 64
	optimizerBytesText = realNumber + `\s*(?i:bytes?(?:(?:/|\sper\s|\sa\s)\s?param(?:eter)?s?)?)?`
	zeroText           = `(?i:(?:zero[- ]?)?(?:stage[- ]?)?[0-3]|none|off|no|disabled|distributed optimizer|fsdp)`
	recomputeText      = `(?i:none|off|no|disabled|selective|full|on|yes)`
)

var (
	optimizerBytes = regexp.MustCompile(`^\s*(` + realNumber + `)\s*(?i:bytes?(?:(?:/|\sper\s|\sa\s)\s?param(?:eter)?s?)?)?\s*$`)
	zeroWords      = regexp.MustCompile(`(?i)^(?:zero[- ]?)?(?:stage[- ]?)?([0-3])$`)
)

// parseOptimizer reads a name, or bytes a parameter.
func parseOptimizer(s string) (float64, error) {
	if bytes, ok := optimizers()[strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), " ", "-")]; ok {
		return bytes, nil
	}
	if m := optimizerBytes.FindStringSubmatch(s); m != nil {
		if v, err := inputs.ParseReal(m[1]); err == nil {
			return v, nil
		}
	}
	return 0, &inputs.QuantityError{Text: strings.TrimSpace(s), Want: "one of " + strings.Join(optimizerNames(), ", ") + ", or bytes of state a parameter such as 12 bytes"}
}

func showOptimizer(f float64) string {
	return strconv.FormatFloat(f, 'g', -1, 64) + " bytes a parameter"
}

// zeroStage is a stage of ZeRO.
type zeroStage int

// parseZeRO reads what is sharded over the data-parallel ranks.
func parseZeRO(s string) (any, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	switch s {
	case "none", "off", "no", "disabled":
		return zeroStage(0), nil
	case "distributed optimizer":
		return zeroStage(1), nil
	case "fsdp":
		return zeroStage(3), nil
	}
	if m := zeroWords.FindStringSubmatch(s); m != nil {
		return zeroStage(m[1][0] - '0'), nil
	}
	return nil, &inputs.QuantityError{Text: s, Want: "0, 1, 2 or 3 (FSDP)"}
}

// parseRecompute reads the activations that are computed again; "on" are those of whole
// layers, as frameworks mean by checkpointing.
func parseRecompute(s string) (any, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "none", "off", "no", "disabled":
		return inputs.NoRecompute, nil
	case "selective":
		return inputs.SelectiveRecompute, nil
	case "full", "on", "yes":
		return inputs.FullRecompute, nil
	}
	return nil, &inputs.QuantityError{Text: strings.TrimSpace(s), Want: "none, selective or full"}
}

// trainingKeys are what a condition states of a training step beside its lengths.
func trainingKeys() []key {
	const at = "workload.training."
	count := func(field, what string) key {
		return typed(at+field, "training: "+what, inputs.ParseCount, plain[int], atLeast(1)).as("count")
	}
	recompute := stageField{"recompute", "activation recompute", "/,", parseRecompute, "recomputes"}.key()
	recompute.path, recompute.what, recompute.note = at+"recompute", "training: activation recompute", ""
	return []key{
		typed("workload.global_batch", "training: global batch", parseGlobalBatch, globalBatch.text, globalBatch.check).as("globalBatch"),
		count("micro_batch", "sequences of a micro-batch"),
		typed(at+"optimizer", "training: optimizer state", parseOptimizer, showOptimizer, func(f float64) string {
			if f < 0 || f > maxOptimizerBytes {
				return "from 0 to 64 bytes a parameter"
			}
			return ""
		}).as("optimizer"),
		typed(at+"gradient_precision", "training: number format of the gradients", inputs.ParseDType, plain[inputs.DType], func(t inputs.DType) string {
			if t != inputs.FP32 && t != inputs.BF16 && t != inputs.FP16 {
				return "fp32, bf16 or fp16"
			}
			return ""
		}).as("numberFormat"),
		loose(at+"zero", "training: ZeRO stage", parseZeRO).as("zero"),
		recompute,
		count("virtual_stages", "virtual stages of a pipeline rank"),
		loose(at+"sequence_parallel", "training: sequence parallel:", parseBool).as("yesNo"),
	}
}
