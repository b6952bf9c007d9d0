package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"partita/inputs"
	"partita/inputs/read"
)

// Settings steer the run. Each is a key of the config, a variable of the environment
// (PARTITA_TIME_LIMIT) and a flag (--time-limit); the flag counts before the variable,
// the variable before the config.
type Settings struct {
	Name string
	// Output is the folder of the results, relative to the working directory.
	Output string
	// Jobs is the number of scenarios at a time; 0: one a core.
	Jobs int
	// TimeLimit bounds each scenario; 0: none.
	TimeLimit time.Duration
	Backend   string
	// Confirm has a second solver prove each optimum again, within ConfirmLimit.
	Confirm      bool
	ConfirmLimit time.Duration
	// Plans says which scenarios leave their plan: all, found or none.
	Plans string
	// Reports adds a report for people beside each plan.
	Reports bool
	// RequireOptimal makes a plan that is not proved optimal a failure.
	RequireOptimal bool
	// Shards is the number of shares the batch is cut into; 0: not stated.
	Shards int
}

// Plans of scenarios that are written.
const (
	PlansAll   = "all"   // also the closest plan of an infeasible one
	PlansFound = "found" // plans that meet their condition
	PlansNone  = "none"
)

// DefaultConfirmLimit is long enough that a second proof that ends at all ends within it
// on any machine: who agreed is then the same everywhere.
const DefaultConfirmLimit = 10 * time.Second

// Auto lets the program choose the backend.
const Auto = "auto"

// setting is one of them: how its text is read.
type setting struct {
	name string
	read func(s *Settings, text string) (want string)
}

// whole reads a whole number within bounds.
func whole(into func(s *Settings) *int, low, high int) func(*Settings, string) string {
	return func(s *Settings, text string) string {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return fmt.Sprintf("a whole number from %d to %d", low, high)
		}
		*into(s) = n
		return ""
	}
}

func yesOrNo(into func(s *Settings) *bool) func(*Settings, string) string {
	return func(s *Settings, text string) string {
		v, err := strconv.ParseBool(text)
		if err != nil {
			return "true or false"
		}
		*into(s) = v
		return ""
	}
}

// duration reads "1m30s" and "90 s".
func duration(into func(s *Settings) *time.Duration) func(*Settings, string) string {
	return func(s *Settings, text string) string {
		limit, err := time.ParseDuration(text)
		if seconds, other := inputs.ParseDuration(text); err != nil && other == nil {
			limit, err = time.Duration(min(seconds, 1e9)*float64(time.Second)), nil
		}
		if err != nil || limit < 0 {
			return "a duration such as 30s"
		}
		*into(s) = limit
		return ""
	}
}

func oneOf(into func(s *Settings) *string, names ...string) func(*Settings, string) string {
	return func(s *Settings, text string) string {
		for _, name := range names {
			if text == name {
				*into(s) = text
				return ""
			}
		}
		return "one of " + strings.Join(names, ", ")
	}
}

func anyText(into func(s *Settings) *string) func(*Settings, string) string {
	return func(s *Settings, text string) string {
		*into(s) = text
		return ""
	}
}

// mostJobs and mostShards bound what a slip could ask of a machine.
const (
	mostJobs   = 1024
	mostShards = 100_000
)

func settings() []setting {
	return []setting{
		{"name", anyText(func(s *Settings) *string { return &s.Name })},
		{"output", anyText(func(s *Settings) *string { return &s.Output })},
		{"jobs", whole(func(s *Settings) *int { return &s.Jobs }, 0, mostJobs)},
		{"time_limit", duration(func(s *Settings) *time.Duration { return &s.TimeLimit })},
		{"backend", oneOf(func(s *Settings) *string { return &s.Backend }, Auto, "labels", "ilp", "sat")},
		{"confirm", yesOrNo(func(s *Settings) *bool { return &s.Confirm })},
		{"confirm_limit", duration(func(s *Settings) *time.Duration { return &s.ConfirmLimit })},
		{"plans", oneOf(func(s *Settings) *string { return &s.Plans }, PlansAll, PlansFound, PlansNone)},
		{"reports", yesOrNo(func(s *Settings) *bool { return &s.Reports })},
		{"require_optimal", yesOrNo(func(s *Settings) *bool { return &s.RequireOptimal })},
		{"shards", whole(func(s *Settings) *int { return &s.Shards }, 1, mostShards)},
	}
}

func settingNames() []string {
	var names []string
	for _, s := range settings() {
		names = append(names, s.name)
	}
	return names
}

// settings reads the settings: viper holds those of the config, and those of the
// environment and of flags over them. It returns the variables, sorted, that speak of
// conditions.
func (r *reader) settings(source *read.Source, fields map[string]read.Value, opts Options) (Settings, []string) {
	stated := map[string]inputs.Place{}
	rest := []string{}
	for name, v := range fields {
		stated[name] = v.ValuePlace()
	}
	for _, e := range Variables(opts.Env) {
		name, value, _ := strings.Cut(e, "=")
		key := keyOf(name)
		switch {
		case !isSetting(key):
			rest = append(rest, e)
		case value != "":
			source.Viper.Set(key, value)
			stated[key] = inputs.Place{File: name}
		}
	}
	for _, s := range settings() {
		if value, ok := opts.Flags[s.name]; ok {
			source.Viper.Set(s.name, value)
			stated[s.name] = inputs.Place{File: "--" + strings.ReplaceAll(s.name, "_", "-")}
		}
	}
	out := Settings{Backend: Auto, Plans: PlansAll, ConfirmLimit: DefaultConfirmLimit}
	for _, s := range settings() {
		at, ok := stated[s.name]
		if !ok || !source.Viper.IsSet(s.name) {
			continue
		}
		if v := fields[s.name]; v.Present() && at == v.ValuePlace() && (v.IsObject() || v.IsList()) {
			r.problems = append(r.problems, v.Wrong("a value"))
			continue
		}
		text := strings.TrimSpace(source.Viper.GetString(s.name))
		if want := s.read(&out, text); want != "" {
			r.problem(at, fmt.Sprintf("%s: %q", s.name, text), want, "")
		}
	}
	return out, rest
}

// prefix begins the variables that speak of a batch.
const prefix = "PARTITA_"

// Variables are those of an environment that a batch reads, sorted: settings, and what
// they state of conditions. Other PARTITA_ variables belong to the program around.
func Variables(env []string) []string {
	var out []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if key := keyOf(name); strings.HasPrefix(name, prefix) && (isSetting(key) || ofCondition.MatchString(key)) {
			out = append(out, e)
		}
	}
	slices.Sort(out)
	return out
}

func keyOf(variable string) string { return strings.ToLower(strings.TrimPrefix(variable, prefix)) }

// ofCondition matches variables that read takes for fields of a condition, or refuses.
var ofCondition = regexp.MustCompile(`__|^(model|knowledge|engine)$|^(cluster|model|workload|goal|strategy)_`)

func isSetting(key string) bool {
	for _, s := range settings() {
		if s.name == key {
			return true
		}
	}
	return false
}
