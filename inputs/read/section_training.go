package read

import (
	"fmt"
	"regexp"
	"strings"
)

// trainingReaders read what the section of the workload says of a training step.
func trainingReaders() []reader {
	s := sectionInput
	of := func(title string, read func(*markdown, *stated), names ...string) reader {
		return reader{section: s, title: title, names: names, read: read}
	}
	return []reader{
		of("Global batch size", readGlobalBatch, "global batch size", "global batch", "gbs", "batch size per step", "token per step", "token per batch", "global batch size token", "batch size token"),
		of("Micro-batch size", phraseOr("workload.training.micro_batch"), "micro batch size", "micro batch", "mbs"),
		of("Optimizer", phraseOr("workload.training.optimizer"), "optimizer", "optimizer state", "optimizer type", "adam", "adamw", "muon", "sgd"),
		of("Gradient precision", phraseOr("workload.training.gradient_precision"), "gradient precision", "gradient dtype", "gradient format", "gradient data type", "precision gradient", "gradient", "gradient accumulation"),
		of("ZeRO stage", readSharding, "zero", "zero stage", "zero optimization", "zero optimizer", "distributed optimizer", "fsdp", "sharding", "optimizer sharding"),
		of("Activation recompute", phraseOr("workload.training.recompute"), "activation recompute", "activation recomputation", "recompute", "recomputation", "activation checkpointing", "gradient checkpointing", "checkpointing"),
		of("Virtual stages", phraseOr("workload.training.virtual_stages"), "virtual stage", "virtual pipeline stage", "virtual pipeline", "vpp", "number virtual stage", "virtual pipeline parallelism", "virtual pipeline size", "virtual pipeline parallel size"),
		of("Sequence parallel", phraseOr("workload.training.sequence_parallel"), "sequence parallel", "sequence parallelism"),
		of("Training", readTraining, "training", "train", "pretraining", "pre training", "fine tuning", "finetuning", "training step", "training task", "task", "training run"),
	}
}

// phraseOr reads a value into a key, or a sentence about a training step.
func phraseOr(path string) func(*markdown, *stated) {
	return func(m *markdown, s *stated) {
		text := strings.Trim(strings.TrimSpace(s.value), ".。;")
		k, _ := m.keyOf(path)
		if _, err := k.parse(text); err == nil {
			m.whole(s, path)
			return
		}
		// The name may be what the sentence needs: "Recompute: selective, of attention".
		if word := firstWord.FindString(text); word != "" && s.key != "" {
			if _, err := k.parse(word); err == nil && m.setText(s.number, path, word, s.at(0), fromFile) {
				at := strings.Index(s.value, word)
				s.mask(at, at+len(word))
			}
		}
		readTraining(m, s)
		if m.statements[s.number].UsedAs == "" {
			_, err := k.parse(text)
			m.problem(s.at(0), fmt.Sprintf("no %s found in %q", k.noun(), s.text), wantOf2(err), "")
		}
	}
}

var firstWord = regexp.MustCompile(`^[\pL\d][\pL\d-]*`)

// readGlobalBatch reads "2048", "2,048 sequences of 8,192 tokens", "16M tokens".
func readGlobalBatch(m *markdown, s *stated) {
	text := strings.Trim(strings.TrimSpace(s.value), ".。;")
	b, err := parseGlobalBatch(text + " tokens")
	switch inTokens := strings.Contains(strings.ToLower(s.key), "token"); {
	case inTokens && err == nil: // "Global batch size (tokens): 4M"
		if m.set(s.number, "workload.global_batch", b, s.at(0), fromFile) {
			s.mask(0, len(s.left))
		}
	case !m.sequencesOf(s):
		if all := findAll(s.prose, parseGlobalBatch); len(all) > 0 {
			b := all[0]
			s.mask(b.start, b.end)
			m.set(s.number, "workload.global_batch", b.value, s.at(b.start), fromFile)
		}
	}
	readTraining(m, s)
	if m.statements[s.number].UsedAs == "" {
		_, err := parseGlobalBatch(s.value)
		m.problem(s.at(0), fmt.Sprintf("no global batch found in %q", s.text), wantOf2(err), "")
	}
}

// readSharding reads a stage of ZeRO; the name alone may say which: "FSDP: yes".
func readSharding(m *markdown, s *stated) {
	m.shards(s, "workload.training.zero")
}

