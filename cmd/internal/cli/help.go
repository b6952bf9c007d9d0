package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Groups of flags, in the order in which a help lists them.
const (
	saysFlags      = "What the condition says"
	searchingFlags = "How it is searched"
	filterFlags    = "Which entries"
	outcomeFlags   = "What comes out"
)

// Groups of commands, in the order of the overview.
const (
	planCommands    = "Plans"
	judgeCommands   = "Questions about plans"
	prepareCommands = "Conditions and what is known"
	otherCommands   = "Other commands"
)

// doc is what the help of a command tells beside its usage and flags.
type doc struct {
	group   string // of the overview
	example string // where the command itself has none
	exits   []exit
	see     string // documents and commands, by comma
}

// exit is an exit code of a command; means is what it means there where the table of
// exit codes speaks of plans.
type exit struct {
	code  int
	means string
}

// Annotations that carry a doc.
const (
	groupNote = "group"
	exitsNote = "exits"
	seeNote   = "see"
)

// describe gives a command and those below it their docs, by their paths.
func describe(cmd *cobra.Command, docs map[string]doc) {
	d := docs[cmd.CommandPath()]
	var exits []string
	for _, e := range d.exits {
		exits = append(exits, strings.TrimSpace(fmt.Sprintf("%d %s", e.code, e.means)))
	}
	cmd.Annotations = map[string]string{groupNote: d.group, exitsNote: strings.Join(exits, "\n"), seeNote: d.see}
	if cmd.Example == "" {
		cmd.Example = d.example
	}
	for _, sub := range cmd.Commands() {
		describe(sub, docs)
	}
}

// groupOf is the group of a flag: what stands for a path of the condition is told by
// its type.
func groupOf(f *pflag.Flag) string {
	switch f.Value.(type) {
	case *overrideFlag, *setFlag, *weightsFlag:
		return saysFlags
	case *comparisonFlag, *namesFlag:
		if f.Name != "columns" {
			return filterFlags
		}
	}
	switch f.Name {
	case "model", "cluster", "from-nvidia-smi", "knowledge", "engine", "strategy", "plan", "ask":
		return saysFlags
	case "backend", "time-limit", "verbose", "jobs", "confirm", "confirm-limit":
		return searchingFlags
	case "fp8", "fp4", "int8", "moe", "dense":
		return filterFlags
	}
	return outcomeFlags
}

// page is the help of a command, as text for a terminal or as a manual page.
type page struct {
	name, short, usage, long string
	commands                 []list
	flags                    []flagGroup
	examples                 string
	exits                    []ExitCode
	see                      []string
}

// list is a titled list of commands or topics.
type list struct {
	title   string
	entries [][2]string
}

type flagGroup struct {
	title string
	flags []*pflag.Flag
}

func pageOf(cmd *cobra.Command) page {
	p := page{
		name: cmd.CommandPath(), short: lowerFirst(cmd.Short), long: strings.TrimSpace(cmd.Long), examples: strings.TrimRight(cmd.Example, "\n"),
		commands: commandLists(cmd),
	}
	cmd.Flags().SortFlags = false // in the order in which they are registered
	for _, group := range []string{saysFlags, searchingFlags, filterFlags, outcomeFlags} {
		g := flagGroup{title: group}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if groupOf(f) == group && !f.Hidden && f.Name != "help" {
				g.flags = append(g.flags, f)
			}
		})
		if len(g.flags) > 0 {
			p.flags = append(p.flags, g)
		}
	}
	switch {
	case cmd.IsAdditionalHelpTopicCommand():
		p.name = cmd.Root().Name() + " help " + cmd.Name()
	case cmd.HasAvailableSubCommands():
		p.usage = cmd.CommandPath() + " COMMAND"
	default:
		p.usage = strings.TrimSuffix(cmd.UseLine(), " [flags]")
		if len(p.flags) > 0 {
			p.usage += " [FLAG…]"
		}
	}
	for line := range strings.Lines(cmd.Annotations[exitsNote]) {
		number, means, _ := strings.Cut(strings.TrimSpace(line), " ")
		code, err := strconv.Atoi(number)
		if at := slices.IndexFunc(ExitCodes(), func(e ExitCode) bool { return e.Code == code }); err == nil && at >= 0 {
			e := ExitCodes()[at]
			if means != "" {
				e.Meaning = means
			}
			p.exits = append(p.exits, e)
		}
	}
	for name := range strings.SplitSeq(cmd.Annotations[seeNote], ",") {
		if name = strings.TrimSpace(name); name != "" {
			p.see = append(p.see, name)
		}
	}
	return p
}

// commandLists are the commands below a command by their groups, and its topics.
func commandLists(cmd *cobra.Command) []list {
	var lists []list
	add := func(title string, takes func(*cobra.Command) bool) {
		l := list{title: title}
		for _, sub := range cmd.Commands() {
			if takes(sub) {
				l.entries = append(l.entries, [2]string{sub.Name(), lowerFirst(sub.Short)})
			}
		}
		if len(l.entries) > 0 {
			lists = append(lists, l)
		}
	}
	for _, group := range []string{planCommands, judgeCommands, prepareCommands, otherCommands} {
		title := group
		if cmd != cmd.Root() {
			title = "Commands"
		}
		add(title, func(sub *cobra.Command) bool {
			of := sub.Annotations[groupNote]
			if of == "" {
				of = otherCommands
			}
			return of == group && sub.IsAvailableCommand() && sub.Name() != "help"
		})
	}
	add("Topics: "+cmd.Root().Name()+" help TOPIC", func(sub *cobra.Command) bool { return sub.IsAdditionalHelpTopicCommand() })
	return lists
}

