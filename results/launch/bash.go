package launch

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"partita/results"
)

// bash collects the lines of a bash script.
type bash struct{ strings.Builder }

func (b *bash) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

// comment writes comment lines of at most 80 columns; foreign parts of text went through
// Comment. The lines after the first of an item ("- …") stand under its text.
func (b *bash) comment(text string) {
	line, next := "#", "#"
	if strings.HasPrefix(text, "- ") {
		next = "#  "
	}
	for _, w := range strings.Fields(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > 80 && line != next {
			b.line("%s", line)
			line = next
		}
		line += " " + w
	}
	b.line("%s", line)
}

// words writes an array of a script, a flag and its values a line.
func (b *bash) words(name string, words []string) {
	b.line("%s=(", name)
	for i := 0; i < len(words); {
		j := i + 1
		for strings.HasPrefix(words[i], "--") && j < len(words) && !strings.HasPrefix(words[j], "--") {
			j++
		}
		b.line("\t%s", Command(words[i:j]...))
		i = j
	}
	b.line(")")
}

// head writes what every script begins with: how it is run, and from which plan it comes.
func (b *bash) head(s *Serving, what string) { b.headOf(s, what, s.strategy()) }

// headOf is the head of a script for more than one deployment, by the strategies of them.
func (b *bash) headOf(s *Serving, what, strategy string) {
	b.line("#!/usr/bin/env bash")
	b.comment(what)
	b.comment("Written from the plan of " + quoted(s.Plan.Condition) + ": " + strategy + ".")
	if o := s.Plan.Outcome; o != nil && !o.Feasible {
		b.comment("The plan misses a requirement of its condition: it is the closest one there is.")
	}
}

// strategy is the parallelism of a plan in a line.
func (s *Serving) strategy() string {
	st := s.Phase.Strategy
	words := []string{count(st.Replicas, "replica"), "PP " + strconv.Itoa(st.PP), "TP " + degree(st.TP)}
	for _, d := range []struct {
		name  string
		value results.PerStage
	}{{"EP", st.EP}, {"attention DP", st.DPAttention}, {"CP", st.CP}} {
		if v, same := d.value.Uniform(); !same || v > 1 {
			words = append(words, d.name+" "+degree(d.value))
		}
	}
	if st.VirtualStages > 1 {
		words = append(words, count(st.VirtualStages, "virtual stage"))
	}
	gpus := 0
	for _, stages := range s.Replicas {
		for _, stage := range stages {
			if stage.Chunk == nil || *stage.Chunk == 0 { // the stages of a rank share its GPUs
				gpus += len(stage.GPUs)
			}
		}
	}
	return fmt.Sprintf("%s of %s on %s", strings.Join(words, " × "), quoted(s.Model.Name), count(gpus, "GPU"))
}

func degree(d results.PerStage) string {
	if v, same := d.Uniform(); same {
		return strconv.Itoa(v)
	}
	words := make([]string, len(d))
	for i, v := range d {
		words[i] = strconv.Itoa(v)
	}
	return strings.Join(words, "/")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// modelVariable writes the variable MODEL: what the engine loads.
func (b *bash) modelVariable(c Checkpoint) {
	if c.Name != "" {
		b.comment("What is loaded: a Hugging Face id or the path of a copy that every node has.")
		b.line("MODEL=${MODEL:-%s}", Word(c.Name))
		return
	}
	b.comment("The plan's model is not one whose published weights are known here.")
	b.line("missing=%s", Word("set MODEL to "+c.Missing))
	b.line(`MODEL=${MODEL:?"$missing"}`)
}

// hostVariables writes the variables HOSTS, the addresses of the nodes, and node, the number
// of the node that the script runs on: its first argument.
func (b *bash) hostVariables(hosts []Host) {
	b.addresses(hosts)
	if len(hosts) == 1 {
		b.line("node=${1:-0}")
		return
	}
	b.line("if [ $# -ne 1 ]; then")
	b.line("\techo \"usage: bash $0 NODE   (0 to %d: the number of this node)\" >&2", len(hosts)-1)
	b.line("\texit 2")
	b.line("fi")
	b.line("node=$1")
}

// addresses writes the array hosts, which HOSTS may replace.
func (b *bash) addresses(hosts []Host) {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	b.comment("Addresses of the nodes by their numbers: as the plan names them, or as the variable HOSTS says, separated by spaces.")
	b.line("hosts=(")
	for _, n := range names {
		b.line("\t%s", Word(n))
	}
	b.line(")")
	b.line(`if [ -n "${HOSTS:-}" ]; then read -r -a hosts <<<"$HOSTS"; fi`)
	b.line(`if [ ${#hosts[@]} -ne %d ]; then`, len(hosts))
	b.line("\techo \"HOSTS has ${#hosts[@]} addresses, the plan %d nodes\" >&2", len(hosts))
	b.line("\texit 2")
	b.line("fi")
}

// background writes what scripts need that start servers in the background.
func (b *bash) background() {
	b.line("servers=()")
	b.comment("When a server ends, or this script is stopped, the others of the node are too.")
	b.line("stop() {")
	b.line("\ttrap - EXIT INT TERM")
	b.line("\tkill \"${servers[@]}\" 2>/dev/null || true")
	b.line("\twait || true")
	b.line("}")
	b.line("trap stop EXIT")
	b.line("trap 'exit 130' INT")
	b.line("trap 'exit 143' TERM")
	b.line("")
}
