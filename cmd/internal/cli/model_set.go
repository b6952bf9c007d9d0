package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"partita/formulation"
	"partita/inputs"

	"partita/results/export"
)

// modelSet writes models as a set: all of them, or none.
type modelSet struct {
	flags     *modelFlags
	env       Environment
	condition *inputs.Condition
	f         *formulation.Formulated
	left      int64 // bytes that may still be written
}

// indexName is the account of a folder of models.
const indexName = "index.json"

// one writes the model of one outer choice: to a file with its map, or to stdout.
func (s *modelSet) one(ctx context.Context) error {
	outer, err := s.choose(ctx)
	if err != nil {
		return err
	}
	texts, err := s.texts(outer)
	if err != nil {
		return withCode(exitUsage, err)
	}
	if s.flags.out == "" {
		texts = texts[:1]
	}
	s.left, _ = inputs.ParseBytes(s.flags.maxSize)
	for _, t := range texts {
		if err := t.build(ctx); err != nil {
			return err
		}
		if size := t.size(); size.Bytes > s.left {
			return withCode(exitUsage, fmt.Errorf("a model of %s is over %s of %s, --max-size is %s: raise it, or try %s", size,
				inputs.FormatBytes(size.Bytes), t.format, s.flags.maxSize, s.smaller()))
		}
	}
	if s.flags.out == "" {
		if err := s.overSize(texts[0].write(ctx, s.limited(s.env.Out)), texts[0]); err != nil {
			return fmt.Errorf("writing to stdout: %w", err)
		}
		if s.flags.mapFile == "" {
			return nil
		}
		return s.write(ctx, filepath.Dir(s.flags.mapFile), []export.Stream{s.mapStream(filepath.Base(s.flags.mapFile), texts, "")})
	}
	entry := entryOf(outer, texts, filepath.Base(s.flags.out))
	dir := filepath.Dir(s.flags.out)
	files := s.streams(ctx, texts, entry.Files)
	mapDir := filepath.Dir(s.flags.mapFile)
	if filepath.Clean(mapDir) == filepath.Clean(dir) {
		err = s.write(ctx, dir, append(files, s.mapStream(filepath.Base(s.flags.mapFile), texts, entry.Files[0].File)))
	} else if err = s.write(ctx, dir, files); err == nil {
		err = s.write(ctx, mapDir, []export.Stream{s.mapStream(filepath.Base(s.flags.mapFile), texts, entry.Files[0].File)})
	}
	if err != nil {
		return err
	}
	return s.tell(outer, entry)
}

// choose is the outer choice that is asked for.
func (s *modelSet) choose(ctx context.Context) (*formulation.OuterModel, error) {
	if s.flags.picked {
		m, err := s.f.Pick(ctx, s.flags.pick)
		var none *formulation.PickError
		if errors.As(err, &none) {
			err = withCode(exitUsage, err)
		}
		return m, err
	}
	if m := s.f.Final(); m != nil {
		return m, nil
	}
	text := "no plan meets the condition, so no model has its optimum; --all DIR writes a model for every outer choice, --replicas N for one"
	for _, reason := range s.f.Reasons {
		text += "\n  " + reason
	}
	return nil, withCode(exitInfeasible, errors.New(text))
}

// texts are the texts of a model. Without --at-most a formula is written twice, with
// the optimum as the bound and with one less: the first can be satisfied, the second
// cannot. Of an outer choice without a known optimum it is the optimum of the condition
// that is asked about, and where there is none whether there is a plan at all.
func (s *modelSet) texts(outer *formulation.OuterModel) ([]*modelText, error) {
	optimum, known := int64(0), false
	if outer.Optimum != nil {
		optimum, known = *outer.Optimum, true
	} else if best := s.f.Final(); best != nil && best.Rank == outer.Rank {
		optimum, known = *best.Optimum, true
	}
	most, err := s.flags.bound(optimum, known)
	if err != nil {
		return nil, err
	}
	text := &modelText{outer: outer, format: s.flags.format, sparse: s.flags.sparse, atMost: most}
	if most != nil || s.flags.format != formatCNF || !known {
		return []*modelText{text}, nil
	}
	text.atMost = &optimum
	below := *text
	less := optimum - 1
	below.atMost = &less
	return []*modelText{text, &below}, nil
}

func (s *modelSet) smaller() string {
	if s.flags.format == formatLP || s.flags.format == formatMPS {
		if !s.flags.sparse {
			return "--sparse"
		}
	}
	return "--format opb"
}

func (s *modelSet) limited(w io.Writer) io.Writer {
	return &limited{w: w, left: &s.left, size: s.flags.maxSize}
}

// overSize says of a text that outgrew the limit how large its model is.
func (s *modelSet) overSize(err error, t *modelText) error {
	var over *tooLargeError
	if errors.As(err, &over) && t.model != nil {
		return withCode(exitUsage, fmt.Errorf("a model of %s: %w; raise it, or try %s", t.size(), over, s.smaller()))
	}
	return err
}

// streams are the files of the texts of one model.
func (s *modelSet) streams(ctx context.Context, texts []*modelText, files []modelFile) []export.Stream {
	out := make([]export.Stream, len(texts))
	for i, t := range texts {
		out[i] = export.Stream{Name: files[i].File, Write: func(w io.Writer) error {
			if err := t.build(ctx); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return s.overSize(t.write(ctx, s.limited(w)), t)
		}}
	}
	return out
}

