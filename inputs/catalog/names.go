package catalog

import (
	"sort"
	"strings"
	"unicode"
)

// noise are words that makers and drivers put around a device's or a model's
// name without telling it from another.
var noise = map[string]bool{
	"nvidia": true, "amd": true, "intel": true, "habana": true, "huawei": true, "google": true, "aws": true,
	"tesla": true, "geforce": true, "instinct": true, "gpu": true, "npu": true, "tpu": true, "oam": true,
	"generation": true, "accelerator": true,
	"instruct": true, "chat": true, "hf": true, "it": true, "base": true, "meta": true, "quantized": true,
}

// words splits a name at punctuation and lowers its case: "A100-SXM4 80GB" is
// a100, sxm4, 80gb.
func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// squeeze is the name without case and punctuation.
func squeeze(name string) string { return strings.Join(words(name), "") }

// core is the name without case, punctuation and noise; the whole name where
// nothing else is left.
func core(name string) string {
	var kept []string
	for _, w := range words(name) {
		if !noise[w] {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		return squeeze(name)
	}
	return strings.Join(kept, "")
}

// wordSet is the name as a set: order, noise, socket revisions and the way a
// memory size is written do not matter. "H100 80GB SXM5" equals "H100-SXM-80".
func wordSet(name string) string {
	seen := map[string]bool{}
	for _, w := range words(name) {
		switch {
		case noise[w] || w == "gb" || w == "gib": // "80 GB" is 80
			continue
		case strings.HasPrefix(w, "sxm"):
			w = "sxm"
		case len(w) > 1 && isDigits(strings.TrimRight(w, "gib")):
			w = strings.TrimRight(w, "gib")
		}
		seen[w] = true
	}
	set := make([]string, 0, len(seen))
	for w := range seen {
		set = append(set, w)
	}
	sort.Strings(set)
	return strings.Join(set, " ")
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
