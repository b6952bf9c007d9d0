package read

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"partita/inputs"
)

// stageField is what a strategy may state for each stage, and the rest that only the
// structured form and --strategy know.
type stageField struct {
	field, what string
	separators  string // between stages; "": one value
	read        func(string) (any, error)
	form        string
}

// strategyNote is what becomes of every field of a strategy.
const strategyNote = "; not binding for solve"

// maxStages bounds the lists of a strategy; no pipeline is as long.
const maxStages = 4096

func stageFields() []stageField {
	return []stageField{
		{"tp", "tensor parallelism", "/,", degreeOf("tp"), "degrees"},
		{"ep", "expert parallelism", "/,", degreeOf("ep"), "degrees"},
		{"cp", "context parallelism", "/,", degreeOf("cp"), "degrees"},
		{"etp", "tensor parallelism of an expert", "/,", degreeOf("etp"), "degrees"},
		{"dp_attention", "attention data parallelism", "/,", degreeOf("dp_attention"), "degrees"},
		{"layers", "layers of each stage", "+/,", degreeOf("layers"), "layerCounts"},
		{"pool", "pool of each stage", "/,", parseText, "pools"},
		{"replicas", "replicas", "", degreeOf("replicas"), "degree"},
		{"micro_batches", "micro-batches of a replica", "", degreeOf("micro_batches"), "degree"},
		{"micro_batch_size", "sequences of a micro-batch", "", degreeOf("micro_batch_size"), "degree"},
		{"decode_groups", "decode groups of a replica", "", degreeOf("decode_groups"), "degree"},
		{"virtual_stages", "virtual stages of a rank", "", degreeOf("virtual_stages"), "degree"},
		{"zero", "ZeRO stage", "", parseZeRO, "zero"},
		{"sequence_parallel", "sequence parallel:", "", parseBool, "yesNo"},
		{"recompute", "activation recompute", "/,", parseRecompute, "recomputes"},
	}
}

// key makes the key of a field: a list in brackets or with separators, or one value.
func (f stageField) key() key {
	k := key{path: "strategy." + f.field, what: "given strategy: " + f.what, note: strategyNote, form: f.form}
	k.parse = func(s string) (any, error) {
		texts := []string{s}
		if f.separators != "" {
			s = strings.TrimSpace(s)
			if inner, ok := strings.CutPrefix(s, "["); ok {
				s = strings.TrimSuffix(inner, "]")
			}
			texts = strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(f.separators, r) })
		}
		var list []any
		for _, t := range texts {
			v, err := f.read(strings.TrimSpace(t))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		if len(list) == 0 {
			return nil, &inputs.QuantityError{Text: s, Want: "a value, or one for each stage"}
		}
		return list, nil
	}
	k.show = func(v any) string {
		var out []string
		list, _ := v.([]any)
		for _, x := range list {
			out = append(out, showAny(x))
		}
		return strings.Join(out, "/")
	}
	k.check = func(v any) string {
		list, _ := v.([]any)
		for _, x := range list {
			if n, ok := x.(int); ok {
				if want := atLeast(1)(n); want != "" {
					return want
				}
			}
		}
		if len(list) > maxStages {
			return fmt.Sprintf("at most %d stages", maxStages)
		}
		return ""
	}
	return k
}

// strategyAliases are other names of fields in --strategy.
var strategyAliases = map[string]string{
	"pools": "pool", "dpa": "dp_attention", "attention_dp": "dp_attention", "expert_tp": "etp",
	"micro": "micro_batches", "groups": "decode_groups", "gpu": "gpus", "replica": "replicas", "layer": "layers",
	"vpp": "virtual_stages", "vp": "virtual_stages", "mbs": "micro_batch_size", "micro_batch": "micro_batch_size", "ac": "recompute",
}

// strategyPair is one pair of --strategy: "tp=8", "tp 8" or "TP8".
var strategyPair = regexp.MustCompile(`^([A-Za-z_]+)\s*[=: ]?\s*(\S.*)$`)

