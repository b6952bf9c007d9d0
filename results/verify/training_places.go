package verify

import (
	"fmt"

	"partita/formulation/cost"
	"partita/results"
)

// checkSplit: every stage has the degrees of the strategy, tp·cp GPUs, and its experts lie
// over the GPUs of its rank in all replicas.
func (a *trainAudit) checkSplit() {
	st := &a.phase.Strategy
	t := tally{rule: ruleTrainShape, want: "tp·cp GPUs a stage, alike on all; ep·etp a divisor of replicas·tp·cp"}
	read := func(name string, p results.PerStage) int {
		d, ok := p.Uniform()
		if !ok || d < 1 {
			t.fail(0, "%s %v is not one degree", name, []int(p))
			return 1
		}
		return d
	}
	a.shape = cost.TrainShape{DP: len(a.replicas), TP: read("tp", st.TP), CP: read("cp", st.CP), EP: read("ep", st.EP), ETP: read("etp", st.ETP)}
	if st.ZeRO == nil || st.SequenceParallel == nil {
		t.fail(0, "ZeRO or sequence parallelism is not said")
	} else {
		a.shape.ZeRO, a.shape.SP = *st.ZeRO, *st.SequenceParallel
	}
	for i := range a.phase.Stages {
		s := &a.phase.Stages[i]
		if s.TP != a.shape.TP || s.CP != a.shape.CP || s.EP != a.shape.EP || s.ETP != a.shape.ETP {
			t.fail(0, "%s: tp %d, cp %d, ep %d, etp %d; the strategy has %d, %d, %d, %d", where(s), s.TP, s.CP, s.EP, s.ETP, a.shape.TP, a.shape.CP, a.shape.EP, a.shape.ETP)
		}
		if n := len(s.GPUs); s.TP > n || s.CP > n || s.TP*s.CP != n {
			t.fail(0, "%s: tp %d · cp %d on %d GPUs", where(s), s.TP, s.CP, n)
		}
	}
	// Each degree is bounded by the GPUs there are, so products cannot overflow.
	if n := len(a.replicas) * len(a.phase.Stages[0].GPUs); a.shape.EP > n || a.shape.ETP > n || n%(a.shape.EP*a.shape.ETP) != 0 {
		t.fail(0, "ep %d · etp %d on the %d GPUs of a rank", a.shape.EP, a.shape.ETP, n)
	}
	t.report(a.list, fmt.Sprintf("tp %d · cp %d, ep %d · etp %d", a.shape.TP, a.shape.CP, a.shape.EP, a.shape.ETP))
}

// checkModel: heads, widths and experts divide.
func (a *trainAudit) checkModel() {
	t := tally{rule: ruleDegrees, want: "heads, widths and experts split evenly"}
	if ok, why := cost.ValidTrainShape(&a.cond.Model, a.shape); !ok {
		t.fail(0, "%s", why)
	}
	t.report(a.list, "they do")
}

// checkHomes: the expert ranks of every stage with MoE layers hold E/ep experts each, and
// together all of them, once or more for each group of ep·etp GPUs.
func (a *trainAudit) checkHomes() {
	t := tally{rule: ruleExperts, want: "each routed expert of each layer on one expert rank of every ep·etp GPUs"}
	homes, layers := 0, 0
	for _, s := range a.replicas[0] {
		for kind, n := range a.kinds(s) {
			experts := a.cond.Model.Kinds[kind].FFN.Experts
			if n == 0 || experts == 0 {
				continue
			}
			if each := experts / max(a.shape.EP, 1); each*a.shape.EP != experts {
				t.fail(0, "%s: %d experts over %d ranks", where(s), experts, a.shape.EP)
			} else {
				homes += n * each * a.shape.EP
			}
			layers += n
		}
	}
	got := "the model has no routed experts"
	if layers > 0 {
		got = fmt.Sprintf("%d homes over %d MoE layers, %d times", homes, layers, a.shape.GPUs()/(a.shape.EP*a.shape.ETP))
	}
	t.report(a.list, got)
}

// checkOnce counts different ids and shards: a GPU serves one rank of one replica.
func (a *trainAudit) checkOnce() {
	t := tally{rule: ruleUnique, want: "each GPU on one rank of one replica"}
	seen := map[string]*results.Stage{}
	for _, stages := range a.replicas {
		for _, s := range stages[:a.pp] { // the other chunks are on the GPUs of these
			a.take(s, seen, &t)
		}
	}
	a.used = len(seen)
	t.report(a.list, fmt.Sprintf("%d different GPUs", a.used))
}

// checkPlaces: tensor groups lie inside a node, and the GPUs of a rank, replica after
// replica, and of a pool, rank after rank, follow one another host by host: neighbours talk
// most. It records which ranks lie on one host.
func (a *trainAudit) checkPlaces() {
	t := tally{rule: ruleTrainPlace, want: "a tensor group on one host; the groups of a rank, then ranks, host by host"}
	left := map[string]bool{} // hosts that later groups may not come back to
	last := map[int]string{}  // of each pool
	a.rankPool, a.rankHost, a.rankNodes = make([]int, a.pp), make([]string, a.pp), make([]int, a.pp)
	for i := range a.pp {
		a.rankPool[i] = a.pools[a.replicas[0][i].Pool]
		hosts := map[string]bool{}
		for _, stages := range a.replicas {
			s := stages[i]
			for g, id := range s.GPUs {
				d, err := a.find(id, a.rankPool[i])
				if err != nil {
					continue // a rule of its own
				}
				hosts[d.host] = true
				if g%a.shape.TP != 0 {
					if d.host != last[d.pool] {
						t.fail(0, "%s: a group of %d tensor ranks is on %s and %s", where(s), a.shape.TP, last[d.pool], d.host)
					}
				} else if before := last[d.pool]; before != "" && before != d.host {
					left[fmt.Sprint(d.pool, before)] = true
				}
				if left[fmt.Sprint(d.pool, d.host)] {
					t.fail(0, "%s comes back to %s", where(s), d.host)
				}
				last[d.pool] = d.host
			}
		}
		if a.rankNodes[i] = len(hosts); len(hosts) == 1 {
			for h := range hosts {
				a.rankHost[i] = h
			}
		}
	}
	t.report(a.list, fmt.Sprintf("%d groups of %d do", a.used/max(a.shape.TP, 1), a.shape.TP))
}

// together reports whether all GPUs of two ranks are on one host.
func (a *trainAudit) together(i, j int) bool {
	return a.rankPool[i] == a.rankPool[j] && a.rankHost[i] != "" && a.rankHost[i] == a.rankHost[j]
}
