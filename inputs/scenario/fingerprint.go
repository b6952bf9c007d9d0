package scenario

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"partita/inputs"
	"partita/inputs/read"
)

// Fingerprint is what the results of a batch depend on, beside the program: two runs
// of equal fingerprints write the same bytes. The number of workers, the output folder
// and the share are not in it.
type Fingerprint struct {
	Name  string `json:"name"`
	Count int    `json:"count"` // scenarios
	// Scenarios is the SHA-256 of their names, files, overrides and places.
	Scenarios string         `json:"scenarios"`
	Files     []read.FileSum `json:"files"`
	Settings  []string       `json:"settings"` // "time_limit 30s"
}

// Fingerprint reads all files that the batch needs, each once, and digests what the
// batch says. What is wrong with the files of every scenario is an error of type
// read.Diagnostics; what is wrong with those of some is for these to say.
func (b *Batch) Fingerprint(r *read.Reader) (Fingerprint, error) {
	f := Fingerprint{Name: b.Name, Count: b.Len()}
	lists, models, packs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	digest := sha256.New()
	w := bufio.NewWriter(digest)
	e := json.NewEncoder(w)
	for i := range b.Len() {
		s := b.Scenario(i)
		if key := strings.Join(s.Files, "\x00"); !lists[key] {
			lists[key] = true
			r.Check(s.Files)
		}
		if s.Model != "" && !models[s.Model] {
			models[s.Model] = true
			r.CheckModel(s.Model)
		}
		for _, o := range s.Set {
			switch path := read.Path(o.Key); {
			case path == "model.config":
				r.CheckModel(o.Value)
			case path == "knowledge" && !packs[o.Value]:
				packs[o.Value] = true
				r.CheckPacks(o)
			}
		}
		if err := e.Encode(struct {
			Scenario
			At inputs.Place
		}{s, s.modelPlace}); err != nil {
			return f, err
		}
	}
	for _, v := range b.env {
		fmt.Fprintln(w, v)
	}
	if err := w.Flush(); err != nil {
		return f, err
	}
	f.Scenarios = hex.EncodeToString(digest.Sum(nil))
	f.Files = r.Sums()
	f.Settings = b.Settings.lines()
	for _, o := range b.start.set {
		if problems := r.CheckPacks(o); len(problems) > 0 {
			return f, problems
		}
	}
	if b.oneBase() {
		if problems := r.Check(b.start.base); len(problems) > 0 {
			return f, problems
		}
	}
	return f, nil
}

// oneBase reports whether all scenarios start from the files of the batch.
func (b *Batch) oneBase() bool {
	one := len(b.start.base) > 0
	for _, a := range b.axes {
		for _, v := range a.values {
			one = one && v.spec.base == nil
		}
	}
	for _, n := range b.named {
		one = one && n.spec.base == nil
	}
	return one
}

// lines are the settings that results depend on.
func (s *Settings) lines() []string {
	return []string{
		"backend " + s.Backend,
		fmt.Sprintf("confirm %v", s.Confirm),
		fmt.Sprintf("confirm_limit %v", s.ConfirmLimit),
		"plans " + s.Plans,
		fmt.Sprintf("reports %v", s.Reports),
		fmt.Sprintf("require_optimal %v", s.RequireOptimal),
		fmt.Sprintf("time_limit %v", s.TimeLimit),
	}
}

// Differences says in sentences how another fingerprint differs from this one; none
// where they are equal.
func (f *Fingerprint) Differences(other Fingerprint) []string {
	var out []string
	if f.Name != other.Name {
		out = append(out, fmt.Sprintf("the batch was named %s, now %s", f.Name, other.Name))
	}
	if f.Count != other.Count {
		out = append(out, fmt.Sprintf("it had %d scenarios, now %d", f.Count, other.Count))
	}
	sums := map[string]string{}
	for _, file := range f.Files {
		sums[file.Path] = file.SHA256
	}
	for _, file := range other.Files {
		sum, known := sums[file.Path]
		delete(sums, file.Path)
		if !known {
			out = append(out, file.Path+" is new")
		} else if sum != file.SHA256 {
			out = append(out, file.Path+" has changed")
		}
	}
	for _, file := range f.Files {
		if _, gone := sums[file.Path]; gone {
			out = append(out, file.Path+" is no longer read")
		}
	}
	for i, line := range f.Settings {
		if i < len(other.Settings) && line != other.Settings[i] {
			out = append(out, fmt.Sprintf("setting %s is now %s", line, other.Settings[i]))
		}
	}
	if len(f.Settings) != len(other.Settings) {
		out = append(out, "there are other settings")
	}
	if f.Scenarios != other.Scenarios && len(out) == 0 {
		out = append(out, "scenarios, their overrides or their places in the file are others")
	}
	return out
}
