package instance

import "fmt"

func (r *reader) chain(v *value) *Chain {
	r.known(v, "a chain", "name", "about", "layers", "machines", "recorded", "series_optimum", "general_optimum")
	c := &Chain{Layers: r.whole(v, "layers", 1, mostLayers)}
	types, machines := map[string]bool{}, 0
	for _, m := range r.list(v, "machines", "types of machines", true) {
		if !m.object {
			r.problem(m.at, "a type of machine that is "+m.kind(), "an object with type, count and throughput_by_layers", "")
			continue
		}
		r.known(m, "a type of machine", "type", "count", "throughput_by_layers")
		t := Machine{Type: r.text(m, "type", true), Count: r.whole(m, "count", 0, mostMachines)}
		if types[t.Type] && t.Type != "" {
			r.problem(m.field("type").at, fmt.Sprintf("the type %q stands twice", t.Type), "one entry with the whole count", "")
		}
		types[t.Type] = true
		machines += t.Count
		for i, x := range r.list(m, "throughput_by_layers", "tokens/s by the number of layers held, from 1", true) {
			t.Throughput = append(t.Throughput, r.positiveOf(x, fmt.Sprintf("the throughput with %d layers", i+1), mostTokens, "tokens/s"))
		}
		if len(t.Throughput) > mostLayers {
			r.problem(m.at, fmt.Sprintf("a table of %d numbers of layers", len(t.Throughput)), fmt.Sprintf("at most %d", mostLayers), "")
		}
		c.Machines = append(c.Machines, t)
	}
	if machines > mostMachines {
		r.problem(v.at, fmt.Sprintf("%d machines", machines), fmt.Sprintf("at most %d", mostMachines), "")
	}
	if s := r.section(v, "recorded"); s != nil {
		r.known(s, "what is recorded", "value", "note")
		if x := r.positive(s, "value", mostTokens, "tokens/s", false); x > 0 {
			c.Recorded = &Recorded{Value: x, Note: r.text(s, "note", false)}
		}
	}
	c.SeriesOptimum = r.positive(v, "series_optimum", mostTokens, "tokens/s", false)
	if s := r.section(v, "general_optimum"); s != nil {
		r.known(s, "a known optimum", "lower", "upper")
		c.GeneralLower = r.positive(s, "lower", mostTokens, "tokens/s", false)
		c.GeneralUpper = r.positive(s, "upper", mostTokens, "tokens/s", false)
	}
	return c
}
