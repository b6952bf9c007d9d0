package scatter

// state is an assignment that is changed cluster by cluster. A pin counter for every
// net and device makes a move cost the degree of the cluster, not the graph.
type state struct {
	p      *problem
	device []int32
	load   []int64
	bytes  []int64
	count  []int32 // sinks of a net on a device: net·devices + device
	away   []int32 // devices other than the source's with sinks of a net

	// touched holds the loads before a change, for those who weigh or undo it.
	touched []oldLoad
	mark    []int32
	epoch   int32
}

type oldLoad struct {
	device int32
	load   int64
}

// newState is the state of an assignment of clusters to devices.
func newState(p *problem, device []int32) *state {
	s := &state{
		p: p, device: append([]int32(nil), device...),
		load: make([]int64, p.devices()), bytes: make([]int64, p.devices()),
		count: make([]int32, len(p.nets)*p.devices()), away: make([]int32, len(p.nets)),
		mark: make([]int32, p.devices()), epoch: 1,
	}
	s.recount()
	return s
}

// reset takes another assignment.
func (s *state) reset(device []int32) {
	copy(s.device, device)
	s.recount()
}

func (s *state) recount() {
	clear(s.load)
	clear(s.bytes)
	clear(s.count)
	clear(s.away)
	p := s.p
	for c, d := range s.device {
		s.load[d] += p.time(c, int(d))
		s.bytes[d] += p.clusters[c].bytes
	}
	for i := range p.nets {
		n := &p.nets[i]
		from := s.device[n.source]
		at := i * p.devices()
		for _, v := range n.sinks {
			d := s.device[v]
			if s.count[at+int(d)]++; s.count[at+int(d)] == 1 && d != from {
				s.away[i]++
				s.pay(d, n.cost)
			}
		}
		if s.away[i] > 0 {
			s.pay(from, n.cost)
		}
	}
	s.begin()
}

// begin forgets what was touched.
func (s *state) begin() {
	s.touched = s.touched[:0]
	s.epoch++
}

func (s *state) touch(d int32) {
	if s.mark[d] != s.epoch {
		s.mark[d] = s.epoch
		s.touched = append(s.touched, oldLoad{d, s.load[d]})
	}
}

// pay charges communication to a device; a core pays none.
func (s *state) pay(d int32, cost int64) {
	if !s.p.isCore(int(d)) {
		s.touch(d)
		s.load[d] += cost
	}
}

// fits reports whether a cluster may be moved to a device.
func (s *state) fits(c, to int) bool {
	if !s.p.allowed(c, to) {
		return false
	}
	return s.p.isCore(to) || s.bytes[to]+s.p.clusters[c].bytes <= s.p.g.AcceleratorBytes
}

// move takes a cluster to another device.
func (s *state) move(c int, to int32) {
	p := s.p
	from := s.device[c]
	s.touch(from)
	s.touch(to)
	s.load[from] -= p.time(c, int(from))
	s.load[to] += p.time(c, int(to))
	s.bytes[from] -= p.clusters[c].bytes
	s.bytes[to] += p.clusters[c].bytes
	s.device[c] = to
	for _, i := range p.asSink[c] {
		n := &p.nets[i]
		count := s.count[int(i)*p.devices() : (int(i)+1)*p.devices()]
		source := s.device[n.source]
		before := s.away[i] > 0
		if count[from]--; count[from] == 0 && from != source {
			s.away[i]--
			s.pay(from, -n.cost)
		}
		if count[to]++; count[to] == 1 && to != source {
			s.away[i]++
			s.pay(to, n.cost)
		}
		if after := s.away[i] > 0; before != after {
			if after {
				s.pay(source, n.cost)
			} else {
				s.pay(source, -n.cost)
			}
		}
	}
	for _, i := range p.asSource[c] {
		n := &p.nets[i]
		count := s.count[int(i)*p.devices() : (int(i)+1)*p.devices()]
		if s.away[i] > 0 {
			s.pay(from, -n.cost)
		}
		if count[to] > 0 {
			s.away[i]--
			s.pay(to, -n.cost)
		}
		if count[from] > 0 {
			s.away[i]++
			s.pay(from, n.cost)
		}
		if s.away[i] > 0 {
			s.pay(to, n.cost)
		}
	}
}

// value is the largest load.
func (s *state) value() int64 {
	worst := int64(0)
	for _, l := range s.load {
		worst = max(worst, l)
	}
	return worst
}
