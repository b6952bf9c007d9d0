package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/read"
)

// questions asks for what a condition states. Each answer is read as a file's
// statement is; one that is not understood is asked again.
type questions struct {
	env    Environment
	reader *read.Reader
	opts   *read.Options
	stated map[string]bool
	lines  <-chan string // of stdin; closed at its end
}

// question is one of them. Its answer is stated at path unless it is the default,
// which then stays a comment of the file.
type question struct {
	path      string
	text      string
	otherwise string // what Enter takes
	help      func() (string, error)
}

const (
	defaultCluster = "8 x H100"
	defaultModel   = "Llama-3.1-8B"

	defaultStep     = "512"
	defaultSequence = "4096"
)

func initQuestions() []question {
	words := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	return []question{
		{"cluster", "GPUs", defaultCluster, gpuHelp},
		{"cluster.network", "Network between nodes, per GPU", "25GB/s", words("A rate in bytes or bits: 50GB/s, 400Gb/s; add `per node` where the GPUs of a node share it.")},
		{"model", "Model", defaultModel, modelHelp},
		{"model.precision", "Number format of the weights", "as published", words("fp32, bf16, fp16, fp8, int8, fp4 or int4.")},
		{"workload.batch", "Sequences in flight, over all replicas", "64", words("How many requests are served at a time.")},
		{"workload.input", "Prompt tokens", "2048", words("One length, or a range such as 128..10240.")},
		{"workload.output", "Generated tokens", "512", words("One length, or a range such as 128..1024.")},
		{"workload.global_batch", "Sequences of a training step, or its tokens", defaultStep, words("A number such as 2048, or tokens such as 16M tokens.")},
		{"workload.sequence", "Tokens of a sequence", defaultSequence, words("One length: sequences are packed to it.")},
		{"goal.requirements.step_time", "Longest training step", "none", words("A time such as 5s, or none.")},
		{"goal.requirements.ttft", "Longest time to the first token", "none", words("A time such as 2s or 500ms, or none.")},
		{"goal.requirements.tpot", "Longest time per output token", "none", words("A time such as 50ms, a rate such as 20 tokens/s, or none.")},
		{"goal.requirements.throughput", "Least throughput, prompt and generated", "none", words("A rate such as 5000 tokens/s, or none.")},
		{"cluster.usd_per_hour", "Price of one GPU, US dollars an hour", "unknown", words("A number such as 2.5; a goal that is about cost needs it.")},
		{"goal.objective", "What to minimise", string(inputs.Balanced), words("One of " + strings.Join(objectives(), ", ") + ".")},
	}
}

// errNothingWritten ends the questions early.
var errNothingWritten = errors.New("nothing is written")

