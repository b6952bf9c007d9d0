package read

import (
	"regexp"
	"strconv"
	"strings"

	"partita/inputs"
)

// library is what the reader asks the catalogue.
type library interface {
	Accelerator(name string) (inputs.Accelerator, bool)
	Model(name string) (inputs.Model, bool)
	Suggest(name string) []string
}

// gpuText is what a description of GPUs says: "2 nodes of 8×H100-80GB".
type gpuText struct {
	count       *inputs.Count
	nodes       int
	perNode     int
	accelerator string
	memory      string
	box         bool // a machine is named for its GPUs ("DGX H100") and nothing says how many they are
}

const (
	num     = `(\d+|one|two|three|four|five|six|seven|eight|ten|sixteen)`
	devices = `(?:gpus?|npus?|xpus?|cards?|accelerators?|devices?|dcus?|tpus?|chips?)`
	hosts   = `(?:nodes?|servers?|machines?|hosts?|boxes)`
	times   = `[x×✕*]`
	gap     = `[\s\x01]*` // what was taken before may stand between: "2 H100 nodes"
)

var (
	nodesOf   = regexp.MustCompile(`(?i)\b` + num + gap + hosts + `\b\s*(?:` + times + `|,|:|\bof\b|\bwith\b|\beach\b|\bhaving\b|\s)*` + num + `\b`)
	nodesEach = regexp.MustCompile(`(?i)\b` + num + `\s*` + times + `?\s*` + devices + `?\s*(?:/|\bper\b|\beach\b|\bin each\b|\bon each\b|\ba\b)\s*(?:\bper\b\s*)?` + hosts + `\b`)
	nodesOnly = regexp.MustCompile(`(?i)\b` + num + gap + hosts + `\b`)
	product   = regexp.MustCompile(`(?i)\b` + num + `\s*` + times + `\s*` + num + `\b`)
	before    = regexp.MustCompile(`(?i)\b` + num + `\b\s*(?:` + times + `\s*|` + devices + `\b)`)
	after     = regexp.MustCompile(`(?i)` + times + `\s*` + num + `\b`)
	cardSize  = regexp.MustCompile(`(?i)\b\d+(?:\.\d+)?\s*[GT]i?B\b`)
	gpuBound  = regexp.MustCompile(`(?i)(?:\b(?:up to|at most|no more than|at least|no less than|not more than|not less than|maximum(?: of)?|minimum(?: of)?)|<=|>=|≤|≥)\s*\d+`)
	gpuRange  = regexp.MustCompile(`(?i)\bbetween\s+\d+\s+and\s+\d+\b|(?:\bfrom\s+)?\[?\s*\b\d+\s*(?:-|–|~|\.\.|\bto\b|,)\s*\d+\b\s*\]?`)
	inTotal   = regexp.MustCompile(`(?i)\b(in total|total of|altogether|overall)\b`)
	bare      = regexp.MustCompile(`(?i)\b` + num + `\b`)
	joinedX   = regexp.MustCompile(`(\d)[xX]([\pL\d]|\s+\pL)`)
	nameToken = regexp.MustCompile(`[\pL\d][\pL\d._/-]*`)
	// described are words that may surround GPUs without naming any.
	described = regexp.MustCompile(`(?i)\b(gpus?|npus?|xpus?|cards?|accelerators?|devices?|resources?|of|with|the|a|an|in|total|each|per|node|nodes|server|servers|and|` +
		`are|is|available|identical|homogeneous|pool|we|have|there|all|on|one|same|type|for|to|use|cluster|graphics|ai|memory|hbm)\b`)
)

// smallNumber is a word that counts rather than names; "4090" names.
var smallNumber = regexp.MustCompile(`^\d{1,3}$`)

// nameWords is the longest accelerator name in words: "NVIDIA RTX PRO 6000 Blackwell Server Edition".
const nameWords = 8

