package profile

import "testing"

func TestFields(t *testing.T) {
	p := *Of("hopper")
	fields := Fields(&p)
	if len(fields) != len(Paths()) {
		t.Errorf("%d fields of %d constants", len(fields), len(Paths()))
	}
	*fields["links.mesh.send_share"] = 0.25
	if p.Links.Mesh.SendShare != 0.25 || Of("hopper").Links.Mesh.SendShare == 0.25 {
		t.Error("a field is not where the constant stands")
	}
}
