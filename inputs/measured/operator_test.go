package measured

import "testing"

func TestPayload(t *testing.T) {
	for shape, want := range map[string]float64{
		"payload=1024B": 1024, "payload=16MiB": 16 << 20, "payload=8GiB": 8 << 30, "all payload=2 KiB, ring": 2048, "payload=5MB": 5e6, "payload=1GB": 1e9, "payload=7 KB": 7e3,
		"": 0, "payload=": 0, "payload=4 TiB": 0, "16MiB": 0,
	} {
		if got, ok := (&Row{Shape: shape}).Payload(); got != want || ok != (want > 0) {
			t.Errorf("%q: %g %v, want %g", shape, got, ok, want)
		}
	}
}

func TestProduct(t *testing.T) {
	if m, n, k, ok := (&Row{Shape: "MxNxK 2048x1024x13312"}).Product(); !ok || m != 2048 || n != 1024 || k != 13312 {
		t.Error(m, n, k, ok)
	}
	if _, _, _, ok := (&Row{Shape: "2048x1024"}).Product(); ok {
		t.Error("two sizes are a product")
	}
	if got := BusShare(8); got != 1.75 {
		t.Error(got)
	}
}
