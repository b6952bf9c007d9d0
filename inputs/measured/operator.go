package measured

import (
	"regexp"
	"strconv"
)

var (
	threeSizes = regexp.MustCompile(`(\d+)x(\d+)x(\d+)`)
	payload    = regexp.MustCompile(`payload=(\d+)\s*([KMG]i?)?B`)
)

// Product is the size of the product that a row's shape states: m×k times k×n.
func (r *Row) Product() (m, n, k float64, ok bool) {
	found := threeSizes.FindStringSubmatch(r.Shape)
	if found == nil {
		return 0, 0, 0, false
	}
	return number(found[1]), number(found[2]), number(found[3]), true
}

// Payload is the size of the message that a row's shape states, in bytes.
func (r *Row) Payload() (bytes float64, ok bool) {
	found := payload.FindStringSubmatch(r.Shape)
	if found == nil {
		return 0, false
	}
	unit := map[string]float64{"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[found[2]]
	return number(found[1]) * unit, true
}

// BusShare is the bus bandwidth of an all-reduce over n devices, as nccl-tests defines it,
// over the bytes of one buffer a second.
func BusShare(n int) float64 { return 2 * float64(n-1) / float64(n) }

// number reads digits that a pattern has matched.
func number(digits string) float64 {
	x, _ := strconv.ParseFloat(digits, 64)
	return x
}
