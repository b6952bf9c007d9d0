package solvertest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// CheckProof checks a refutation: a formula in DIMACS CNF and a proof as SAT solvers
// write it (DRAT, as text). Each clause of the proof must follow by reverse unit
// propagation: with all its literals false, propagation in the formula and the clauses
// proved before it ends in a conflict. The last one must be empty. Such a clause is
// implied by the formula, whatever solver wrote it down, so an accepted proof says that
// the formula has no solution. Resolution asymmetric tautologies, which DRAT also
// allows, are refused; none of the solvers here needs them.
func CheckProof(cnf, proof io.Reader) error {
	c := &checker{ids: make(map[uint64][]int32)}
	err := eachClause(cnf, func(ls []int32, _ bool) error { c.add(ls); return nil })
	if err != nil {
		return fmt.Errorf("the formula: %w", err)
	}
	lemmas := 0
	err = eachClause(proof, func(ls []int32, deleted bool) error {
		switch {
		case c.refuted:
			return nil
		case deleted:
			c.remove(ls)
			return nil
		}
		lemmas++
		if !c.follows(ls) {
			return fmt.Errorf("clause %d, %v, does not follow by unit propagation", lemmas, ls)
		}
		c.add(ls)
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("the proof: %w", err)
	case !c.refuted:
		return errors.New("the proof: it ends without the empty clause")
	}
	return nil
}

// eachClause reads clauses that end in 0, with a d before those to be deleted.
func eachClause(r io.Reader, take func(ls []int32, deleted bool) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<26)
	var ls []int32
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == 'c' || line[0] == 'p' {
			continue
		}
		rest, deleted := strings.CutPrefix(line, "d ")
		for word := range strings.FieldsSeq(rest) {
			n, err := strconv.ParseInt(word, 10, 32)
			if err != nil {
				return err
			}
			if n != 0 {
				ls = append(ls, int32(n))
				continue
			}
			if err := take(ls, deleted); err != nil {
				return err
			}
			ls = ls[:0]
		}
	}
	if len(ls) > 0 {
		return errors.New("the last clause does not end in 0")
	}
	return lines.Err()
}

// checker propagates with two watched literals a clause. What follows from units alone
// stays assigned; what a lemma assumes is undone.
type checker struct {
	clauses [][]int32 // the watched literals first; nil: deleted
	watch   [][]int32 // by literal: clauses that watch it
	value   []int8    // by literal: 1 true, -1 false, 0 open
	trail   []int32
	head    int // of what is left to propagate
	ids     map[uint64][]int32
	refuted bool
}

// at is the index of a literal.
func at(l int32) int {
	if l < 0 {
		return 2*int(-l) + 1
	}
	return 2 * int(l)
}

func (c *checker) grow(ls []int32) {
	for _, l := range ls {
		for at(l)|1 >= len(c.value) {
			c.value, c.watch = append(c.value, 0), append(c.watch, nil)
		}
	}
}

// key is the same for the same literals in any order.
func key(ls []int32) (k uint64) {
	for _, l := range ls {
		h := uint64(uint32(l)) * 0x9e3779b97f4a7c15 // Fibonacci hashing
		k += h ^ h>>29
	}
	return k
}

func tidied(ls []int32) []int32 {
	ls = slices.Clone(ls)
	slices.Sort(ls)
	return slices.Compact(ls)
}

// add takes a clause as true from now on.
func (c *checker) add(ls []int32) {
	c.grow(ls)
	ls = tidied(ls)
	id := int32(len(c.clauses))
	k := key(ls)
	c.ids[k] = append(c.ids[k], id)
	// What is not false comes first, to be watched.
	slices.SortStableFunc(ls, func(a, b int32) int { return int(c.value[at(b)]) - int(c.value[at(a)]) })
	c.clauses = append(c.clauses, ls)
	switch {
	case len(ls) == 0 || c.value[at(ls[0])] < 0:
		c.refuted = true
		return
	case len(ls) == 1 || c.value[at(ls[1])] < 0:
		if c.value[at(ls[0])] == 0 {
			c.assign(ls[0])
		}
	}
	if len(ls) > 1 {
		c.watch[at(ls[0])] = append(c.watch[at(ls[0])], id)
		c.watch[at(ls[1])] = append(c.watch[at(ls[1])], id)
	}
	if !c.propagate() {
		c.refuted = true
	}
}

// remove forgets a clause. What it has implied stays: it was true.
func (c *checker) remove(ls []int32) {
	ls = tidied(ls)
	k := key(ls)
	for i, id := range c.ids[k] {
		if slices.Equal(tidied(c.clauses[id]), ls) {
			c.clauses[id] = nil
			c.ids[k] = slices.Delete(c.ids[k], i, i+1)
			return
		}
	}
}

// follows says whether the clause follows by reverse unit propagation.
func (c *checker) follows(ls []int32) bool {
	c.grow(ls)
	before := len(c.trail)
	conflict := false
	for _, l := range ls {
		if c.value[at(l)] > 0 {
			conflict = true // it is true already
			break
		}
		if c.value[at(l)] == 0 {
			c.assign(-l)
		}
	}
	conflict = conflict || !c.propagate()
	for _, l := range c.trail[before:] {
		c.value[at(l)], c.value[at(-l)] = 0, 0
	}
	c.trail = c.trail[:before]
	c.head = before
	return conflict
}

func (c *checker) assign(l int32) {
	c.value[at(l)], c.value[at(-l)] = 1, -1
	c.trail = append(c.trail, l)
}

// propagate assigns what follows; false at a conflict.
func (c *checker) propagate() bool {
	for ; c.head < len(c.trail); c.head++ {
		no := -c.trail[c.head]
		watched := c.watch[at(no)]
		kept := watched[:0]
		for i, id := range watched {
			ls := c.clauses[id]
			if ls == nil {
				continue
			}
			if ls[0] == no {
				ls[0], ls[1] = ls[1], ls[0]
			}
			if c.value[at(ls[0])] > 0 || c.rewatch(ls, id) {
				if ls[1] == no {
					kept = append(kept, id)
				}
				continue
			}
			kept = append(kept, id)
			if c.value[at(ls[0])] < 0 {
				c.watch[at(no)] = append(kept, watched[i+1:]...)
				return false
			}
			c.assign(ls[0])
		}
		c.watch[at(no)] = kept
	}
	return true
}

// rewatch replaces the second watched literal, which is false, by one that is not.
func (c *checker) rewatch(ls []int32, id int32) bool {
	for k := 2; k < len(ls); k++ {
		if c.value[at(ls[k])] >= 0 {
			ls[1], ls[k] = ls[k], ls[1]
			c.watch[at(ls[1])] = append(c.watch[at(ls[1])], id)
			return true
		}
	}
	return false
}
