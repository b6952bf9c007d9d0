package dag

import "strconv"

// Dim is one dimension of a tensor.
type Dim struct {
	Name string
	Size int
}

// Tensor is the shape of a tensor: up to four dimensions, in order.
type Tensor struct {
	dims [4]Dim
	n    int
}

// tensor is a tensor of the dimensions given.
func tensor(dims ...Dim) Tensor {
	t := Tensor{n: len(dims)}
	copy(t.dims[:], dims)
	return t
}

// Dims are the dimensions, in order.
func (t *Tensor) Dims() []Dim { return t.dims[:t.n] }

// append adds "[batch_size=4, seq_len=2048]".
func (t *Tensor) append(b []byte) []byte {
	b = append(b, '[')
	for i := range t.n {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, t.dims[i].Name...)
		b = append(b, '=')
		b = strconv.AppendInt(b, int64(t.dims[i].Size), 10)
	}
	return append(b, ']')
}

// appendTensors adds a list as a label has it.
func appendTensors(b []byte, list []Tensor) []byte {
	for i := range list {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = list[i].append(b)
	}
	return b
}

// distinct lists different shapes once each, in the order they come.
func distinct(list []Tensor) []Tensor {
	var out []Tensor
	for _, t := range list {
		if !contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func contains(list []Tensor, t Tensor) bool {
	for i := range list {
		if list[i] == t {
			return true
		}
	}
	return false
}
