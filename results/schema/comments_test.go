package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partita/results"
	"partita/results/export"
)

var update = flag.Bool("update", false, "write words.json and docs/schema anew from the source")

// sources are the packages whose types are in the files of a run, by name.
var sources = map[string]string{"inputs": "../../inputs", "results": "..", "export": "../export"}

// TestWords: words.json says of every type that a file holds what the source says of it.
func TestWords(t *testing.T) {
	got := map[string]typeWords{}
	for name, folder := range sources {
		for typ, words := range wordsOf(t, name, folder) {
			got[typ] = words
		}
	}
	// Only types that are in the files, in the order of their names.
	reached := map[reflect.Type]bool{}
	reach(reflect.TypeFor[results.Plan](), reached)
	reach(reflect.TypeFor[export.Manifest](), reached)
	kept := map[string]typeWords{}
	for typ := range reached {
		if w, ok := got[nameOf(typ)]; ok {
			kept[nameOf(typ)] = w
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(kept); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("words.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		wordsJSON = b.Bytes()
	}
	if diff := cmp.Diff(string(wordsJSON), b.String()); diff != "" {
		t.Errorf("words.json is behind the source; go test ./results/schema -update (-want +got):\n%s", diff)
	}
	for typ := range reached {
		if typ.Kind() != reflect.Struct {
			continue
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			text, told := kept[nameOf(typ)].Fields[f.Name]
			of := f.Type
			for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
				of = of.Elem()
			}
			if told && text == "" && kept[nameOf(of)].Doc == "" {
				t.Errorf("%s.%s has no comment: say what it is, with its unit", nameOf(typ), f.Name)
			}
		}
	}
}

// reach collects the named types below one.
func reach(t reflect.Type, into map[reflect.Type]bool) {
	if into[t] {
		return
	}
	into[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		reach(t.Elem(), into)
	case reflect.Map:
		reach(t.Key(), into)
		reach(t.Elem(), into)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("json") != "-" {
				reach(t.Field(i).Type, into)
			}
		}
	}
}

// wordsOf reads the comments and constants of a package.
func wordsOf(t *testing.T, name, folder string) map[string]typeWords {
	t.Helper()
	fset := token.NewFileSet()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	pkg, err := doc.NewFromFiles(fset, parsed, "partita/"+name, doc.PreserveAST|doc.AllDecls)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]typeWords{}
	for _, typ := range pkg.Types {
		w := typeWords{Doc: oneLine(typ.Doc)}
		for _, spec := range typ.Decl.Specs {
			if s, ok := spec.(*ast.TypeSpec); ok && s.Name.Name == typ.Name {
				if body, ok := s.Type.(*ast.StructType); ok {
					w.Fields = fieldsOf(body)
				}
			}
		}
		for _, group := range typ.Consts {
			for _, spec := range group.Decl.Specs {
				for _, v := range spec.(*ast.ValueSpec).Values {
					if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						text, err := strconv.Unquote(lit.Value)
						if err != nil {
							t.Fatal(err)
						}
						w.Values = append(w.Values, text)
					}
				}
			}
		}
		out[name+"."+typ.Name] = w
	}
	return out
}

// fieldsOf are the comments of a struct's fields. One without a comment of its own has
// that of the field before it, where that names it ("Want and Got are …"). Go names of
// fields become their JSON names.
func fieldsOf(body *ast.StructType) map[string]string {
	fields, names := map[string]string{}, map[string]string{}
	before := ""
	for _, f := range body.Fields.List {
		text := oneLine(f.Doc.Text())
		if behind := oneLine(f.Comment.Text()); behind != "" {
			text = strings.TrimSpace(strings.Trim(text+" "+behind, " "))
		}
		for _, n := range f.Names {
			tag := ""
			if f.Tag != nil {
				tag, _, _ = strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
			}
			if tag == "-" || !n.IsExported() {
				continue
			}
			names[n.Name] = tag
			if text == "" && regexp.MustCompile(`\b`+n.Name+`\b`).MatchString(before) {
				text = before
			}
			fields[n.Name] = text
		}
		before = text
	}
	word := regexp.MustCompile(`\b[A-Z][A-Za-z0-9]+\b`)
	for name, text := range fields {
		fields[name] = word.ReplaceAllStringFunc(text, func(s string) string {
			if tag := names[s]; tag != "" && s != strings.ToUpper(s) {
				return tag
			}
			return s
		})
	}
	return fields
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
