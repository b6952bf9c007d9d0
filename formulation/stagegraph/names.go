package stagegraph

import (
	"fmt"
	"slices"
	"strings"

	"partita/formulation/cost"
	"partita/solver/path"
)

// PoolName is the name of a pool in lower-case letters, digits and underscores, unlike
// that of any other pool: for names that text formats of solvers take.
func (s *Space) PoolName(pool int) string {
	for k := len(s.plain); k < len(s.pools); k++ {
		name := plainName(s.Condition.Cluster.Pools[k].Name)
		for base, i := name, 2; slices.Contains(s.plain, name); i++ {
			name = fmt.Sprintf("%s_%d", base, i)
		}
		s.plain = append(s.plain, name)
	}
	return s.plain[pool]
}

func plainName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	if plain := strings.Trim(b.String(), "_"); plain != "" {
		return plain
	}
	return "pool"
}

// Name is a name of a stage candidate that tells what it is and that no other candidate
// of the graph has: stage_0_39_h100_tp4 runs layers 0 to 39 on a group of pool h100.
// next is the group of Problem.Send that it hands over to, -1 where there is none or
// it does not matter.
func (g *Graph) Name(st path.Stage, next int) string {
	pt := g.Part(st)
	name := fmt.Sprintf("stage_%d_%d_%s_%s", pt.First, pt.Last, g.space.PoolName(pt.Pool), plainShape(pt.Shape))
	if next < 0 || next >= len(g.senders) {
		return name
	}
	to := g.senders[next]
	name += "_then_" + g.space.PoolName(to.pool)
	if to.context > 1 {
		name += fmt.Sprintf("_cp%d", to.context)
	}
	if to.data > 1 {
		name += fmt.Sprintf("_dpa%d", to.data)
	}
	return name
}

// plainShape is a shape in a name: TP, and what else is split. The tensor degree of an
// expert follows.
func plainShape(sh cost.Shape) string {
	name := fmt.Sprintf("tp%d", sh.TP)
	for _, d := range []struct {
		name   string
		degree int
	}{{"cp", sh.CP}, {"dpa", sh.DPAttention}, {"ep", sh.EP}} {
		if d.degree > 1 {
			name += fmt.Sprintf("_%s%d", d.name, d.degree)
		}
	}
	return name
}

// Resources says what each resource of the problem counts.
func (g *Graph) Resources() []string {
	var out []string
	for k := range g.space.pools {
		pl, name := &g.space.pools[k], g.space.Condition.Cluster.Pools[k].Name
		if pl.chains {
			out = append(out, "GPUs of pool "+name)
			continue
		}
		for _, q := range pl.sizes {
			out = append(out, fmt.Sprintf("GPUs of pool %s in groups of %d", name, q))
		}
	}
	return out
}
