package training

// grow numbers the nodes rank by rank and lists the arcs between them.
func (b *builder) grow() {
	x, v, L := b.x, b.s.Virtual, b.x.layers()
	if b.pp*v*b.unit > L {
		return
	}
	b.stride = make([]int32, len(b.s.Ranks))
	stride := int32(1)
	for k, n := range b.s.Ranks {
		b.stride[k] = stride
		stride *= int32(n + 1)
	}
	for k, n := range b.s.Ranks {
		if n > 0 && b.x.onPool(0, k) {
			home := int8(-1)
			if v > 1 {
				home = int8(k)
			}
			b.start = append(b.start, b.node(nodeKey{pool: int8(k), home: home}))
		}
	}
	for i, from := 0, 0; i < b.pp; i++ {
		to := len(b.keys)
		for id := from; id < to; id++ {
			b.leave(int32(id), i, L-v*b.unit*(b.pp-i-1))
		}
		from = to
	}
	b.nodes = len(b.keys)
	end := nodeKey{used: stride - 1, pool: -1, home: -1, covers: int16(b.prefix), layers: int16(x.layers())}
	if id, ok := b.ids[end]; ok {
		b.end = id
	}
}

// node is the number of a node, new ones at the end.
func (b *builder) node(key nodeKey) int32 {
	if id, ok := b.ids[key]; ok {
		return id
	}
	id := int32(len(b.keys))
	b.ids[key] = id
	b.keys = append(b.keys, key)
	return id
}

// leave adds the arcs of rank i that start at a node and end at a boundary up to most.
func (b *builder) leave(id int32, i, most int) {
	key := b.keys[id]
	pool, at, v := int(key.pool), int(key.layers), b.s.Virtual
	from := at
	if v > 1 {
		from = int(key.covers)
	}
	position := int(key.used/b.stride[pool]) % (b.s.Ranks[pool] + 1)
	used := key.used + b.stride[pool]
	least := max(v*b.unit, b.reach[i+1]-at, b.x.layers()-b.after(used)-at)
	for n := (least + b.unit - 1) / b.unit * b.unit; at+n <= most; n += b.unit {
		if i == b.pp-1 && at+n < b.x.layers() || !b.x.holds(&b.s, i, n) {
			continue
		}
		r := b.rank(pool, position, i, from, n)
		if r.full {
			break
		}
		if !r.ok {
			continue
		}
		next := nodeKey{used: used, pool: -1, home: key.home, layers: int16(at + n)}
		if v > 1 {
			next.covers = int16(min(b.prefix, int(key.covers)+n/b.unit/v*b.unit))
		}
		b.arrive(id, next, r, n, i, pool, position)
	}
}

// arrive adds the arc of a rank to the nodes after it, one a pool that may come next.
func (b *builder) arrive(id int32, next nodeKey, r *rank, layers, i, pool, position int) {
	count := float64(sendsOf(i, b.pp, b.s.Virtual))
	add := func(to nodeKey, send float64) {
		if time := r.time + b.x.ticks(count*send, b.tick); time <= b.limit {
			b.arcs = append(b.arcs, arc{from: id, to: b.node(to), time: time, once: r.once, layers: int16(layers), pool: int8(pool), recompute: r.recompute})
		}
	}
	if i == b.pp-1 {
		if int(next.covers) < b.prefix {
			return
		}
		send := 0.0
		if count > 0 {
			send = b.t.send[pool][next.home]
			if int(next.home) == pool && together(b.berths[pool], 0, position) {
				send = b.t.near[pool]
			}
		}
		next.home = -1
		add(next, send)
		return
	}
	for k, n := range b.s.Ranks {
		if int(next.used/b.stride[k])%(n+1) == n || !b.x.onPool(i+1, k) {
			continue
		}
		send := b.t.send[pool][k]
		if k == pool && together(b.berths[pool], position, position+1) {
			send = b.t.near[pool]
		}
		to := next
		to.pool = int8(k)
		add(to, send)
	}
}
