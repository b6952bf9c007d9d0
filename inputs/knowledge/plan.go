package knowledge

import (
	"fmt"

	"partita/inputs"
)

// Plan is what rules see of a finished plan: its stages, counted and not taken from what
// the plan says of itself.
type Plan struct {
	MicroBatches, DecodeGroups int
	Stages                     []Stage // of all replicas, in any order
	// Alike is how many replicas the stages stand for, where they are those of one of
	// several that are alike; 0: all stages are listed.
	Alike int
}

// Stage is one stage of one replica.
type Stage struct {
	Replica, Index int
	Pool           int // of the cluster, from 0
	Shape          Shape
	GPUs, Nodes    int // that it has, counted
	// First and Last are its layers, both ends included, from 0.
	First, Last int
}

// Violation is a rule that a plan breaks.
type Violation struct {
	Rule inputs.Rule
	// Where is the first stage that breaks it: "replica 0 stage 1".
	Where string
	// Values are those that the rule sees there: "tp = 8, gpus_per_node = 4".
	Values string
	Stages int // that break it
}

// String is the violation as a sentence.
func (v Violation) String() string {
	s := fmt.Sprintf("%s breaks %s: %s", v.Where, v.Rule.Name, v.Values)
	if v.Rule.Because != "" {
		s += " (" + v.Rule.Because + ")"
	}
	return s
}

// Check holds a finished plan against all rules. It returns one violation for each rule
// that is broken, in the order of the rules. The error is that of a rule that has no
// value, or of a plan that rules cannot be held against.
func (r *Rules) Check(p Plan) ([]Violation, error) {
	return r.check(p, func(Level) bool { return true })
}

// CheckOpen is Check by the rules that mention nothing of a level: one that is not decided.
func (r *Rules) CheckOpen(p Plan, open Level) ([]Violation, error) {
	return r.check(p, func(uses Level) bool { return uses&open == 0 })
}

// CheckOf is Check by the rules that mention something of a level.
func (r *Rules) CheckOf(p Plan, l Level) ([]Violation, error) {
	return r.check(p, func(uses Level) bool { return uses&l != 0 })
}

func (r *Rules) check(p Plan, speaks func(Level) bool) ([]Violation, error) {
	if r.Empty() {
		return nil, nil
	}
	broken := make([]*Violation, len(r.list))
	err := r.each(p, func(s *Stage, v *Values) {
		for i := range r.list {
			if !speaks(r.list[i].uses) || r.holds(i, v) {
				continue
			}
			if broken[i] == nil {
				broken[i] = &Violation{Rule: r.list[i].Rule, Where: fmt.Sprintf("replica %d stage %d", s.Replica, s.Index), Values: r.described(i, v)}
			}
			broken[i].Stages++
		}
	})
	if err == nil {
		err = r.err
	}
	if err != nil {
		return nil, err
	}
	var out []Violation
	for _, v := range broken {
		if v != nil {
			out = append(out, *v)
		}
	}
	return out, nil
}

// each calls f with every stage of a plan and all values.
func (r *Rules) each(p Plan, f func(*Stage, *Values)) error {
	stages := map[int]int{} // of each replica
	total := map[int]int{}  // GPUs of each replica
	all := 0
	var common [Traits]int64
	same := [Traits]bool{}
	for t := range same {
		same[t] = true
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.Pool < 0 || s.Pool >= len(r.condition.Cluster.Pools) {
			return fmt.Errorf("replica %d stage %d is on pool %d of %d: no rule can be held against it", s.Replica, s.Index, s.Pool, len(r.condition.Cluster.Pools))
		}
		if n := len(r.condition.Model.Layers); s.First < 0 || s.Last < s.First || s.Last >= n {
			return fmt.Errorf("replica %d stage %d has layers %d to %d of %d: no rule can be held against it", s.Replica, s.Index, s.First, s.Last, n)
		}
		stages[s.Replica]++
		total[s.Replica] += s.GPUs
		all += s.GPUs
		v := r.start
		r.ofStage(&v, s)
		for t := range Traits {
			x := t.Of(&v)
			same[t] = same[t] && (i == 0 || x == common[t])
			common[t] = x
		}
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		v := r.start
		r.ofStage(&v, s)
		v.SetReplicas(max(len(stages), p.Alike))
		v.set(gpus, int64(all*max(1, p.Alike)))
		v.set(replicaGPUs, int64(total[s.Replica]))
		v.SetParts(p.MicroBatches, p.DecodeGroups)
		v.SetStages(stages[s.Replica])
		for t := range Traits {
			v.SetSame(t, same[t])
		}
		f(s, &v)
	}
	return nil
}

// ofStage sets what a stage alone says.
func (r *Rules) ofStage(v *Values, s *Stage) {
	v.SetPool(s.Pool)
	v.setDegrees(s.Shape, s.GPUs, s.Nodes)
	m := &r.condition.Model
	counts := make([]int, len(m.Kinds))
	for _, kind := range m.Layers[s.First : s.Last+1] {
		counts[kind]++
	}
	v.SetLayers(counts, s.First == 0, s.Last == len(m.Layers)-1)
	v.SetPlace(s.First, s.Last)
}
