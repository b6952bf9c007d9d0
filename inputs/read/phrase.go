package read

import (
	"regexp"
	"sort"
	"strings"
)

// words are runs of letters and digits; a hyphen or slash separates.
var words = regexp.MustCompile(`[\pL]+[\pL\d]*|\d+`)

// stopwords carry no meaning in the name of a statement.
var stopwords = map[string]bool{
	"the": true, "a": true, "an": true, "of": true, "for": true, "to": true, "each": true, "every": true,
	"single": true, "one": true, "in": true, "on": true, "is": true, "are": true, "and": true, "with": true,
	"video": true, "graphic": true, "current": true, "maximum": true, "max": true, "minimum": true, "used": true,
	"required": true, "expected": true, "average": true, "mean": true,
}

// synonyms fold what is written differently into one word.
var synonyms = map[string]string{
	"npu": "gpu", "xpu": "gpu", "card": "gpu", "accelerator": "gpu", "device": "gpu", "dcu": "gpu", "tpu": "gpu", "chip": "gpu",
	"vram": "memory", "hbm": "memory", "utilisation": "utilization", "parallel": "parallelism", "parallelisation": "parallelism",
	"parallelization": "parallelism", "mixtures": "mixture", "dtype": "precision", "layernum": "layer", "server": "node", "machine": "node",
	"host": "node", "tok": "token", "mem": "memory", "interconnection": "interconnect", "num": "number", "vocab": "vocabulary",
	"optimise": "optimize", "optimisation": "optimize", "optimization": "optimize", "minimise": "minimize", "maximise": "maximize",
	"minimisation": "minimize", "minimization": "minimize", "maximization": "maximize", "param": "parameter", "amount": "number", "quantity": "number",
}

// phrase reduces a name to its meaning: lower case, one form of a word, no filler.
// "**Single-card video memory capacity**" and "GPU memory capacity" are both "gpu memory capacity".
func phrase(s string) string {
	var out []string
	all := words.FindAllString(strings.ToLower(s), -1)
	for i, w := range all {
		if last := i > 0 && i == len(all)-1; last && w == "in" || last && w == "out" { // "Sequence In"
			w += "put"
		}
		if len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
			w = w[:len(w)-1]
		}
		if w == "gpus" || w == "npus" || w == "tpus" || w == "xpus" {
			w = w[:3]
		}
		if to, ok := synonyms[w]; ok {
			w = to
		}
		if !stopwords[w] && (len(out) == 0 || out[len(out)-1] != w) { // "XPU cards" is "gpu" once
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

// sorted returns a sorted copy.
func sorted(list []string) []string {
	out := append([]string(nil), list...)
	sort.Strings(out)
	return out
}
