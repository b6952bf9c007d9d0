package read

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"partita/inputs"
)

// smiColumns are the columns of nvidia-smi that are read, and those that are known
// and have no use.
var smiColumns = map[string]bool{
	"index": true, "name": true, "gpu_name": true, "memory.total": true, "memory.free": true,
	"uuid": false, "gpu_uuid": false, "memory.used": false, "pci.bus_id": false, "driver_version": false, "utilization.gpu": false, "serial": false, "timestamp": false,
}

// readNvidiaSMI reads the output of
//
//	nvidia-smi --query-gpu=name,memory.total,memory.free --format=csv
//
// of one machine. GPUs of one name form a pool; where their free memory differs by
// more than a hundredth the pool is split.
func readNvidiaSMI(d *draft, lib library, file string, data []byte) {
	if smiForPeople.Match(bytes.TrimSpace(data)) {
		d.problem(inputs.Place{File: file, Line: 1}, "this is what nvidia-smi prints for people", "the output of nvidia-smi --query-gpu=name,memory.total,memory.free --format=csv", "")
		return
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	r.TrimLeadingSpace = true
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	columns := []string{"name", "memory.total", "memory.free"}
	host := fmt.Sprintf("node-%d", d.hosts)
	d.hosts++
	var gpus []smiGPU
	before := len(d.problems)
	for first := true; ; first = false {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			at := inputs.Place{File: file, Line: 1}
			var syntax *csv.ParseError
			if errors.As(err, &syntax) {
				at.Line, at.Col = syntax.Line, syntax.Column
			}
			d.problem(at, "not valid CSV: "+err.Error(), "the output of nvidia-smi --query-gpu=name,memory.total,memory.free --format=csv", "")
			return
		}
		line, _ := r.FieldPos(0)
		if first {
			if header, ok := d.smiHeader(file, line, row, r); ok {
				columns = header
				continue
			}
		}
		if g, ok := d.smiRow(file, line, row, columns, r); ok {
			if g.index == "" {
				g.index = fmt.Sprint(len(gpus))
			}
			g.statement = d.say(g.at, strings.Join(row, ", "))
			d.used(g.statement, fmt.Sprintf("cluster: GPU %s/gpu-%s", host, g.index))
			gpus = append(gpus, g)
		}
	}
	if len(d.problems) > before {
		return
	}
	if len(gpus) == 0 {
		d.problem(inputs.Place{File: file, Line: 1}, "no GPU is listed", "lines such as NVIDIA A100-SXM4-80GB, 81920 MiB, 81000 MiB", "")
		return
	}
	d.smiPools(lib, file, host, gpus)
}

// smiGPU is one line of nvidia-smi.
type smiGPU struct {
	name, index string
	total, free int64
	statement   int
	at          inputs.Place
}

// smiHeader reads the header; a first line that names no column is a GPU already.
func (d *draft) smiHeader(file string, line int, row []string, r *csv.Reader) ([]string, bool) {
	var names []string
	hits := 0
	for _, cell := range row {
		name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(cell)), " ")
		if _, ok := smiColumns[name]; ok {
			hits++
		}
		names = append(names, name)
	}
	if hits == 0 {
		return nil, false
	}
	statement := d.say(inputs.Place{File: file, Line: line, Col: 1}, strings.Join(row, ", "))
	var unused []string
	for i, name := range names {
		read, known := smiColumns[name]
		_, col := r.FieldPos(i)
		switch {
		case !known:
			d.problem(inputs.Place{File: file, Line: line, Col: col}, fmt.Sprintf("unknown column %q", row[i]), "name, memory.total, memory.free", "")
		case !read:
			unused = append(unused, name)
		}
	}
	for _, need := range []string{"name", "memory.total"} {
		if !contains(names, need) && !(need == "name" && contains(names, "gpu_name")) {
			d.problem(inputs.Place{File: file, Line: line, Col: 1}, "column "+need+" is missing", "--query-gpu=name,memory.total,memory.free", "")
		}
	}
	use := "names of the columns"
	if len(unused) > 0 {
		use += "; not used: " + strings.Join(unused, ", ")
	}
	d.used(statement, use)
	return names, true
}