// readGPUText takes a description of GPUs apart. What it does not understand stays
// in the prose.
func readGPUText(lib library, p *prose) gpuText {
	var g gpuText
	p.partCounts()
	g.accelerator = takeAccelerator(lib, p)
	box := p.take(boxName)
	if text, _, ok := p.capturePattern(cardSize); ok {
		g.memory = text
	}
	if p.take(unlimited) {
		g.count = &inputs.Count{Min: 1}
		for p.take(unlimited) {
		}
	}
	two := func(re *regexp.Regexp) bool {
		m := re.FindSubmatchIndex(p.left)
		if m == nil {
			return false
		}
		g.nodes, g.perNode = atoi(string(p.left[m[2]:m[3]])), atoi(string(p.left[m[4]:m[5]]))
		p.mask(m[0], m[1])
		return true
	}
	total := inTotal.Match(p.left)
	switch {
	case two(nodesOf):
		if total { // "2 nodes with 16 GPUs in total"
			g.count, g.perNode = &inputs.Count{Min: g.perNode, Max: g.perNode}, 0
		}
	case two(product):
	default:
		if text, _, ok := p.capture(nodesEach); ok {
			g.perNode = atoi(text)
		}
		if text, _, ok := p.capture(nodesOnly); ok {
			g.nodes = atoi(text)
		}
	}
	for _, re := range []*regexp.Regexp{gpuBound, gpuRange, before, after, bare} {
		if g.count != nil {
			break
		}
		text, _, ok := p.capturePattern(re)
		if !ok {
			continue
		}
		if re == before || re == after || re == bare {
			n := atoi(bare.FindString(text))
			g.count = &inputs.Count{Min: n, Max: n}
		} else if v, err := parseGPUCount(strings.TrimSpace(text)); err == nil {
			c, _ := v.(inputs.Count)
			g.count = &c
		}
	}
	if box {
		g.box = g.nodes == 0 && (g.count == nil || !g.count.Stated() || g.count.Max%boxGPUs != 0)
	}
	for p.take(described) {
	}
	return g
}

// partCounts makes the x of "8xH100" stand between words.
func (p *prose) partCounts() {
	for m := joinedX.FindSubmatchIndex(p.left); m != nil; m = joinedX.FindSubmatchIndex(p.left) {
		p.left[m[3]] = '*'
	}
}

// boxName is a machine sold with eight GPUs: "one DGX H100" is not one GPU.
var boxName = regexp.MustCompile(`(?i)\b[DH]GX\b`)

const boxGPUs = 8

// capturePattern masks the first match of a pattern and returns all of it.
func (p *prose) capturePattern(re *regexp.Regexp) (text string, offset int, ok bool) {
	m := re.FindIndex(p.left)
	if m == nil {
		return "", 0, false
	}
	text = string(p.left[m[0]:m[1]])
	p.mask(m[0], m[1])
	return text, m[0], true
}

// takeAccelerator masks the longest run of words that the catalogue knows.
func takeAccelerator(lib library, p *prose) string {
	if lib == nil {
		return ""
	}
	at := nameToken.FindAllIndex(p.left, -1)
	for size := min(nameWords, len(at)); size > 0; size-- {
		for i := 0; i+size <= len(at); i++ {
			start, end := at[i][0], at[i+size-1][1]
			name := string(p.left[start:end])
			if !strings.ContainsAny(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz") && len(name) < 4 {
				continue // a count
			}
			if smallNumber.MatchString(string(p.left[at[i][0]:at[i][1]])) || smallNumber.MatchString(string(p.left[at[i+size-1][0]:end])) {
				continue // "16 T4" is sixteen of them, not the 16 GB one
			}
			if described.MatchString(string(p.left[at[i][0]:at[i][1]])) || described.MatchString(string(p.left[at[i+size-1][0]:end])) {
				continue // "H100 GPU": the name is found without the noun
			}
			if _, ok := lib.Accelerator(name); ok {
				p.mask(start, end)
				return name
			}
		}
	}
	return ""
}

// atoi reads a number or a number word; 0 where it is too large.
func atoi(s string) int {
	switch strings.ToLower(s) {
	case "one":
		return 1
	case "two":
		return 2
	case "three":
		return 3
	case "four":
		return 4
	case "five":
		return 5
	case "six":
		return 6
	case "seven":
		return 7
	case "eight":
		return 8
	case "ten":
		return 10
	case "sixteen":
		return 16
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
