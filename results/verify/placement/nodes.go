package placement

import (
	"errors"
	"fmt"
	"strings"

	"partita/inputs/opgraph"
	"partita/results"
)

// cpu is the device of a node that is on a core.
const cpu = -1

// nodesOf reads a solution of a graph: the device of every node, an accelerator by its
// number or cpu-0 as -1, cpu-1 as -2 and so on. The error lists what every objective
// forbids: nodes without a device or with two, devices that are not there, memory, and
// nodes of one class apart; on cores apart where pooled is false.
func nodesOf(g *opgraph.Graph, s *results.PlacedSolution, pooled bool) ([]int, error) {
	var broken []error
	wrong := func(format string, args ...any) { broken = append(broken, fmt.Errorf(format, args...)) }
	byID := map[int]int{}
	for v, n := range g.Nodes {
		byID[n.ID] = v
	}
	device, placed := make([]int, len(g.Nodes)), make([]bool, len(g.Nodes))
	seen := map[int]bool{}
	for _, d := range s.Devices {
		number, onCPU, err := deviceNumber(g, d.Device)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		where := number
		if onCPU {
			where = cpu - number
		}
		if seen[where] {
			wrong("%s is listed twice", d.Device)
		}
		seen[where] = true
		bytes := int64(0)
		for _, id := range d.Nodes {
			v, there := byID[id]
			switch {
			case !there:
				wrong("%s: the graph has no node %d", d.Device, id)
				continue
			case placed[v]:
				wrong("node %d is on two devices", id)
			case !onCPU && !g.Nodes[v].OnAccelerator:
				wrong("%s: node %d runs on a core only", d.Device, id)
			}
			device[v], placed[v] = where, true
			bytes += g.Nodes[v].Bytes
		}
		if bytes != d.Bytes {
			wrong("%s: its nodes have %d bytes, the solution says %d", d.Device, bytes, d.Bytes)
		}
		if !onCPU && bytes > g.AcceleratorBytes {
			wrong("%s: %d bytes, an accelerator has %d", d.Device, bytes, g.AcceleratorBytes)
		}
	}
	first := map[int]int{} // of a class
	for v, n := range g.Nodes {
		if !placed[v] {
			wrong("node %d is on no device", n.ID)
			continue
		}
		if n.Colour == opgraph.NoColour {
			continue
		}
		u, there := first[n.Colour]
		if !there {
			first[n.Colour] = v
			continue
		}
		if together := device[u] == device[v] || pooled && device[u] < 0 && device[v] < 0; !together {
			wrong("nodes %d and %d of class %d are on two devices", g.Nodes[u].ID, n.ID, n.Colour)
		}
	}
	return device, errors.Join(broken...)
}

// deviceNumber reads accelerator-3 or cpu-0.
func deviceNumber(g *opgraph.Graph, name string) (number int, onCPU bool, err error) {
	kind, text, _ := strings.Cut(name, "-")
	count := map[string]int{"accelerator": g.Accelerators, "cpu": g.CPUs}[kind]
	for number = range count {
		if text == fmt.Sprint(number) {
			return number, kind == "cpu", nil
		}
	}
	return 0, false, fmt.Errorf("device %q: the instance has accelerators 0 to %d and cores 0 to %d", name, g.Accelerators-1, g.CPUs-1)
}