// write leaves a set of files in a folder. A run that was interrupted leaves none.
func (s *modelSet) write(ctx context.Context, dir string, files []export.Stream) error {
	err := export.WriteSet(dir, files)
	var coded *exitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return withCode(exitNothingFound, errors.New("interrupted, nothing written"))
	case errors.As(err, &coded):
		return coded
	}
	return fmt.Errorf("writing the model: %w", err)
}

// every writes the models of all outer choices that floors do not settle, and the index.
func (s *modelSet) every(ctx context.Context) error {
	models, leftOut, err := s.f.Every(ctx)
	if err != nil {
		return err
	}
	s.left, _ = inputs.ParseBytes(s.flags.maxSize)
	index := s.newIndex(leftOut)
	names := map[string]bool{}
	var files []export.Stream
	for _, outer := range models {
		texts, err := s.texts(outer)
		if err != nil {
			return withCode(exitUsage, err)
		}
		entry := entryOf(outer, texts, outerName(outer, names)+"."+s.flags.format)
		entry.Map = entry.Files[0].File + ".json"
		index.Models = append(index.Models, entry)
		streams := s.streams(ctx, texts, entry.Files)
		last := s.mapStream(entry.Map, texts, entry.Files[0].File)
		write := last.Write
		last.Write = func(w io.Writer) error {
			entry.Size = texts[0].size()
			err := write(w)
			for _, t := range texts {
				t.drop()
			}
			return err
		}
		files = append(append(files, streams...), last)
	}
	files = append(files, export.Stream{Name: indexName, Write: func(w io.Writer) error { return indented2(w, index) }})
	if err := s.write(ctx, s.flags.all, files); err != nil {
		return err
	}
	return s.tellAll(index)
}

// outerName is the name of a file for an outer choice, unlike the others.
func outerName(m *formulation.OuterModel, used map[string]bool) string {
	var gpus []string
	for _, n := range m.GPUs {
		gpus = append(gpus, fmt.Sprint(n))
	}
	name := fmt.Sprintf("r%d-g%s", m.Replicas, strings.Join(gpus, "+"))
	if m.MicroBatches > 0 {
		name += fmt.Sprintf("-m%d", m.MicroBatches)
	}
	if m.DecodeGroups > 0 {
		name += fmt.Sprintf("-d%d", m.DecodeGroups)
	}
	for base, i := name, 2; used[name]; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	used[name] = true
	return name
}

// indented2 writes JSON for people and programs.
func indented2(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// tell says on stdout what was written.
func (s *modelSet) tell(outer *formulation.OuterModel, entry *modelEntry) error {
	entry.Map = absolute(s.flags.mapFile)
	for i := range entry.Files {
		entry.Files[i].File = absolute(filepath.Join(filepath.Dir(s.flags.out), entry.Files[i].File))
	}
	if s.flags.json {
		out := struct {
			modelHead
			*modelEntry
		}{s.head(), entry}
		return toStdout(s.env, out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", printable(s.condition.Name))
	fmt.Fprintf(&b, "outer choice  %s\n", printable(outer.Outer()))
	fmt.Fprintf(&b, "optimum       %s\n", s.optimumText(outer))
	fmt.Fprintf(&b, "model         %s\n", entry.Size)
	for _, f := range entry.Files {
		fmt.Fprintf(&b, "written       %s%s\n", printable(f.File), f.note())
	}
	fmt.Fprintf(&b, "its map       %s\n", printable(entry.Map))
	_, err := io.WriteString(s.env.Out, b.String())
	return err
}

func (s *modelSet) optimumText(outer *formulation.OuterModel) string {
	if outer.Optimum == nil {
		return "none: no plan has this outer choice"
	}
	proved := "proved"
	if !outer.Proved {
		proved = "the best known, not proved"
	}
	return fmt.Sprintf("J = %d ticks (%s), %.6g in %s", *outer.Optimum, proved, float64(*outer.Optimum)*outer.TickValue, s.f.Unit())
}

func (s *modelSet) tellAll(index *modelIndex) error {
	if s.flags.json {
		return toStdout(s.env, struct {
			modelHead
			Index  string `json:"index"`
			Models int    `json:"models"`
		}{s.head(), absolute(filepath.Join(s.flags.all, indexName)), len(index.Models)})
	}
	settled := 0
	for _, c := range index.LeftOut {
		settled += c.Choices
	}
	optimum := "optimum       none: no plan meets the condition"
	if best := s.f.Final(); best != nil {
		optimum = "optimum       " + s.optimumText(best)
	}
	_, err := fmt.Fprintf(s.env.Out, "%s\n%s\nmodels        %d; %d other outer choices are settled by floors\nwritten       %s\n",
		printable(s.condition.Name), optimum, len(index.Models), settled, printable(absolute(filepath.Join(s.flags.all, indexName))))
	return err
}

func toStdout(env Environment, v any) error {
	e := json.NewEncoder(env.Out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return nil
}

// absolute is the absolute path of a file; where there is no working directory any
// more the path as it is.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
