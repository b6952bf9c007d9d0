package knowledge

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"partita/inputs"
)

//go:embed packs/*.yaml
var packs embed.FS

// Engine is a serving engine whose limits are known.
type Engine struct {
	Name  string // as --engine takes it
	Title string
	Also  []string // other ways to write its name
	Rules []inputs.Rule
}

// engineNames are the engines, in the order of the documents. Their packs have their names.
func engineNames() []Engine {
	return []Engine{
		{Name: "vllm", Title: "vLLM"},
		{Name: "sglang", Title: "SGLang"},
		{Name: "trtllm", Title: "TensorRT-LLM", Also: []string{"tensorrt-llm", "tensorrtllm", "tensorrt_llm", "trt-llm"}},
		{Name: "megatron", Title: "Megatron-LM", Also: []string{"megatron-lm", "megatronlm"}},
		{Name: "llamacpp", Title: "llama.cpp", Also: []string{"llama.cpp", "llama-cpp", "llama_cpp"}},
	}
}

// EngineNames are the names of the engines, and the other ways to write them.
func EngineNames() (names, also []string) {
	for _, e := range engineNames() {
		names = append(names, e.Name)
		also = append(append(also, strings.ToLower(e.Title)), e.Also...)
	}
	return names, also
}

// Engines lists the engines with their rules.
func Engines() ([]Engine, error) {
	list := engineNames()
	for i := range list {
		p, err := BuiltIn(list[i].Name)
		if err != nil {
			return nil, err
		}
		list[i].Rules = p.Rules
	}
	return list, nil
}

// FindEngine is the engine of a name, however it is written. The error names those that
// are known.
func FindEngine(name string) (Engine, error) {
	asked := strings.ToLower(strings.TrimSpace(name))
	var known, written []string
	for _, e := range engineNames() {
		known = append(known, e.Name)
		written = append(append(written, e.Name, strings.ToLower(e.Title)), e.Also...)
		if asked == e.Name || asked == strings.ToLower(e.Title) || slices.Contains(e.Also, asked) {
			p, err := BuiltIn(e.Name)
			e.Rules = p.Rules
			return e, err
		}
	}
	err := &inputs.QuantityError{Text: name, Want: "one of " + strings.Join(known, ", ")}
	if best := inputs.Nearest(asked, written); best != "" {
		err.Want += fmt.Sprintf("; did you mean %q?", best)
	}
	return Engine{}, err
}

// CheckEngine tells which rules of an engine a finished plan of a condition breaks: what
// keeps the engine from running it. The condition's own rules are not asked.
func CheckEngine(name string, c *inputs.Condition, p Plan) ([]Violation, error) {
	e, err := FindEngine(name)
	if err != nil {
		return nil, err
	}
	own := *c
	own.Rules = e.Rules
	rules, err := Compile(&own)
	if err != nil {
		return nil, err
	}
	return rules.Check(p)
}

// BuiltInNames lists the built-in packs, sorted: those of the engines, and others that
// can be named in place of a file.
func BuiltInNames() []string {
	entries, err := packs.ReadDir("packs")
	if err != nil {
		return nil // the folder is part of the program
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// BuiltIn is a built-in pack. The error means that there is none of the name, or that the
// pack itself is at fault.
func BuiltIn(name string) (Pack, error) {
	data, err := packs.ReadFile("packs/" + name + ".yaml")
	if err != nil {
		return Pack{}, fmt.Errorf("no built-in pack %q: there are %s", name, strings.Join(BuiltInNames(), ", "))
	}
	p := Parse("built-in "+name+".yaml", data)
	return p, p.Problems.Err()
}
