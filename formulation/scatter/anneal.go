package scatter

import (
	"context"
	"math"
)

// energy of a load: its sixteenth power beside the scale, so that what counts is the
// largest loads, yet every load that falls is worth something.
func energy(load int64, scale float64) float64 {
	x := float64(load) / scale
	x *= x
	x *= x
	x *= x
	return x * x
}

// anneal walks from the current assignment by moves of groups, from a temperature down
// to a hundredth of it, for an effort; good assignments on the way are kept.
func (l *local) anneal(ctx context.Context, hot float64, effort int64) {
	if l.p.devices() < 2 || len(l.order) == 0 {
		return
	}
	until := l.spent + effort
	start := l.spent
	scale := float64(l.value)
	heat := hot
	for i := 0; ; i++ {
		if i%128 == 0 {
			if l.done(ctx, until) {
				return
			}
			heat = hot * math.Pow(0.01, float64(l.spent-start)/float64(effort))
		}
		if !l.pick() {
			l.spent++
			continue
		}
		l.spent += moveEffort * int64(len(l.group))
		to := l.destination()
		if !l.shift(to) {
			continue
		}
		delta := 0.0
		worst := int64(0)
		for _, t := range l.st.touched {
			now := l.st.load[t.device]
			worst = max(worst, now)
			delta += energy(now, scale) - energy(t.load, scale)
		}
		if delta > 0 && l.rng.Float64() >= math.Exp(-delta/heat) {
			l.undo()
			continue
		}
		l.st.begin()
		if worst < l.value && delta < 0 && l.keep() {
			scale = float64(l.value)
		}
	}
}

// pick fills the group: a cluster and, often, some of what its nets lead to on the same
// device.
func (l *local) pick() bool {
	first := int32(l.rng.IntN(len(l.order)))
	l.group = append(l.group[:0], first)
	l.stamp++
	l.inSet[first] = l.stamp
	size := 1
	for size < 64 && l.rng.IntN(3) > 0 {
		size += 1 + size/2
	}
	device := l.st.device[first]
	for at := 0; at < len(l.group) && len(l.group) < size; at++ {
		c := l.group[at]
		for _, nets := range [2][]int32{l.p.asSink[c], l.p.asSource[c]} {
			for _, i := range nets {
				l.join(l.p.nets[i].source, device, size)
				for _, s := range l.p.nets[i].sinks {
					l.join(s, device, size)
				}
			}
		}
	}
	return true
}

func (l *local) join(c, device int32, size int) {
	if l.inSet[c] != l.stamp && l.st.device[c] == device && len(l.group) < size {
		l.inSet[c] = l.stamp
		l.group = append(l.group, c)
	}
}

// destination is the device of a neighbour of the group, or any.
func (l *local) destination() int32 {
	c := l.group[l.rng.IntN(len(l.group))]
	sinks, sources := l.p.asSink[c], l.p.asSource[c]
	if n := len(sinks) + len(sources); n > 0 && l.rng.IntN(2) == 0 {
		i := l.rng.IntN(n)
		if i < len(sinks) {
			return l.st.device[l.p.nets[sinks[i]].source]
		}
		out := l.p.nets[sources[i-len(sinks)]].sinks
		return l.st.device[out[l.rng.IntN(len(out))]]
	}
	return int32(l.rng.IntN(l.p.devices()))
}

// shift moves the group to a device where it fits; the state's touched loads tell what
// changed.
func (l *local) shift(to int32) bool {
	if l.st.device[l.group[0]] == to {
		return false
	}
	l.from = l.from[:0]
	for i, c := range l.group {
		if !l.st.fits(int(c), int(to)) {
			l.group = l.group[:i]
			l.undo()
			return false
		}
		l.from = append(l.from, l.st.device[c])
		l.st.move(int(c), to)
	}
	return true
}

func (l *local) undo() {
	for i, c := range l.group {
		l.st.move(int(c), l.from[i])
	}
	l.st.begin()
}
