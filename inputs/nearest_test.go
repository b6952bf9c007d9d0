package inputs

import "testing"

// The nearest name is the one a slip of the pen meant; nothing is near what is far.
func TestNearest(t *testing.T) {
	names := []string{"layers", "total_layers", "heads", "kv_heads"}
	for in, want := range map[string]string{"layrs": "layers", "kv_haeds": "kv_heads", "total_layer": "total_layers", "head": "heads", "pool": "", "": ""} {
		if got := Nearest(in, names); got != want {
			t.Errorf("nearest to %q: %q, want %q", in, got, want)
		}
	}
}
