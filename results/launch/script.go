package launch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"partita/inputs"
)

// starter is a script that starts what one node of a plan runs: a shell function for each
// kind of process, and the calls of every node.
type starter struct {
	bash
	hosts  []Host
	number map[string]int // of a host, by its name
	calls  [][]string     // by number
}

// start begins a script: what it does, how it is run, what to check first.
func (s *Serving) start(name, what string, checks ...string) *starter {
	x := &starter{hosts: s.Hosts(), number: map[string]int{}}
	for _, h := range x.hosts {
		x.number[h.Name] = h.Number
	}
	x.calls = make([][]string, len(x.hosts))
	x.head(s, what)
	x.line("#")
	if len(x.hosts) > 1 {
		x.comment("On every node, with its number: bash " + name + " NODE")
	} else {
		x.comment("On the node: bash " + name)
	}
	if n := len(s.Replicas); n > 1 && s.apart == nil && s.Phase.Phase != inputs.Training {
		x.comment(fmt.Sprintf("The %d replicas are servers that know nothing of each other: spread requests evenly over them. Each takes %d requests at once by the plan.", n, s.Phase.Strategy.SequencesPerReplica))
	}
	x.line("#")
	x.comment("Check first:")
	for _, c := range append(checks, s.countsOn()...) {
		x.comment("- " + c)
	}
	if n := s.Model.MaxContext; n > 0 && n < s.contextLength() && s.Phase.Phase != inputs.Training {
		x.comment(fmt.Sprintf("- The workload holds %d tokens a sequence, the model is made for %d: an engine may refuse that, or answer badly.", s.contextLength(), n))
	}
	if alone := s.Phase.Phase; (alone == "prefill" || alone == "decode") && s.apart == nil {
		x.comment(fmt.Sprintf("- The plan serves %s alone: the other phase has servers of its own, and this one has to be told of them.", s.Phase.Phase))
	}
	x.line("set -euo pipefail")
	x.line("")
	return x
}

// countsOn is what the figures of the plan rest on and nothing here sees to: a draft, and
// prompts that are in the cache when they come.
func (s *Serving) countsOn() []string {
	var out []string
	if d := s.Workload.Speculative; d.DraftTokens > 0 && s.Phase.Phase != inputs.Prefill {
		out = append(out, fmt.Sprintf("The plan counts on a draft that proposes %d tokens a step, each taken by a chance of %s. None is started here: tell the engine of yours, or a token takes longer than predicted.", d.DraftTokens, inputs.FormatShare(d.Acceptance)))
	}
	if hit := s.Workload.PrefixCacheHit; hit > 0 && s.Phase.Phase != inputs.Decode {
		text := fmt.Sprintf("The plan counts on %s of the prompt tokens in the prefix cache of the replica that they come to: leave the engine's cache of prefixes on", inputs.FormatShare(hit))
		if len(s.Replicas) > 1 {
			text += ", and send requests that begin alike to the same replica"
		}
		out = append(out, text+".")
	}
	return out
}

// several reports whether the plan is on more than one node.
func (x *starter) several() bool { return len(x.hosts) > 1 }

// address is the word by which a script reaches a host, inside double quotes.
func (x *starter) address(host string) string {
	if !x.several() {
		return "127.0.0.1"
	}
	return fmt.Sprintf("${hosts[%d]}", x.number[host])
}

// function writes a shell function that starts a process in the background: the lines of one
// command, which are words of the shell.
func (x *starter) function(about, name string, locals []string, command ...string) {
	x.comment(about)
	x.line("%s() {", name)
	for _, l := range locals {
		x.line("\t%s", l)
	}
	x.line("\t%s &", strings.Join(command, " \\\n\t\t"))
	x.line("\tservers+=($!)")
	x.line("}")
	x.line("")
}

// call adds a call to what a host starts.
func (x *starter) call(host, about, words string) {
	n := x.number[host]
	x.calls[n] = append(x.calls[n], "# "+about, words)
}

// end writes the calls of each node, which run until one ends. A node without calls is told why.
func (x *starter) end(name, idle string) File {
	x.cases(idle)
	x.line("wait -n")
	return x.file(name)
}

func (x *starter) file(name string) File {
	return File{Name: name, Data: []byte(x.String()), Executable: true}
}

// cases writes the calls of each node.
func (x *starter) cases(idle string) {
	x.line("case $node in")
	for _, h := range x.hosts {
		x.line("%d) # %s", h.Number, Comment(h.Name))
		for _, c := range x.calls[h.Number] {
			x.line("\t%s", c)
		}
		if len(x.calls[h.Number]) == 0 {
			x.line("\techo %s", Word(idle))
			x.line("\texit 0")
		}
		x.line("\t;;")
	}
	x.line("*)")
	x.line("\techo \"no node $node: the plan has the nodes 0 to %d\" >&2", len(x.hosts)-1)
	x.line("\texit 2")
	x.line("\t;;")
	x.line("esac")
}

// part names a node of a replica in comments.
func part(replica, rank, of int) string {
	if of == 1 {
		return fmt.Sprintf("replica %d", replica)
	}
	return fmt.Sprintf("replica %d, part %d of %d", replica, rank+1, of)
}

// join writes numbers with a mark between them.
func join(numbers []int, mark string) string {
	text := make([]string, len(numbers))
	for i, n := range numbers {
		text[i] = strconv.Itoa(n)
	}
	return strings.Join(text, mark)
}

// counts are the nodes of each replica.
func counts(all []node) map[int]int {
	out := map[int]int{}
	for _, n := range all {
		out[n.Replica]++
	}
	return out
}

// spread reports whether a replica has more than one node.
func spread(all []node) bool {
	return slices.ContainsFunc(all, func(n node) bool { return n.Rank > 0 })
}