func (m *markdown) shards(s *stated, path string) {
	name, yes := phrase(s.key), false
	if v, err := parseBool(strings.Trim(strings.TrimSpace(s.value), ".。;")); err == nil {
		yes, _ = v.(bool)
	}
	stage := map[string]string{"distributed optimizer": "1", "fsdp": "3"}[name]
	if yes && stage != "" {
		if m.setText(s.number, path, stage, s.at(0), fromFile) {
			s.mask(0, len(s.left))
		}
		return
	}
	phraseOr(path)(m, s)
}

// sequencesOf takes a batch with the length of its sequences: "2,048 sequences of 8,192
// tokens each".
func (m *markdown) sequencesOf(s *stated) bool {
	g := batchOfLength.FindSubmatchIndex(s.left)
	if g == nil {
		return false
	}
	ok := m.setText(s.number, "workload.global_batch", s.value[g[2]:g[3]], s.at(g[2]), fromFile) &&
		m.setText(s.number, "workload.sequence", s.value[g[4]:g[5]], s.at(g[4]), fromFile)
	s.mask(g[0], g[1])
	return ok
}

// Phrases about a training step.
var (
	batchOfLength = regexp.MustCompile(`(?i)(\d[\d,_]*)\s*(?:sequences?|samples?|seqs?)\s*(?:of|[x×*])\s*(?:length\s+|up to\s+)?(\d[\d,_]*k?)(?:[- ]*tokens?)?(?:\s+each)?\b`)
	microBatchOf  = regexp.MustCompile(`(?i)\bmicro[- ]?batch(?:es)?(?:[- ]size)?\s*(?:of|is|=|:)?\s*(\d+)(?:\s*sequences?)?\b`)
	batchOf       = regexp.MustCompile(`(?i)\b(?:global\s+)?batch(?:\s*size)?\s*(?:of|is|=|:)?\s*(\d[\d,._]*\s*(?:(?:k|m|million|thousand)?\s*tokens?|sequences?|samples?)?)(?:\s|[,;.)]|$)|(\d[\d,._]*\s*(?:(?:k|m|million|thousand)?\s*tokens?|sequences?|samples?))\s*(?:per|a|each|/)\s*(?:global\s+)?(?:step|batch|iteration)\b`)
	lengthOf      = regexp.MustCompile(`(?i)\b(?:sequence|context)\s*length\s*(?:of|is|=|:)?\s*(\d[\d,_]*k?)(?:\s*tokens?)?\b|\b(\d[\d,_]*k?)[- ]tokens?[- ](?:sequences?|context)\b|\bsequences?\s+of\s+(\d[\d,_]*k?)(?:\s*tokens?)?\b`)
	optimizerOf   = regexp.MustCompile(`(?i)\b(adamw?(?:[ -]8-?bit)?|muon|lion|sgd[ -]momentum|sgd)\b(?:\s+optimizer)?|\b(\d+(?:\.\d+)?\s*bytes?)\s*(?:of (?:optimizer )?state)?\s*(?:a|per|/)\s*param(?:eter)?s?\b`)
	gradientOf    = regexp.MustCompile(`(?i)\b(fp32|bf16|fp16|float32|bfloat16)\s+grad(?:ient)?s?(?:\s+(?:accumulation|reduction|all-?reduce))?\b|\bgrad(?:ient)?s?(?:\s+(?:accumulation|reduction|all-?reduce))?\s+(?:in|are|as|=|:)\s*(fp32|bf16|fp16|float32|bfloat16)\b`)
	shardingOf    = regexp.MustCompile(`(?i)\b(zero[- ]?(?:stage)?[- ]?[0-3]|distributed optimizer|fsdp)\b`)
	recomputeOf   = regexp.MustCompile(`(?i)\b(no|none|selective|full)\s+(?:activation\s+|gradient\s+)?(?:recompute|recomputation|checkpointing)\b|\b(?:activation\s+|gradient\s+)?(?:recompute|recomputation|checkpointing)\s*(?:is|=|:)?\s*(none|off|selective|full|on)\b`)
	virtualOf     = regexp.MustCompile(`(?i)\b(\d+)\s*virtual\s+(?:pipeline\s+)?stages?(?:\s+(?:per|a|on each)\s+(?:pipeline\s+)?rank)?\b|\b(?:vpp|virtual\s+(?:pipeline\s+)?(?:stages?|parallel\w*|size))\s*(?:size|of|is|=|:)?\s*(\d+)\b`)
	splitsNorms   = regexp.MustCompile(`(?i)\bwith\s+(?:megatron\s+)?sequence[- ]parallel(?:ism)?\b(?:\s*\(sp\))?`)
	keepsNorms    = regexp.MustCompile(`(?i)\b(?:without|no)\s+(?:megatron\s+)?sequence[- ]parallel(?:ism)?\b(?:\s*\(sp\))?`)
	trainingWord  = regexp.MustCompile(`(?i)\b(?:pre-?\s?training|training|pre-?train|train|fine-?\s?tun(?:e|ing))\b`)
	trainingIn    = regexp.MustCompile(`(?i)\b(?:in|at|with|using)\s+(fp32|bf16|fp16|fp8)(?:\s+mixed)?(?:\s+precision)?\b|\b(fp32|bf16|fp16|fp8)(?:\s+mixed)?(?:\s+precision)\b`)
	masterWords   = regexp.MustCompile(`(?i)\b(?:fp32|float32)\s+(?:master\s+)?(?:weights?|copy|copies|parameters?|moments?|states?|optimizer states?)\b`)
)

