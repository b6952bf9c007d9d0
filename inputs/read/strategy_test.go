package read

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"partita/inputs"
)

const strategyBase = "cluster: {pools: [{name: a100, accelerator: A100-SXM-80GB, count: 8}, {name: l40s, accelerator: L40S, count: 8}]}\nmodel: Llama-3.1-70B\nworkload: {batch: 8, input: 512, output: 64}\n"

// TestStrategyForms: a file's section, its lists and --strategy say the same.
func TestStrategyForms(t *testing.T) {
	want := inputs.Strategy{
		GPUs: 10, PP: 3, DP: 2, Replicas: 1, TP: inputs.Degrees{4, 4, 2}, EP: inputs.Degrees{1}, DPAttention: inputs.Degrees{1},
		Layers: []int{30, 30, 20}, Pools: []string{"a100", "a100", "l40s"}, MicroBatches: 4, DecodeGroups: 2,
	}
	for name, opts := range map[string]Options{
		"structured": {Stdin: strings.NewReader(strategyBase + "strategy: {gpus: 10, tp: [4, 4, 2], dp: 2, ep: 1, replicas: 1, dp_attention: none, layers: 30+30+20, pool: [a100, a100, l40s], micro_batches: 4, decode_groups: 2}")},
		"flag": {
			Stdin:    strings.NewReader(strategyBase + "strategy: {tp: 16, sp: 2}"),
			Strategy: "gpus=10, TP=4/4/2,dp=2,ep=1,replicas=1,dpa=1,layers=30+30+20,pools=a100/a100/l40s,micro=4,groups=2",
		},
		"other marks": {
			Stdin:    strings.NewReader(strategyBase),
			Strategy: "gpus:10,tp4/4/2,pp=3,dp 2,ep=none,replicas=1,attention_dp=1,layers=30/30/20,pool=a100/a100/l40s,micro_batches=4,decode_groups=2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Paths = []string{"-"}
			c, err := Load(opts)
			if err != nil {
				t.Fatal(err)
			}
			got := *c.Strategy
			if at := c.Places["strategy.tp"]; opts.Strategy != "" && at.File != "--strategy" || opts.Strategy == "" && at.Line != 4 {
				t.Errorf("tp was stated at %+v", at)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestStrategySectionInWords: the names of the Markdown section beyond the degrees.
func TestStrategySectionInWords(t *testing.T) {
	md := "## Environment Condition\n* GPUs: 16 H100-80GB\n## Model Configuration\n* Model: Qwen3-235B-A22B\n## Input Data\n* Batch size: 8\n* Sequence In: 512\n* Sequence Out: 64\n" +
		"## Current Parallelism Strategy\n* Tensor parallelism: 4/4\n* Layers per stage: 48+46\n* Number of replicas: 1\n* Attention DP: 2\n* Expert TP: 1\n* Micro-batch size: 4\n* Decode groups: 2\n"
	c, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader(md)})
	if err != nil {
		t.Fatal(err)
	}
	s := c.Strategy
	if s == nil || s.PP != 2 || !reflect.DeepEqual(s.Layers, []int{48, 46}) || s.Replicas != 1 || s.DPAttention.At(1) != 2 || s.ETP.At(0) != 1 || s.MicroBatchSize != 4 || s.DecodeGroups != 2 || s.TP.At(1) != 4 {
		t.Errorf("strategy %+v", s)
	}
}

func TestStrategyThatCannotBeRead(t *testing.T) {
	for _, x := range []struct{ flag, file, want string }{
		{"tp=eight", "", `--strategy: strategy.tp: "eight" is not understood, want a degree`},
		{"tp=0", "", "--strategy: strategy.tp: 0 is out of bounds"},
		{"tq=8", "", `unknown name "tq"`},
		{"wide=8", "", "the names are"},
		{"tp=8,,pp=2", "", `"" is not understood, want pairs such as tp=8,pp=2`},
		{"tp=8,tp=4", "", "tensor parallelism 4 contradicts 8"},
		{"tp=4/4,pp=3", "", "strategy: tp is listed for 2 stages, but pp makes 3"},
		{"layers=40+40,tp=4/4/4", "", "tp is listed for 3 stages, but layers makes 2"},
		{"layers=80,pp=2", "", "layers is listed for 1 stages, but pp makes 2"},
		{"layers=40+x", "", `"40+x" is not understood`},
		{"pool=h100", "", `there is no pool "h100", want "a100" or "l40s"`},
		{"pp=2/2", "", "is not understood"},
		{"", "strategy: {pp: 2, pool: [a100, a100, l40s]}", "-:4:19: strategy: pool is listed for 3 stages, but pp makes 2"},
	} {
		_, err := Load(Options{Paths: []string{"-"}, Stdin: strings.NewReader(strategyBase + x.file), Strategy: x.flag})
		var problems Diagnostics
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s%s: got %v, want %q", x.flag, x.file, err, x.want)
		}
	}
}
