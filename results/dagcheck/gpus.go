package dagcheck

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// gpuSet is the GPUs that a label names.
type gpuSet struct {
	ids     []uint32 // sorted
	problem string   // why the text is no list of GPUs
}

// gpuSets are the distinct ones of a file.
type gpuSets struct {
	names *table // of GPUs
	lists *table
	of    []gpuSet
}

func newGPUSets() *gpuSets {
	return &gpuSets{names: newTable(), lists: newTable(), of: []gpuSet{{}}}
}

// list is the number of a list of GPUs.
func (s *gpuSets) list(text []byte) uint32 {
	text = bytes.TrimSpace(text)
	id, fresh := s.lists.id(text)
	if fresh {
		s.of = append(s.of, s.parse(s.lists.texts[id]))
	}
	return id
}

// gpu is the number of one GPU, whose id may be written with its kind before it.
func (s *gpuSets) gpu(name string) uint32 {
	id, _ := s.names.id([]byte(plainGPU(name)))
	return id
}

// plainGPU takes "GPU " off "GPU 3".
func plainGPU(name string) string {
	name = strings.TrimSpace(name)
	if rest, ok := cutFold(name, "gpu"); ok {
		if bare := strings.TrimLeft(rest, " _-:#"); bare != "" {
			return bare
		}
	}
	return name
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// parse reads "a, b, c": whatever stands for GPUs without naming them is a problem.
func (s *gpuSets) parse(text string) gpuSet {
	var out gpuSet
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if why := unnamed(part); why != "" {
			out.problem = fmt.Sprintf("%q %s", clip(part), why)
			return out
		}
		out.ids = append(out.ids, s.gpu(part))
	}
	slices.Sort(out.ids)
	if whole := len(out.ids); whole > len(slices.Compact(slices.Clone(out.ids))) {
		out.problem = "a GPU is named twice"
		out.ids = slices.Compact(out.ids)
	}
	if len(out.ids) == 0 {
		out.problem = "no GPU is named"
	}
	return out
}

// unnamed says why a word is no id of one GPU.
func unnamed(part string) string {
	lower := strings.ToLower(part)
	switch {
	case slices.ContainsFunc(strings.Fields(lower), func(w string) bool { return w == "all" || w == "each" || w == "every" || w == "any" }):
		return "stands for GPUs without naming them"
	case strings.Contains(lower, "...") || strings.Contains(lower, "…") || strings.Contains(lower, ".."):
		return "leaves GPUs out"
	case strings.ContainsAny(lower, "~*") || strings.Contains(lower, "–"):
		return "is a range or a pattern"
	}
	// 0-7 is a range, gpu-0 and node-0/gpu-3 are not.
	bare := plainGPU(lower)
	if from, to, ok := strings.Cut(bare, "-"); ok && digits(from) && digits(plainGPU(to)) {
		return "is a range"
	}
	for _, word := range strings.Fields(lower) {
		if word == "to" || word == "through" || word == "-" {
			return "is a range"
		}
	}
	return ""
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