// readTraining reads a sentence about a training step: "Pre-training in bf16, 2,048
// sequences of 8,192 tokens, micro-batch 1, AdamW with fp32 gradients, ZeRO-1".
func readTraining(m *markdown, s *stated) {
	for s.take(masterWords) { // what every optimizer here keeps
	}
	m.sequencesOf(s)
	m.trainingPhrases(s, "workload.training.", "workload.training.micro_batch")
	for _, p := range []pattern{
		{batchOf, "workload.global_batch"}, {lengthOf, "workload.sequence"}, {gradientOf, "workload.training.gradient_precision"},
		{trainingIn, "model.precision"}, {optimizerOf, "workload.training.optimizer"},
	} {
		for {
			text, at, ok := s.capture(p.re)
			if !ok || !m.setText(s.number, p.path, strings.TrimSpace(strings.TrimRight(text, ",. ")), s.at(at), fromFile) {
				break
			}
		}
	}
	if m.has("workload.training.optimizer") {
		s.take(optimizerNoun)
	}
	if _, at, ok := s.capturePattern(trainingWord); ok {
		m.setText(s.number, "workload.phase", "training", s.at(at), fromFile)
		for s.take(trainingWord) {
		}
	}
	for s.take(trainingFiller) {
	}
}

var (
	optimizerNoun  = regexp.MustCompile(`(?i)\boptimizer\b`)
	trainingFiller = regexp.MustCompile(`(?i)\b(mixed|precision|step|steps|run|from scratch|interleaved|schedule|1f1b|activations?|gradients?|optimizer)\b`)
)

// trainingPhrases takes what a strategy may say too.
func (m *markdown) trainingPhrases(s *stated, prefix, micro string) {
	for _, p := range []pattern{
		{microBatchOf, micro}, {virtualOf, prefix + "virtual_stages"}, {shardingOf, prefix + "zero"}, {recomputeOf, prefix + "recompute"},
	} {
		if text, at, ok := s.capture(p.re); ok {
			m.setText(s.number, p.path, text, s.at(at), fromFile)
		}
	}
	for _, p := range []struct {
		re   *regexp.Regexp
		word string
	}{{keepsNorms, "no"}, {splitsNorms, "yes"}} {
		if _, at, ok := s.capturePattern(p.re); ok {
			m.setText(s.number, prefix+"sequence_parallel", p.word, s.at(at), fromFile)
		}
	}
}

// readUtilization refuses a utilisation as a requirement: it is what a plan reaches of the
// peak, and the tokens of a GPU say the same.
func readUtilization(m *markdown, s *stated) {
	if none.MatchString(s.value) {
		m.used(s.number, "requirement: none")
		s.mask(0, len(s.left))
		return
	}
	m.problem(s.keyAt, fmt.Sprintf("a utilisation cannot be required: %q", s.text), "a throughput per GPU or a step time", "MFU is reported; what hardware reaches is stated in the environment section")
}
