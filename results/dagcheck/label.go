package dagcheck

import (
	"bytes"
	"strings"
)

// label is what the text on a node says. Parts that it lacks are nil.
type label struct {
	title, gpus, input, output []byte
}

// parts of a label.
type part int

const (
	other part = iota
	gpuPart
	inputPart
	outputPart
)

// partOf tells which part a line starts, and what follows the colon.
func partOf(line []byte) (part, []byte) {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 || colon > 16 {
		return other, line
	}
	rest := line[colon+1:]
	switch key := strings.ToLower(strings.TrimSpace(string(line[:colon]))); key {
	case "gpu", "gpus", "gpu id", "gpu ids", "gpu_id", "device", "devices":
		return gpuPart, rest
	case "input", "inputs", "in", "input shape":
		return inputPart, rest
	case "output", "outputs", "out", "output shape":
		return outputPart, rest
	}
	return other, line
}

// parseLabel cuts a label, whose escapes are resolved, into its parts. A part goes on in
// the next line after a comma or a semicolon; what stands twice is the problem of whoever
// reads it: both are taken.
func parseLabel(text []byte) label {
	var l label
	open := &l.title
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		p, rest := partOf(line)
		switch p {
		case gpuPart:
			open = &l.gpus
		case inputPart:
			open = &l.input
		case outputPart:
			open = &l.output
		default:
			switch {
			case open == &l.title && len(l.title) == 0:
				l.title = line
				continue
			case open == &l.title:
				*open = join(*open, rest, ' ')
				continue
			case len(*open) > 0 && bytes.IndexByte([]byte(",;"), (*open)[len(*open)-1]) < 0:
				continue // a line of its own
			}
		}
		*open = join(*open, bytes.TrimSpace(rest), ' ')
	}
	return l
}

func join(a, b []byte, between byte) []byte {
	if len(a) == 0 {
		return b
	}
	return append(append(append(make([]byte, 0, len(a)+1+len(b)), a...), between), b...)
}

// clip shortens a foreign text for a message, without control characters.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return s
}
