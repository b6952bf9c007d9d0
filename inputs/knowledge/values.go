package knowledge

import (
	"partita/inputs"
)

// Shape is how a stage splits its layers: tp·cp·dp = ep·etp GPUs.
type Shape struct{ TP, CP, DP, EP, ETP int }

// GPUs is the number of GPUs of a stage.
func (s Shape) GPUs() int { return s.TP * s.CP * s.DP }

// Values is what is known of a plan while it is being decided. A rule speaks up as soon
// as all that it mentions is known. Copying is cheap; the zero value belongs to no
// rules: Rules.Start makes one.
type Values struct {
	rules *Rules
	known Level
	at    [numVariables]value
}

func (v *Values) set(variable int, x value) {
	v.at[variable] = x
	v.known |= 1 << variable
}

// Forget makes the variables of some levels unknown again.
func (v *Values) Forget(l Level) { v.known &^= l }

// poolValues are the variables that a pool decides: pool to usd_per_hour.
type poolValues struct {
	at   [layers - pool]value
	node int
}

// ofPool is OfShape less the degrees.
const ofPool Level = 1<<layers - 1<<pool

func (r *Rules) poolValues(p *inputs.Pool) poolValues {
	a := &p.Accelerator
	out := poolValues{node: largestNode(p)}
	for variable, x := range map[int]value{
		pool:            r.text(p.Name),
		accelerator:     r.text(a.Name),
		vendor:          r.text(a.Vendor),
		generation:      r.text(a.Generation),
		memoryGiB:       realOf(float64(p.MemoryBytes) / (1 << 30)),
		memoryBandwidth: realOf(a.MemoryBandwidth / 1e9),
		gpusPerNode:     value(out.node),
		nativePrecision: truth(a.FLOPS[r.condition.Model.Weights] > 0),
		usdPerHour:      realOf(p.USDPerHour),
	} {
		out.at[variable-pool] = x
	}
	return out
}

// SetPool says which pool a stage is on.
func (v *Values) SetPool(k int) {
	copy(v.at[pool:layers], v.rules.pools[k].at[:])
	v.known |= ofPool
}

// largestNode is the GPUs of a pool on its largest node.
func largestNode(p *inputs.Pool) int {
	if len(p.Nodes) == 0 {
		return max(1, p.GPUsPerNode)
	}
	n := 0
	for i := range p.Nodes {
		n = max(n, len(p.Nodes[i].GPUs))
	}
	return n
}

// SetShape says how a stage splits its layers on a pool. A group inside a node lies on
// one, a larger one on whole nodes.
func (v *Values) SetShape(k int, s Shape) {
	v.SetPool(k)
	node := v.rules.pools[k].node
	v.setDegrees(s, s.GPUs(), (s.GPUs()+node-1)/node)
}

// SetNodes says how many nodes a stage spans that does not lie as SetShape has it.
func (v *Values) SetNodes(n int) { v.set(stageNodes, int64(n)) }

func (v *Values) setDegrees(s Shape, n, nodes int) {
	v.set(tp, int64(s.TP))
	v.set(cp, int64(s.CP))
	v.set(dp, int64(s.DP))
	v.set(ep, int64(s.EP))
	v.set(etp, int64(s.ETP))
	v.set(stageGPUs, int64(n))
	v.set(stageNodes, int64(nodes))
}

// SetLayers says how many layers of each kind a stage has, and whether it is the
// first or the last.
func (v *Values) SetLayers(counts []int, first, last bool) {
	n, moe := 0, 0
	for kind, c := range counts {
		n += c
		if v.rules.condition.Model.Kinds[kind].FFN.Experts > 0 {
			moe += c
		}
	}
	v.set(layers, int64(n))
	v.set(moeLayers, int64(moe))
	v.set(firstStage, truth(first))
	v.set(lastStage, truth(last))
}

// SetPlace says which layers a stage has, both ends included.
func (v *Values) SetPlace(first, last int) {
	v.set(firstLayer, int64(first))
	v.set(lastLayer, int64(last))
}

