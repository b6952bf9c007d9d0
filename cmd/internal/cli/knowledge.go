package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partita/inputs"
	"partita/inputs/knowledge"
	"partita/inputs/read"
)

// knowledgeUsage tells what --knowledge takes.
const knowledgeUsage = "accelerators, models, efficiencies and binding rules: a file, a folder or a built-in pack (repeatable)"

// knowledgeFlag is --knowledge PATH.
type knowledgeFlag struct {
	c     *conditionFlags
	given []string
}

func (f *knowledgeFlag) String() string { return strings.Join(f.given, ",") }
func (f *knowledgeFlag) Type() string   { return "path" }

func (f *knowledgeFlag) Set(v string) error {
	if len(read.Paths(v)) == 0 {
		return errors.New("want a file, a folder or one of " + strings.Join(knowledge.BuiltInNames(), ", "))
	}
	f.given = append(f.given, v)
	f.c.overrides = append(f.c.overrides, read.Override{Key: "knowledge", Value: v, Place: inputs.Place{File: "--knowledge"}})
	return nil
}

// packsFrom are overrides with the paths of --knowledge as a folder names them: those of a
// batch start at its config, those of flags at the working directory.
func packsFrom(folder string, set []read.Override) ([]read.Override, error) {
	set = slices.Clone(set)
	for i, o := range set {
		if o.Place.File != "--knowledge" {
			continue
		}
		paths := read.Paths(o.Value)
		for k, path := range paths {
			var err error
			if paths[k], err = packPath(folder, path); err != nil {
				return nil, err
			}
		}
		set[i].Value = strings.Join(paths, ",")
	}
	return set, nil
}

// packPath is the path of a pack as a file in a folder names it: from there. A built-in
// pack keeps its name.
func packPath(folder, path string) (string, error) {
	if _, err := os.Stat(path); err != nil && slices.Contains(knowledge.BuiltInNames(), path) {
		return path, nil
	}
	return pathFrom(folder, path)
}

// pathFrom is the path of a file from a folder, with slashes.
func pathFrom(folder, path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	from, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(from, to)
	if err != nil {
		return to, nil // on another volume
	}
	return filepath.ToSlash(relative), nil
}

// engines are the names that --engine takes.
func engines() []string {
	names, _ := knowledge.EngineNames() // the rules themselves take time to read, at every start
	return names
}

func checkEngine(v string) error {
	_, err := knowledge.FindEngine(v)
	return err
}
