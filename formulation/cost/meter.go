package cost

import (
	"slices"

	"partita/inputs"
)

// Meter is a part of a device whose use is read off the model of a stage.
type Meter int

// The parts. A reading is in seconds, so that it divides by the time of the step.
const (
	// ComputeMeter counts FLOP, each at the peak of the format that it runs in.
	ComputeMeter Meter = iota
	// MemoryMeter counts the bytes that move to and from memory, at its peak bandwidth.
	MemoryMeter
	// NetworkMeter counts the time that a GPU's links are taken: collectives inside
	// the stage and the send to the next one, with their latencies.
	NetworkMeter
)

// Metered is the calculator whose times are readings of a meter: the same operators on
// the same shapes, with everything but the part that is read for nothing. So a
// reading cannot differ from what the times are made of, and never exceeds them.
func (c *Calculator) Metered(m Meter) *Calculator {
	out := *c
	out.devices = slices.Clone(c.devices)
	for i := range out.devices {
		d := &out.devices[i]
		for _, r := range []*roofline{&d.matmul, &d.dense, &d.projections, &d.experts, &d.wide, &d.prefill, &d.decode, &d.stream} {
			*r = r.metered(m)
		}
		d.train = d.train.metered(m)
		d.host = inputs.HostConstants{}
		if m != NetworkMeter {
			d.node, d.network = &wire{}, &wire{}
		}
	}
	out.sends = hostLinks(out.devices)
	return &out
}

// metered keeps of an operator what the meter reads, at the peak of the device.
func (r *roofline) metered(m Meter) roofline {
	switch m {
	case ComputeMeter:
		return roofline{secondsPerFLOP: r.secondsPerFLOP * r.compute, compute: 1}
	case MemoryMeter:
		return roofline{secondsPerByte: r.secondsPerByte * r.bandwidth, bandwidth: 1}
	}
	return roofline{}
}