// SetReplicas says how many replicas there are.
func (v *Values) SetReplicas(r int) {
	v.set(replicas, int64(r))
	v.set(sequences, int64((v.rules.condition.Workload.Batch+r-1)/r))
}

// SetGPUs says how many GPUs each of the replicas has.
func (v *Values) SetGPUs(each, replicas int) {
	v.set(replicaGPUs, int64(each))
	v.set(gpus, int64(each*replicas))
}

// SetParts says into how many parts a replica's sequences are split; 0 where the phase
// has none of the kind.
func (v *Values) SetParts(micro, groups int) {
	v.set(microBatches, int64(micro))
	v.set(decodeGroups, int64(groups))
}

// SetStages says how many stages a replica has.
func (v *Values) SetStages(n int) { v.set(pp, int64(n)) }

// Trait is something that all stages may have in common.
type Trait int

// The traits, in the order of their variables same_….
const (
	TraitTP Trait = iota
	TraitEP
	TraitCP
	TraitDP
	TraitGPUs
	TraitPool
	TraitAccelerator
	TraitVendor
	Traits
)

// SetSame says whether all stages have a trait in common.
func (v *Values) SetSame(t Trait, same bool) { v.set(sameTP+int(t), truth(same)) }

// Of is the value of the trait for the stage that is known, in a form that can be
// compared.
func (t Trait) Of(v *Values) int64 {
	return v.at[[Traits]int{tp, ep, cp, dp, stageGPUs, pool, accelerator, vendor}[t]]
}

// Name is the trait as a person reads it: the variable that all stages share.
func (t Trait) Name() string {
	return [Traits]string{"TP", "EP", "CP", "attention DP", "GPUs of a stage", "pool", "accelerator", "vendor"}[t]
}

// Text is the value of the trait for the stage that is known, for people.
func (t Trait) Text(v *Values) string {
	return v.text([Traits]int{tp, ep, cp, dp, stageGPUs, pool, accelerator, vendor}[t])
}

// ofCondition sets what the condition says.
func (v *Values) ofCondition(c *inputs.Condition) {
	r := v.rules
	m, w := &c.Model, &c.Workload
	v.set(phase, r.text(string(w.Phase)))
	v.set(batch, int64(w.Batch))
	v.set(inputTokens, int64(w.Input.Max))
	v.set(outputTokens, 0)
	if w.Phase != inputs.Prefill {
		v.set(outputTokens, int64(w.Output.Max))
	}
	v.set(model, r.text(m.Name))
	v.set(totalLayers, int64(len(m.Layers)))
	v.set(hidden, int64(m.Hidden))
	v.set(vocab, int64(m.Vocab))
	v.set(precision, r.text(string(m.Weights)))
	v.set(activationPrecision, r.text(string(m.Activation)))
	v.set(kvPrecision, r.text(string(m.KV)))
	v.set(pools, int64(len(c.Cluster.Pools)))
	for _, variable := range []int{heads, kvHeads, headDim, ffn, experts, topK, expertWidth, sharedWidth} {
		v.set(variable, 0)
	}
	v.set(attention, r.text(string(inputs.GQA)))
	least := func(variable, n int) {
		if old := v.at[variable]; old == 0 || int64(n) < old {
			v.set(variable, int64(n))
		}
	}
	for i := range m.Kinds {
		a, f := &m.Kinds[i].Attention, &m.Kinds[i].FFN
		kv := a.KVHeads
		if a.Kind == inputs.MLA {
			kv = 1
			v.set(attention, r.text(string(inputs.MLA)))
		}
		least(heads, a.Heads)
		least(kvHeads, kv)
		least(headDim, a.HeadDim)
		if f.Experts == 0 {
			least(ffn, f.Intermediate)
			continue
		}
		least(experts, f.Experts)
		least(topK, f.TopK)
		least(expertWidth, f.Intermediate)
		if f.Shared > 0 {
			least(sharedWidth, f.Shared)
		}
	}
}