// flagName is a flag with the name of its value: "-o, --out DIR".
func flagName(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if f.NoOptDefVal != "" { // a switch
		return name
	}
	return name + " " + valueName(f)
}

// valueName is what a flag's value is called, as docs/commands.md calls it.
func valueName(f *pflag.Flag) string {
	if value, _ := pflag.UnquoteUsage(f); strings.Contains(f.Usage, "`") {
		return value
	}
	switch f.Name {
	case "gpus", "batch", "input", "output", "jobs":
		return "N"
	case "ttft", "tpot", "e2e", "time-limit", "confirm-limit", "walltime":
		return "TIME"
	case "throughput", "throughput-per-gpu", "output-throughput", "network":
		return "RATE"
	case "cost-per-hour":
		return "USD"
	case "balance", "margin":
		return "SHARE"
	case "model", "phase", "objective", "backend", "name", "engine":
		return "NAME"
	case "precision", "format":
		return "FORMAT"
	case "from-nvidia-smi", "plan":
		return "FILE"
	case "shard":
		return "INDEX/COUNT"
	case "shards":
		return "N"
	case "to":
		return "ENGINE"
	case "knowledge":
		return "PATH"
	case "weights":
		return "latency=W,throughput=W"
	case "set":
		return "PATH=VALUE"
	case "out":
		if strings.HasPrefix(f.Usage, "folder") {
			return "DIR"
		}
		return "FILE"
	}
	switch f.Value.Type() {
	case "int", "int64", "uint":
		return "N"
	case "float64":
		return "X"
	case "duration":
		return "TIME"
	}
	return "TEXT"
}

// flagText is what a flag does, with its default where the text does not tell it.
func flagText(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
	default:
		if !strings.Contains(text, "default") {
			text += " (default " + f.DefValue + ")"
		}
	}
	return text
}

// columnsOfText is the width of a terminal that texts are written for.
const columnsOfText = 80

// text is the page for a terminal.
func (p page) text() string {
	var b strings.Builder
	section := func(title, body string) {
		if strings.TrimSpace(body) != "" {
			fmt.Fprintf(&b, "\n%s\n%s\n", title, strings.TrimRight(body, "\n"))
		}
	}
	entry := func(name, text string, column int) string {
		mark := "  " + name
		if len([]rune(mark)) > column-2 {
			return mark + "\n" + indented(strings.Repeat(" ", column), text)
		}
		return indented(mark+strings.Repeat(" ", column-len([]rune(mark))), text)
	}
	b.WriteString(indented("", p.name+" – "+p.short))
	section("Usage", "  "+p.usage)
	if p.long != "" {
		b.WriteString("\n" + paragraphs(p.long))
	}
	for _, l := range p.commands {
		body := ""
		for _, e := range l.entries {
			body += entry(e[0], e[1], 16)
		}
		section(l.title, body)
	}
	for _, g := range p.flags {
		body := ""
		for _, f := range g.flags {
			body += entry(flagName(f), flagText(f), 28)
		}
		section(g.title, body)
	}
	section("Examples", p.examples)
	exits := ""
	for _, e := range p.exits {
		exits += indented(fmt.Sprintf("  %d  ", e.Code), e.Meaning)
	}
	section("Exit codes", exits)
	if len(p.see) > 0 {
		section("See also", indented("  ", strings.ReplaceAll(strings.Join(p.see, ",\x00"), " ", "\u00a0")))
	}
	return b.String()
}

// paragraphs breaks running text anew; lines that are set off stay as they are.
func paragraphs(text string) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("\n")
		}
		if strings.HasPrefix(paragraph, " ") {
			b.WriteString(paragraph + "\n")
		} else {
			b.WriteString(indented("", paragraph))
		}
	}
	return b.String()
}

// indented breaks a text at the terminal's width, with a mark before its first line.
// A no-break space stays within its line and is then a space.
func indented(mark, text string) string {
	var b strings.Builder
	margin := strings.Repeat(" ", len([]rune(mark)))
	line, empty := mark, true
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\x00' })
	for _, word := range words {
		if !empty && len([]rune(line))+1+len([]rune(word)) > columnsOfText {
			b.WriteString(line + "\n")
			line, empty = margin, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return strings.ReplaceAll(b.String()+strings.TrimRight(line, " ")+"\n", "\u00a0", " ")
}

func lowerFirst(s string) string {
	r := []rune(s)
	if len(r) > 1 && strings.ToLower(string(r[1])) == string(r[1]) {
		return strings.ToLower(string(r[:1])) + string(r[1:])
	}
	return s
}

// newHelp is the command that shows the help of another, or a topic.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "Help about a command or a topic",

		ValidArgsFunction: matching(helpTopics),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if found == nil || err != nil || len(rest) > 0 {
				return knownCommand(cmd.Root(), args)
			}
			return found.Help()
		},
	}
}
