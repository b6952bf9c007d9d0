package dagsvg

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// graphviz is Graphviz 12.1.2 as WebAssembly, the module that go-graphviz v0.2.9 runs; a
// test compares them. The module is run from here and not through that package, which
// compiles it whenever a program starts that could draw, and keeps machine code in a
// folder of the temporary folder that other users can write to. See docs/rationale.md.
//
//go:embed graphviz.wasm
var graphviz []byte

// mostMemory bounds what a layout may take, in pages of 64 KiB: 1 GiB.
const mostMemory = 1 << 14

// engine is Graphviz compiled, ready to be started anew for each picture.
type engine struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

// compiled makes the engine when the first picture is asked for, once a process.
var compiled = sync.OnceValues(makeEngine)

// makeEngine compiles the module, some 0.4 s, or takes what it was compiled to before, some
// 0.05 s. Where that is damaged it is compiled anew; where the system lets no program make
// code the module is interpreted, which gives the same picture some ten times slower.
func makeEngine() (*engine, error) {
	config := wazero.NewRuntimeConfig()
	if kept := machineCode(); kept != nil {
		if e, err := newEngine(config.WithCompilationCache(kept)); err == nil {
			return e, nil
		}
	}
	e, err := newEngine(config)
	if err != nil {
		return newEngine(wazero.NewRuntimeConfigInterpreter())
	}
	return e, nil
}

// Prepare makes the engine ready in the background: half a second of work that a search
// before the first picture leaves a core for.
func Prepare() {
	go func() { _, _ = compiled() }()
}

// newEngine makes an engine. The library panics where it gets no memory for code.
func newEngine(config wazero.RuntimeConfig) (e *engine, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			e, err = nil, fmt.Errorf("the module cannot be compiled: %v", cause)
		}
	}()
	ctx := context.Background()
	e = &engine{runtime: wazero.NewRuntimeWithConfig(ctx, config.WithMemoryLimitPages(mostMemory))}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, e.runtime); err != nil {
		return nil, err
	}
	if e.code, err = e.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), graphviz); err != nil {
		return nil, err
	}
	// The module asks for functions of programs that give it plugins of their own.
	env := e.runtime.NewHostModuleBuilder("env")
	for _, f := range e.code.ImportedFunctions() {
		if module, name, _ := f.Import(); module == "env" {
			missing := api.GoModuleFunc(func(context.Context, api.Module, []uint64) { panic(errors.New(name + " is not provided")) })
			env.NewFunctionBuilder().WithGoModuleFunction(missing, f.ParamTypes(), f.ResultTypes()).Export(name)
		}
	}
	if _, err = env.Instantiate(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// layout draws one graph in the DOT language, by Graphviz' dot, as SVG. It sees neither
// files nor clock nor environment: same text, same bytes.
func layout(dot string) ([]byte, error) {
	e, err := compiled()
	if err != nil {
		return nil, err
	}
	return e.layout(dot)
}

func (e *engine) layout(dot string) ([]byte, error) {
	ctx := context.Background() // what is drawn is small: MostNodes
	module, err := e.runtime.InstantiateModule(ctx, e.code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, err
	}
	defer module.Close(ctx)
	c := &calls{ctx: ctx, module: module}
	svg := c.svg(dot)
	if c.err != nil {
		return nil, c.err
	}
	return svg, nil
}

// calls are calls of the module's functions; the first error ends them all. Addresses and
// sizes have 32 bits there.
type calls struct {
	ctx    context.Context
	module api.Module
	err    error
}

func (c *calls) call(name string, args ...uint64) uint64 {
	if c.err != nil {
		return 0
	}
	f := c.module.ExportedFunction(name)
	if f == nil {
		c.err = fmt.Errorf("the module has no function %s", name)
		return 0
	}
	results, err := f.Call(c.ctx, args...)
	if err != nil {
		c.err = fmt.Errorf("%s: %w", name, err)
		return 0
	}
	if len(results) == 0 {
		return 0
	}
	return uint64(uint32(results[0]))
}

// bytes puts data into the module's memory.
func (c *calls) bytes(data []byte) uint64 {
	at := c.call("malloc", uint64(len(data)))
	if c.err == nil && (at == 0 || !c.module.Memory().Write(uint32(at), data)) {
		c.err = errors.New("no memory for the graph")
	}
	return at
}

func (c *calls) text(s string) uint64 { return c.bytes(append([]byte(s), 0)) }

// word is the number at an address.
func (c *calls) word(at uint64) uint64 {
	v, ok := c.module.Memory().ReadUint32Le(uint32(at))
	if !ok && c.err == nil {
		c.err = errors.New("an address outside of the module's memory")
	}
	return uint64(v)
}

// svg is gvc's way from a text to a picture: gvContextPlugins, agmemread, gvLayout,
// gvRenderData.
func (c *calls) svg(dot string) []byte {
	c.call("agseterr", 3) // AGMAX: problems come back as results, none is printed
	context := c.call("gvContextPlugins", c.plugins(), 1)
	graph := c.call("agmemread", c.text(dot))
	if c.err == nil && graph == 0 {
		c.err = fmt.Errorf("the graph cannot be read: %s", c.lastError())
	}
	if c.call("gvLayout", context, graph, c.text("dot")) != 0 && c.err == nil {
		c.err = fmt.Errorf("no layout: %s", c.lastError())
	}
	out := c.bytes(make([]byte, 8)) // the address of the text, and its length
	if c.call("gvRenderData", context, graph, c.text("svg"), out, out+4) != 0 && c.err == nil {
		c.err = fmt.Errorf("no picture: %s", c.lastError())
	}
	if c.err != nil {
		return nil
	}
	svg, ok := c.module.Memory().Read(uint32(c.word(out)), uint32(c.word(out+4)))
	if !ok {
		c.err = errors.New("the picture lies outside of the module's memory")
		return nil
	}
	return append([]byte(nil), svg...) // the memory is the module's
}

// plugins is the table of the module's own plugins, closed by an empty entry: the bridge
// hands out the address of each entry, a name and an address.
func (c *calls) plugins() uint64 {
	slot := c.bytes(make([]byte, 4))
	c.call("wasm_bridge_SymList_default", slot)
	list := c.word(slot)
	var table []byte
	for i := range c.word(list) {
		entry := c.word(c.word(list+4) + 8*i)
		table = binary.LittleEndian.AppendUint32(table, uint32(c.word(entry)))
		table = binary.LittleEndian.AppendUint32(table, uint32(c.word(entry+4)))
	}
	return c.bytes(append(table, make([]byte, 8)...))
}

// lastError is what Graphviz last complained of.
func (c *calls) lastError() string {
	at := c.call("aglasterr")
	if c.err != nil || at == 0 {
		return "no reason given"
	}
	var b strings.Builder
	for ; b.Len() < 500; at++ {
		ch, ok := c.module.Memory().ReadByte(uint32(at))
		if !ok || ch == 0 {
			break
		}
		b.WriteByte(ch)
	}
	return strings.TrimSpace(b.String())
}