// readStrategyOption reads the strategy that is named beside the files and replaces
// what they propose: "tp=8,pp=2", with "/" between stages and "+" between their layers.
func readStrategyOption(d *draft, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	at := inputs.Place{File: "--strategy"}
	d.replaceStrategy()
	var known []string
	for _, k := range keys() {
		if name, ok := strings.CutPrefix(k.path, "strategy."); ok {
			known = append(known, name)
		}
	}
	for pair := range strings.SplitSeq(text, ",") {
		pair = strings.TrimSpace(pair)
		m := strategyPair.FindStringSubmatch(pair)
		if m == nil {
			d.problem(at, fmt.Sprintf("%q is not understood", pair), "pairs such as tp=8,pp=2", "")
			continue
		}
		name := strings.ToLower(m[1])
		if to, ok := strategyAliases[name]; ok {
			name = to
		}
		if !slices.Contains(known, name) {
			hint := "the names are " + strings.Join(known, ", ")
			if best := inputs.Nearest(name, known); best != "" {
				hint = fmt.Sprintf("did you mean %q?", best)
			}
			d.problem(at, fmt.Sprintf("unknown name %q in %q", m[1], pair), "a degree of parallelism", hint)
			continue
		}
		d.setText(d.say(at, pair), "strategy."+name, m[2], at, fromFlag)
	}
}

// replaceStrategy drops the strategy that files state: another comes from a flag.
func (d *draft) replaceStrategy() {
	for path, f := range d.facts {
		if strings.HasPrefix(path, "strategy.") && f.rank != fromFlag {
			d.used(f.statement, "replaced by --strategy")
			delete(d.facts, path)
		}
	}
}

// resolveStrategy is the strategy that the input proposes, nil where it proposes none.
func (d *draft) resolveStrategy(c *inputs.Cluster, w *inputs.Workload) *inputs.Strategy {
	s, stated := &inputs.Strategy{}, false
	for path := range d.facts {
		stated = stated || strings.HasPrefix(path, "strategy.")
	}
	if !stated {
		return nil
	}
	for field, into := range map[string]*int{"gpus": &s.GPUs, "pp": &s.PP, "dp": &s.DP, "sp": &s.SP} {
		*into, _ = get[int](d, "strategy."+field)
	}
	for field, into := range map[string]*inputs.Degrees{"tp": &s.TP, "ep": &s.EP, "etp": &s.ETP, "cp": &s.CP, "dp_attention": &s.DPAttention} {
		*into = listed[int](d, field)
	}
	for field, into := range map[string]*int{"replicas": &s.Replicas, "micro_batches": &s.MicroBatches, "micro_batch_size": &s.MicroBatchSize, "decode_groups": &s.DecodeGroups} {
		if list := listed[int](d, field); len(list) > 0 {
			*into = list[0]
		}
	}
	s.Layers, s.Pools = listed[int](d, "layers"), listed[string](d, "pool")
	if w.Phase == inputs.Training {
		d.checkTrainingStrategy(s, w)
	}
	d.checkStrategy(s, c)
	return s
}

// listed is a field that may differ from stage to stage.
func listed[T any](d *draft, field string) []T {
	all, _ := get[[]any](d, "strategy."+field)
	var out []T
	for _, x := range all {
		if v, ok := x.(T); ok {
			out = append(out, v)
		}
	}
	return out
}

// checkStrategy refuses lists of unlike lengths and pools that are not there; the
// number of stages follows from the lists where it is not stated.
func (d *draft) checkStrategy(s *inputs.Strategy, c *inputs.Cluster) {
	virtual := max(s.VirtualStages, 1)
	stages, because := s.PP*virtual, "pp"
	if virtual > 1 {
		because = fmt.Sprintf("pp %d with %d virtual stages", s.PP, virtual)
	}
	for _, l := range []struct {
		field string
		n     int
	}{{"layers", len(s.Layers)}, {"tp", len(s.TP)}, {"ep", len(s.EP)}, {"etp", len(s.ETP)}, {"cp", len(s.CP)}, {"dp_attention", len(s.DPAttention)}, {"recompute", len(s.Recompute)}, {"pool", len(s.Pools)}} {
		switch {
		case l.n == 0 || l.n == 1 && l.field != "layers":
		case stages == 0:
			stages, because = l.n, l.field
		case l.n != stages:
			d.problem(d.place("strategy."+l.field), fmt.Sprintf("strategy: %s is listed for %d stages, but %s makes %d", l.field, l.n, because, stages), "one value for all stages, or one for each", "")
		}
	}
	if stages%virtual != 0 {
		d.problem(d.place("strategy."+because), fmt.Sprintf("strategy: %d stages are no whole number of ranks with %d virtual stages each", stages, virtual), "a multiple", "")
	}
	s.PP = stages / virtual
	for _, name := range s.Pools {
		if !slices.ContainsFunc(c.Pools, func(p inputs.Pool) bool { return p.Name == name }) {
			var have []string
			for _, p := range c.Pools {
				have = append(have, strconv.Quote(p.Name))
			}
			d.problem(d.place("strategy.pool"), fmt.Sprintf("strategy: there is no pool %q", name), strings.Join(have, " or "), "")
		}
	}
}