// smiRow reads one GPU.
func (d *draft) smiRow(file string, line int, row, columns []string, r *csv.Reader) (smiGPU, bool) {
	g := smiGPU{at: inputs.Place{File: file, Line: line, Col: 1}}
	if len(row) != len(columns) {
		d.problem(g.at, fmt.Sprintf("%d values in %q", len(row), strings.Join(row, ", ")), fmt.Sprintf("%d: %s", len(columns), strings.Join(columns, ", ")), "")
		return g, false
	}
	before := len(d.problems)
	hasFree := false
	for i, column := range columns {
		_, col := r.FieldPos(i)
		at, text := inputs.Place{File: file, Line: line, Col: col}, strings.TrimSpace(row[i])
		switch column {
		case "name", "gpu_name":
			if g.name = text; text == "" {
				d.problem(at, "the GPU has no name", "such as NVIDIA A100-SXM4-80GB", "")
			}
		case "index":
			n, err := inputs.ParseCount(text)
			if err != nil || n < 0 {
				d.problem(at, fmt.Sprintf("index %q", text), "a whole number", "")
			}
			g.index = fmt.Sprint(n)
		case "memory.total":
			g.total = d.smiMemory(at, text)
		case "memory.free":
			g.free, hasFree = d.smiMemory(at, text), true
		}
	}
	if !hasFree {
		g.free = g.total
	}
	if len(d.problems) == before && g.free > g.total {
		d.problem(g.at, fmt.Sprintf("%s free of %s", inputs.FormatBytes(g.free), inputs.FormatBytes(g.total)), "at most the total", "")
	}
	return g, len(d.problems) == before
}

// smiMemory reads a size; without a unit (nounits) it is in MiB.
func (d *draft) smiMemory(at inputs.Place, text string) int64 {
	if _, err := inputs.ParseReal(text); err == nil {
		text += " MiB"
	}
	n, err := inputs.ParseBytes(text)
	if err != nil {
		d.problem(at, fmt.Sprintf("memory %q is not understood", text), "a size such as 81920 MiB", "")
		return 0
	}
	if want := checkSize(n); want != "" {
		d.problem(at, fmt.Sprintf("memory %q is out of bounds", text), want, "a GPU without free memory cannot take part: leave its line out")
	}
	return n
}

// smiPools records the GPUs of a machine, one pool a name.
func (d *draft) smiPools(lib library, file, host string, gpus []smiGPU) {
	byName := map[string][]smiGPU{}
	var names []string
	indexes := map[string]bool{}
	for _, g := range gpus {
		if indexes[g.index] {
			d.problem(g.at, fmt.Sprintf("index %s appears twice", g.index), "one number for each GPU", "")
			return
		}
		indexes[g.index] = true
		if byName[g.name] == nil {
			names = append(names, g.name)
		}
		byName[g.name] = append(byName[g.name], g)
	}
	if !d.listPools(len(names), file, true, gpus[0].at) {
		return
	}
	for i, name := range names {
		list := byName[name]
		prefix := poolPath(d.pools-len(names)+i, "")
		first := list[0]
		share := hostShare{Host: host}
		var free []int64
		for _, g := range list {
			share.GPUs = append(share.GPUs, g.index)
			free = append(free, g.free)
			d.used(g.statement, "cluster: free memory "+inputs.FormatBytes(g.free))
		}
		d.set(first.statement, prefix+"accelerator", name, first.at, fromFile)
		d.set(first.statement, prefix+"count", inputs.Count{Min: len(list), Max: len(list)}, first.at, fromFile)
		d.facts[prefix+"hosts"] = fact{[]hostShare{share}, first.statement, fromFile}
		d.facts[prefix+"free_memory"] = fact{free, first.statement, fromFile}
		// The driver's total is the truth where the catalogue knows another size.
		if a, ok := lib.Accelerator(name); !ok || math.Abs(float64(first.total)/float64(a.MemoryBytes)-1) > 0.1 {
			d.set(first.statement, prefix+"memory", first.total, first.at, fromFile)
		}
	}
}
