package instance

import (
	"fmt"
	"slices"

	"partita/inputs"
)

func (r *reader) rental(v *value) *Rental {
	r.known(v, "a rental", "name", "about", "layers", "max_stages", "batch", "micro_batch", "real_world_efficiency",
		"instance_types", "segments", "recorded", "exact_best_usd_per_million_tokens")
	x := &Rental{
		Layers: r.whole(v, "layers", 1, mostLayers), MaxStages: r.whole(v, "max_stages", 1, mostStages),
		Batch: r.whole(v, "batch", 1, 1<<30), MicroBatch: r.whole(v, "micro_batch", 1, 1<<30),
		RealWorldEfficiency: r.positive(v, "real_world_efficiency", 1, "a share", true),
	}
	gpus := r.rentalTypes(v, x)
	r.segments(v, x, gpus)
	for _, row := range r.list(v, "recorded", "recorded rows", false) {
		if !row.object {
			r.problem(row.at, "a recorded row that is "+row.kind(), "an object", "")
			continue
		}
		r.known(row, "a recorded row", "budget_per_hour", "recorded_bottleneck_tokens_per_s", "recorded_stages",
			"exact_bottleneck_tokens_per_s", "recorded_usd_per_million_tokens")
		x.Recorded = append(x.Recorded, RentalRecord{
			BudgetUSDPerHour:      r.positive(row, "budget_per_hour", 1e9, "USD an hour", true),
			Recorded:              r.positive(row, "recorded_bottleneck_tokens_per_s", mostTokens, "tokens/s", false),
			Exact:                 r.positive(row, "exact_bottleneck_tokens_per_s", mostTokens, "tokens/s", false),
			RecordedUSDPerMillion: r.positive(row, "recorded_usd_per_million_tokens", 1e12, "USD", false),
		})
	}
	if s := r.section(v, "exact_best_usd_per_million_tokens"); s != nil {
		r.known(s, "the best price", "value", "bottleneck_tokens_per_s", "stages", "usd_per_hour")
		x.Best = &RentalBest{
			USDPerMillion:        r.positive(s, "value", 1e12, "USD", true),
			BottleneckTokensPerS: r.positive(s, "bottleneck_tokens_per_s", mostTokens, "tokens/s", true),
			USDPerHour:           r.positive(s, "usd_per_hour", 1e9, "USD an hour", true),
			Stages:               r.whole(s, "stages", 1, mostStages),
		}
	}
	return x
}

// rentalTypes reads the types and returns the GPUs of each by name.
func (r *reader) rentalTypes(v *value, x *Rental) map[string]int {
	gpus := map[string]int{}
	for _, t := range r.list(v, "instance_types", "types of instances", true) {
		if !t.object {
			r.problem(t.at, "a type of instance that is "+t.kind(), "an object with name, count, gpus and usd_per_hour", "")
			continue
		}
		r.known(t, "a type of instance", "name", "count", "gpus", "usd_per_hour")
		kind := RentalType{
			Name: r.text(t, "name", true), Count: r.whole(t, "count", 0, mostMachines), GPUs: r.whole(t, "gpus", 1, mostGPUs),
			USDPerHour: r.positive(t, "usd_per_hour", mostPrice, "USD an hour", true),
		}
		if gpus[kind.Name] > 0 {
			r.problem(t.field("name").at, fmt.Sprintf("the type %q stands twice", kind.Name), "one entry with the whole count", "")
		}
		gpus[kind.Name] = kind.GPUs
		x.Types = append(x.Types, kind)
	}
	return gpus
}

func (r *reader) segments(v *value, x *Rental, gpus map[string]int) {
	names := make([]string, len(x.Types))
	for i, t := range x.Types {
		names[i] = t.Name
	}
	seen := map[Segment]bool{}
	for _, s := range r.list(v, "segments", "ways to run consecutive layers", true) {
		if !s.object {
			r.problem(s.at, "a segment that is "+s.kind(), "an object with instance_type, tp, layers and tokens_per_s", "")
			continue
		}
		r.known(s, "a segment", "instance_type", "tp", "layers", "tokens_per_s")
		g := Segment{
			Type: r.text(s, "instance_type", true), TP: r.whole(s, "tp", 1, mostGPUs), Layers: r.whole(s, "layers", 1, mostLayers),
			TokensPerS: r.positive(s, "tokens_per_s", mostTokens, "tokens/s", true),
		}
		switch {
		case g.Type == "":
		case !slices.Contains(names, g.Type):
			hint := ""
			if near := inputs.Nearest(g.Type, names); near != "" {
				hint = "did you mean " + near + "?"
			}
			r.problem(s.field("instance_type").at, fmt.Sprintf("%q is no type of instance", g.Type), "a name of instance_types", hint)
		case g.TP&(g.TP-1) != 0:
			r.problem(s.field("tp").at, fmt.Sprintf("tp is %d", g.TP), "a power of two", "")
		case g.TP > gpus[g.Type]:
			r.problem(s.field("tp").at, fmt.Sprintf("tp is %d on an instance of %d GPUs", g.TP, gpus[g.Type]), "at most its GPUs", "")
		}
		same := g
		same.TokensPerS = 0
		if seen[same] {
			r.problem(s.at, fmt.Sprintf("%s with tp %d and %d layers stands twice", g.Type, g.TP, g.Layers), "one throughput for it", "")
		}
		seen[same] = true
		x.Segments = append(x.Segments, g)
	}
}