// ask goes through the questions that are open.
func (q *questions) ask(ctx context.Context) error {
	q.say("Enter takes what stands in brackets, ? explains, Ctrl-C leaves nothing behind.\n")
	for _, next := range initQuestions() {
		switch {
		case q.training() && ofServing(next.path), !q.training() && ofTraining(next.path):
			continue
		case next.path == "cluster" && statesCluster(q.stated), next.path == "model" && statesModel(q.stated), q.stated[next.path]:
			continue
		case next.path == "cluster.network" && !q.severalNodes():
			continue
		case next.path == "workload.output":
			// The output length decides the phase, so that its default is stated.
			if q.stated["workload.phase"] {
				continue
			}
		}
		if err := q.one(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// one asks until the answer is understood.
func (q *questions) one(ctx context.Context, next question) error {
	for {
		answer, err := q.prompt(ctx, next.text, next.otherwise)
		if err != nil {
			return err
		}
		if answer == "?" {
			help, err := next.help()
			if err != nil {
				return err
			}
			q.say(help)
			continue
		}
		opts := *q.opts
		switch {
		case next.path == "cluster":
			opts.Texts = append(slices.Clone(opts.Texts), clusterText("", or(answer, next.otherwise))...)
		case next.path == "model":
			opts.Model = or(answer, next.otherwise)
		case next.path == "workload.output", next.path == "workload.global_batch", next.path == "workload.sequence", answer != "":
			opts.Overrides = append(slices.Clone(opts.Overrides), read.Override{Key: next.path, Value: or(answer, next.otherwise)})
		default:
			return nil
		}
		if problem := q.problem(opts); problem != "" {
			q.say(problem)
			continue
		}
		*q.opts = opts
		return nil
	}
}

// problem is what is wrong with the condition so far, its open parts taken as their
// defaults.
func (q *questions) problem(opts read.Options) string {
	_, err := q.complete(opts)
	var problems inputs.Diagnostics
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &problems):
		return err.Error()
	}
	var texts []string
	for _, p := range problems {
		p.Place = inputs.Place{} // of the answer that was just given
		texts = append(texts, p.Error())
	}
	return strings.Join(texts, "\n")
}

// complete is the condition so far with defaults for what it cannot do without.
func (q *questions) complete(opts read.Options) (*inputs.Condition, error) {
	stated, err := q.reader.Stated(opts)
	if err != nil {
		return nil, err
	}
	if !statesCluster(stated) {
		opts.Texts = append(slices.Clone(opts.Texts), clusterText("", defaultCluster)...)
	}
	if !statesModel(stated) {
		opts.Model = defaultModel
	}
	if q.training() {
		for path, otherwise := range map[string]string{"workload.global_batch": defaultStep, "workload.sequence": defaultSequence} {
			if !stated[path] && !stated["workload.batch"] && !stated["workload.input"] {
				opts.Overrides = append(slices.Clone(opts.Overrides), read.Override{Key: path, Value: otherwise})
			}
		}
	}
	return q.reader.Load(opts)
}

// training reports whether a flag states the phase training.
func (q *questions) training() bool {
	return slices.ContainsFunc(q.opts.Overrides, func(o read.Override) bool {
		return read.Path(o.Key) == "workload.phase" && read.SameValue("workload.phase", o.Value, string(inputs.Training))
	})
}

// ofServing and ofTraining report whether a question makes sense in one of the two alone.
func ofServing(path string) bool {
	switch path {
	case "workload.batch", "workload.input", "workload.output", "goal.requirements.ttft", "goal.requirements.tpot":
		return true
	}
	return false
}

func ofTraining(path string) bool {
	switch path {
	case "workload.global_batch", "workload.sequence", "goal.requirements.step_time":
		return true
	}
	return false
}

// severalNodes reports whether the GPUs so far can be on more than one machine.
func (q *questions) severalNodes() bool {
	c, err := q.complete(*q.opts)
	if err != nil {
		return false
	}
	hosts := map[string]bool{}
	for _, p := range c.Cluster.Pools {
		if len(p.Nodes) == 0 {
			return true
		}
		for _, n := range p.Nodes {
			hosts[n.Host] = true
		}
	}
	return len(hosts) > 1
}

// file asks where to write.
func (q *questions) file(ctx context.Context, otherwise string, force bool) (string, error) {
	for {
		answer, err := q.prompt(ctx, "Write it to", otherwise)
		if err != nil {
			return "", err
		}
		answer = or(answer, otherwise)
		if _, err := (&initFlags{out: answer}).form(); err != nil {
			q.say(err.Error())
			continue
		}
		if _, err := os.Lstat(answer); err == nil && !force && answer != "-" {
			q.say(answer + " is there already: another name, or Ctrl-C and --force")
			continue
		}
		return answer, nil
	}
}

// prompt asks one question and waits for a line, the end of the input or of the run.
func (q *questions) prompt(ctx context.Context, text, otherwise string) (string, error) {
	if _, err := fmt.Fprintf(q.env.Err, "%s [%s]: ", text, otherwise); err != nil {
		return "", err
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(q.env.Err)
		return "", fmt.Errorf("interrupted: %w", errNothingWritten)
	case line, ok := <-q.lines:
		if !ok {
			fmt.Fprintln(q.env.Err)
			return "", fmt.Errorf("the answers end here: %w", errNothingWritten)
		}
		return strings.TrimSpace(line), nil
	}
}

// say prints a text below a question.
func (q *questions) say(text string) {
	fmt.Fprintln(q.env.Err, printable(text))
}

// linesFrom reads lines until the input or the run ends.
func linesFrom(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(in)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

func or(answer, otherwise string) string {
	if answer == "" {
		return otherwise
	}
	return answer
}

// gpuHelp and modelHelp list what is known by name.
func gpuHelp() (string, error) {
	known, err := catalog.Load()
	if err != nil {
		return "", err
	}
	var names []string
	for _, a := range known.Accelerators() {
		names = append(names, a.Name)
	}
	return "GPUs in words: 8 x H100, 2 nodes of 8 x H100, 8 x A100 + 8 x L40S, or the name alone\nwhere the search is to decide how many. Known are\n" + columns(names), nil
}

func modelHelp() (string, error) {
	known, err := catalog.Load()
	if err != nil {
		return "", err
	}
	var names []string
	for _, m := range known.Models() {
		names = append(names, m.Name)
	}
	return "The path of a Hugging Face config.json, or one of\n" + columns(names), nil
}

// columns lays names out below one another, as many beside each other as 80 columns hold.
func columns(names []string) string {
	widest := 0
	for _, n := range names {
		widest = max(widest, len(n))
	}
	each := max(1, 78/(widest+2))
	var b strings.Builder
	for i, n := range names {
		if i%each == 0 {
			b.WriteString("  ")
		}
		if (i+1)%each == 0 || i == len(names)-1 {
			b.WriteString(n + "\n")
		} else {
			fmt.Fprintf(&b, "%-*s", widest+2, n)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
