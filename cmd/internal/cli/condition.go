package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partita/inputs"
	"partita/inputs/read"
)

// conditionFlags are the flags that add to a condition or replace what it says.
// Each is a short name for a path of the structured form (docs/condition.md); the
// reader checks the value, so a flag and a file are understood alike.
type conditionFlags struct {
	model     string
	strategy  string // replaces the condition's own
	overrides []read.Override
}

// shortcut is a flag that stands for one path.
type shortcut struct{ flag, path, usage string }

func shortcuts() []shortcut {
	return []shortcut{
		{"gpus", "cluster.count", "number of GPUs of a condition with one pool: 8, 4..16 or unlimited"},
		{"batch", "workload.batch", "sequences in flight over all replicas"},
		{"input", "workload.input", "prompt length in tokens: 2048 or 128..10240"},
		{"output", "workload.output", "generated tokens a sequence: 512 or 128..1024"},
		{"phase", "workload.phase", "prefill, decode, mixed or training"},
		{"ttft", "goal.requirements.ttft", "longest time to the first token: 500ms"},
		{"tpot", "goal.requirements.tpot", "longest time per output token: 30ms"},
		{"e2e", "goal.requirements.e2e", "longest time of a whole request: 20s"},
		{"throughput", "goal.requirements.throughput", "tokens per second, input and output: 5000"},
		{"throughput-per-gpu", "goal.requirements.throughput_per_gpu", "tokens per second of each GPU used"},
		{"output-throughput", "goal.requirements.output_throughput", "generated tokens per second"},
		{"cost-per-hour", "goal.requirements.cost_per_hour", "dearest price of all GPUs used, US dollars an hour"},
		{"balance", "goal.balance", "ε of the balance constraint: shortest stage ≥ (1−ε) longest stage"},
		{"margin", "goal.margin", "share by which a requirement must be beaten: 0.1"},
	}
}

// register adds the flags to a command.
func (c *conditionFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&c.model, "model", "", "model by catalogue name, or path of a Hugging Face config.json or an operator graph")
	for _, s := range shortcuts() {
		flags.Var(&overrideFlag{c: c, path: s.path}, s.flag, s.usage)
	}
	flags.Var(&overrideFlag{c: c, path: "goal.objective", check: checkObjective}, "objective",
		"what is minimised: "+strings.Join(objectives(), ", "))
	flags.Var(&weightsFlag{c: c}, "weights", "weights of the balanced objective: latency=0.7,throughput=0.3")
	flags.Var(&overrideFlag{c: c, path: "engine", check: checkEngine}, "engine",
		"bind the plan to the limits of a serving engine: "+strings.Join(engines(), ", "))
	flags.Var(&knowledgeFlag{c: c}, "knowledge", knowledgeUsage)
	idle := flags.VarPF(&overrideFlag{c: c, path: "goal.allow_idle", check: checkBool, kind: "bool"}, "allow-idle", "",
		"GPUs of a stated number may stay unused")
	idle.NoOptDefVal = "true"
	flags.Var(&setFlag{c: c}, "set", "any statement of the condition by its path: workload.batch=64 (repeatable)")
}

// load reads the condition files with the flags applied. Where only flags are at
// fault it is the command line that is wrong.
func (c *conditionFlags) load(env Environment, paths []string) (*inputs.Condition, error) {
	condition, err := read.Load(read.Options{
		Paths:     paths,
		Overrides: c.overrides,
		Env:       env.Environ,
		Model:     c.model,
		Strategy:  c.strategy,
		Stdin:     env.In,
	})
	return condition, ofFlagsAlone(err)
}

// ofFlagsAlone makes problems that are all of flags a wrong command line.
func ofFlagsAlone(err error) error {
	var problems read.Diagnostics
	if errors.As(err, &problems) && !slices.ContainsFunc(problems, notOfAFlag) {
		return withCode(exitUsage, err)
	}
	return err
}

// notOfAFlag tells a problem of a file or of the environment from one of a flag,
// which the reader places at "--set PATH" or "--model".
func notOfAFlag(d read.Diagnostic) bool { return !strings.HasPrefix(d.Place.File, "--") }

func (c *conditionFlags) add(path, value string) {
	c.overrides = append(c.overrides, read.Override{Key: path, Value: value})
}

// overrideFlag records one path with its value, in the order of the command line:
// of two that speak of the same thing the later one counts.
type overrideFlag struct {
	c     *conditionFlags
	path  string
	value string
	check func(string) error
	kind  string
}

func (f *overrideFlag) String() string { return f.value }

func (f *overrideFlag) Type() string {
	if f.kind != "" {
		return f.kind
	}
	return "value"
}

func (f *overrideFlag) Set(v string) error {
	if strings.TrimSpace(v) == "" {
		return errors.New("want a value")
	}
	if f.check != nil {
		if err := f.check(v); err != nil {
			return err
		}
	}
	f.value = v
	f.c.add(f.path, v)
	return nil
}

// setFlag is --set path=value.
type setFlag struct {
	c     *conditionFlags
	given []read.Override
}

func (f *setFlag) String() string { return "" }
func (f *setFlag) Type() string   { return "path=value" }

func (f *setFlag) Set(v string) error {
	path, value, ok := strings.Cut(v, "=")
	if path = strings.TrimSpace(path); !ok || path == "" {
		return errors.New("want path=value, such as workload.batch=64")
	}
	value = strings.TrimSpace(value)
	f.given = append(f.given, read.Override{Key: path, Value: value})
	f.c.add(path, value)
	return nil
}

// weightsFlag is --weights latency=0.7,throughput=0.3, or the two numbers in that order.
type weightsFlag struct {
	c     *conditionFlags
	value string
}

func (f *weightsFlag) String() string { return f.value }
func (f *weightsFlag) Type() string   { return "weights" }

func (f *weightsFlag) Set(v string) error {
	want := errors.New("want latency=W,throughput=W with numbers W ≥ 0 that are not both 0, such as latency=0.7,throughput=0.3")
	names := []string{"latency", "throughput"}
	parts := strings.Split(v, ",")
	if len(parts) != len(names) {
		return want
	}
	weights := map[string]string{}
	var sum float64
	for i, part := range parts {
		name, number, named := strings.Cut(part, "=")
		if !named {
			name, number = names[i], part
		}
		name, number = strings.TrimSpace(name), strings.TrimSpace(number)
		w, err := strconv.ParseFloat(number, 64)
		if err != nil || !(w >= 0) || w > 1e6 { // the upper end only keeps infinities out
			return want
		}
		weights[name] = number
		sum += w
	}
	if sum == 0 {
		return want
	}
	for _, name := range names {
		if _, ok := weights[name]; !ok {
			return want
		}
	}
	f.value = v
	for _, name := range names {
		f.c.add("goal.weights."+name, weights[name])
	}
	return nil
}

func objectives() []string {
	all := []inputs.ObjectiveKind{inputs.Balanced, inputs.Latency, inputs.Throughput, inputs.GPUs, inputs.Cost}
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = string(o)
	}
	return names
}

func checkObjective(v string) error { return oneOf(v, objectives()) }

func checkBool(v string) error {
	if _, err := strconv.ParseBool(v); err != nil {
		return errors.New("want true or false")
	}
	return nil
}

// oneOf is an error unless v is among the names.
func oneOf(v string, names []string) error {
	for _, name := range names {
		if v == name {
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(names, ", "))
}

// needsCondition refuses a command line without a condition file.
func needsCondition() cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("no condition file given; examples/ has some to start from")
		}
		return nil
	}
}
