package dagcheck

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// dim is one dimension of a tensor.
type dim struct {
	name string
	size int64
}

// tensor is the shape of one tensor.
type tensor struct {
	text string // [batch_size=4, seq_len=2048]
	dims []dim
	// elements is their product, math.MaxInt64 where it is larger.
	elements int64
}

// size is the size of a dimension by its name.
func (t *tensor) size(name string) (int64, bool) {
	for _, d := range t.dims {
		if d.name == name {
			return d.size, true
		}
	}
	return 0, false
}

// differing is the one dimension in which two tensors differ; -1 where they are equal or
// differ in more.
func (t *tensor) differing(u *tensor) int {
	if len(t.dims) != len(u.dims) {
		return -1
	}
	at := -1
	for i, d := range t.dims {
		switch {
		case d.name != u.dims[i].name:
			return -1
		case d.size != u.dims[i].size && at >= 0:
			return -1
		case d.size != u.dims[i].size:
			at = i
		}
	}
	return at
}

// shapes is what a label says of its inputs, or of its outputs.
type shapes struct {
	tensors  []uint32 // as written, equal ones with equal numbers
	distinct []uint32 // the same, each once
	problem  string   // why the text is no list of tensors
}

// tensors are the distinct ones of a file, and the lists of them.
type tensors struct {
	texts *table // of single tensors, spaces made even
	all   []tensor
	lists *table // of lists, as written
	of    []shapes
}

func newTensors() *tensors {
	return &tensors{texts: newTable(), all: make([]tensor, 1), lists: newTable(), of: []shapes{{problem: "nothing"}}}
}

// list is the number of a list of tensors.
func (s *tensors) list(text []byte) uint32 {
	text = bytes.TrimSpace(text)
	id, fresh := s.lists.id(text)
	if fresh {
		s.of = append(s.of, s.parse(s.lists.texts[id]))
	}
	return id
}

// parse reads "[a=1, b=2]; [c=3]". Between tensors a comma will do.
func (s *tensors) parse(text string) shapes {
	var out shapes
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " \t;,")
		if rest == "" {
			break
		}
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 {
			out.problem = fmt.Sprintf("%q stands outside of brackets", clip(rest))
			return out
		}
		t, problem := parseTensor(rest[1:end])
		if problem != "" {
			out.problem = problem
			return out
		}
		id, fresh := s.texts.id([]byte(t.text))
		if fresh {
			s.all = append(s.all, t)
		}
		out.tensors = append(out.tensors, id)
		rest = rest[end+1:]
	}
	out.distinct = slices.Clone(out.tensors)
	slices.Sort(out.distinct)
	out.distinct = slices.Compact(out.distinct)
	if len(out.tensors) == 0 {
		out.problem = "no tensor"
	}
	return out
}

// parseTensor reads "a=1, b=2".
func parseTensor(text string) (tensor, string) {
	t := tensor{elements: 1}
	var canonical strings.Builder
	for i, part := range strings.Split(text, ",") {
		name, size, ok := strings.Cut(part, "=")
		name, size = strings.TrimSpace(name), strings.TrimSpace(size)
		n, err := strconv.ParseInt(size, 10, 64)
		switch {
		case !ok || name == "":
			return t, fmt.Sprintf("%q is no dimension", clip(strings.TrimSpace(part)))
		case err != nil || n < 1:
			return t, fmt.Sprintf("%q is no size of %s", clip(size), clip(name))
		}
		if _, twice := t.size(name); twice {
			return t, fmt.Sprintf("%s stands twice in one tensor", clip(name))
		}
		t.dims = append(t.dims, dim{name, n})
		t.elements = product(t.elements, n)
		if i > 0 {
			canonical.WriteString(", ")
		}
		fmt.Fprintf(&canonical, "%s=%d", name, n)
	}
	t.text = "[" + canonical.String() + "]"
	return t, ""
}

func product(a, b int64) int64 {
	if hi, lo := bits.Mul64(uint64(a), uint64(b)); hi == 0 && lo < math.MaxInt64 {
		return int64(lo)
	}
	return math.MaxInt64
}

func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
