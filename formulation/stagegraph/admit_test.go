package stagegraph

import (
	"testing"

	"partita/formulation/cost"
	"partita/inputs"
)

// TestAdmittedShapes: a shape that the search leaves out is priced, placed and packed
// like the others; those it offers are priced as before.
func TestAdmittedShapes(t *testing.T) {
	c := fixture(modelOf(make([]int, 4), denseKind(24, 6144)), inputs.Mixed, 8, false, []int{2, 2, 2, 2})
	wide, known := cost.Shape{TP: 8, CP: 1, DPAttention: 1, EP: 1, ETP: 8}, cost.Shape{TP: 2, CP: 1, DPAttention: 1, EP: 1, ETP: 2}
	plain, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := New(c)
	part := func(sh cost.Shape) []Part { return []Part{{First: 0, Last: 3, Shape: sh}} }
	layout := &Layout{Replicas: 1, GPUs: []int{8}, Exact: true, Total: -1}
	if _, err := s.Pipeline(layout, part(wide)); err == nil || plain.Offers(0, wide) {
		t.Fatal("TP over four nodes is offered: the test needs another shape")
	}
	s.Admit(0, wide)
	s.Admit(0, wide)
	if !s.Offers(0, wide) || len(s.Shapes(0)) != len(plain.Shapes(0))+1 {
		t.Fatalf("admitted twice: %d shapes of %d", len(s.Shapes(0)), len(plain.Shapes(0)))
	}
	pipe, err := s.Pipeline(layout, part(wide))
	if err != nil || !pipe.Packs() {
		t.Fatalf("four whole nodes for TP 8: %v", err)
	}
	ch := Choice{Layout: layout, Micro: 1, Groups: 1}
	placed, err := s.Place(ch, part(wide))
	if err != nil || len(placed[0].GPUs) != 8 || placed[0].Hosts[0] == placed[0].Hosts[7] {
		t.Fatalf("placed on %v, %v", placed, err)
	}
	if want := direct(s, ch, part(wide)[0], -1, false)[0]; !near(placed[0].Seconds[0], want) {
		t.Errorf("prefill takes %g s, want %g", placed[0].Seconds[0], want)
	}
	two := &Layout{Replicas: 4, GPUs: []int{2}, Exact: true, Total: -1, SameHost: true}
	ch.Layout = two
	if a, b := s.Seconds(ch, part(known)), plain.Seconds(ch, part(known)); a[0] != b[0] {
		t.Errorf("a known shape takes %v in the space with more shapes, %v without", a, b)
	}
}

// TestAdmittedShapesMustPack: five groups of three do not fit two nodes of eight, four do.
func TestAdmittedShapesMustPack(t *testing.T) {
	c := fixture(modelOf(make([]int, 5), denseKind(24, 6144)), inputs.Mixed, 8, false, []int{8, 8})
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	three := cost.Shape{TP: 3, CP: 1, DPAttention: 1, EP: 1, ETP: 3}
	s.Admit(0, three)
	s.Admit(0, cost.Shape{TP: 12, CP: 1, DPAttention: 1, EP: 1, ETP: 12})
	for stages, want := range map[int]bool{4: true, 5: false} {
		parts := make([]Part, stages)
		for i := range parts {
			parts[i] = Part{First: i, Last: i, Shape: three}
		}
		parts[stages-1].Last = 4
		layout := &Layout{Replicas: 1, GPUs: []int{3 * stages}, Exact: true, Total: -1}
		pipe, err := s.Pipeline(layout, parts)
		if err != nil || pipe.Packs() != want {
			t.Errorf("%d groups of 3 on 8+8: packs %v, %v", stages, pipe.Packs(), err)
		}
		if _, err := s.Place(Choice{Layout: layout, Micro: 1, Groups: 1}, parts); (err == nil) != want {
			t.Errorf("%d groups of 3 on 8+8 placed: %v", stages, err)
		}
	}
}

// TestMeteredSpace: readings are part of the times of every stage, sends included.
func TestMeteredSpace(t *testing.T) {
	c := fixture(modelOf(make([]int, 6), expertKind(8, 1024, 8)), inputs.Mixed, 8, false, []int{4, 4})
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	sh := cost.Shape{TP: 2, CP: 1, DPAttention: 2, EP: 4, ETP: 1}
	parts := []Part{{First: 0, Last: 2, Shape: sh}, {First: 3, Last: 5, Shape: sh}}
	ch := Choice{Layout: &Layout{Replicas: 1, GPUs: []int{8}, Exact: true, Total: -1}, Micro: 2, Groups: 2}
	time := s.Seconds(ch, parts)
	for m := cost.ComputeMeter; m <= cost.NetworkMeter; m++ {
		for i, r := range s.Metered(m).Seconds(ch, parts) {
			for ph := range r {
				if !(r[ph] > 0 && r[ph] < time[i][ph]) {
					t.Errorf("meter %d, stage %d, phase %d: %g of %g s", m, i, ph, r[ph], time[i][ph])
				}
			}
		}
	}
	if again := s.Seconds(ch, parts); again[0] != time[0] {
		t.Error("reading a meter changed the space")
	}
}
