package read

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"partita/inputs"
)

// hostEntry is GPUs of one host: "node-0/0..7", "server-a/3".
var hostEntry = regexp.MustCompile(`^([^\s,/\[\]](?:[^\s,\[\]]*[^\s,/\[\]])?)/(\d{1,6})(?:\.\.(\d{1,6}))?$`)

// parseHosts reads which GPUs of which hosts a pool has, by the index of the driver:
// "[node-0/0..7, node-1/0..3, node-1/6]".
func parseHosts(s string) (any, error) {
	bad := func(text string) error {
		return &inputs.QuantityError{Text: text, Want: "GPUs by host such as [node-0/0..7, node-1/0..7]"}
	}
	inner := strings.TrimSpace(s)
	if strings.HasPrefix(inner, "[") && strings.HasSuffix(inner, "]") {
		inner = inner[1 : len(inner)-1]
	}
	var shares []hostShare
	total := 0
	for entry := range strings.SplitSeq(inner, ",") {
		m := hostEntry.FindStringSubmatch(strings.TrimSpace(entry))
		if m == nil {
			return nil, bad(entry)
		}
		first, _ := strconv.Atoi(m[2]) // six digits at most
		last := first
		if m[3] != "" {
			last, _ = strconv.Atoi(m[3])
		}
		if total += last - first + 1; last < first || total > maxGPUs {
			return nil, bad(entry)
		}
		at := slices.IndexFunc(shares, func(h hostShare) bool { return h.Host == m[1] })
		if at < 0 {
			at = len(shares)
			shares = append(shares, hostShare{Host: m[1]})
		}
		for i := first; i <= last; i++ {
			shares[at].GPUs = append(shares[at].GPUs, strconv.Itoa(i))
		}
	}
	for _, h := range shares {
		if gpus := slices.Sorted(slices.Values(h.GPUs)); len(slices.Compact(gpus)) < len(h.GPUs) {
			return nil, &inputs.QuantityError{Text: s, Want: "each GPU of " + h.Host + " once"}
		}
	}
	return shares, nil
}

// hostsText prints what parseHosts reads, with runs of indexes joined.
func hostsText(shares []hostShare) string {
	var entries []string
	for _, h := range shares {
		for i := 0; i < len(h.GPUs); {
			first, _ := strconv.Atoi(h.GPUs[i]) // inventories number their GPUs
			end := i + 1
			for end < len(h.GPUs) && h.GPUs[end] == strconv.Itoa(first+end-i) {
				end++
			}
			entry := h.Host + "/" + h.GPUs[i]
			if end > i+1 {
				entry += ".." + h.GPUs[end-1]
			}
			entries, i = append(entries, entry), end
		}
	}
	return "[" + strings.Join(entries, ", ") + "]"
}

// allByHost reports whether every pool names its GPUs by host, as an inventory does.
func (d *draft) allByHost() bool {
	for i := range max(d.pools, 1) {
		if _, _, ok := poolFact[[]hostShare](d, i, "hosts"); !ok {
			return false
		}
	}
	return true
}

// checkGPUNames refuses a GPU that two pools claim, which only stated hosts can bring about.
func (d *draft) checkGPUNames(pools []inputs.Pool) {
	at := inputs.Place{}
	stated := false
	for i := range max(d.pools, 1) {
		if _, path, ok := poolFact[[]hostShare](d, i, "hosts"); ok {
			at, stated = d.place(path), true
		}
	}
	if !stated {
		return
	}
	owner := map[string]string{}
	for _, p := range pools {
		for _, n := range p.Nodes {
			for _, id := range n.GPUs {
				if first, twice := owner[id]; twice {
					d.problem(at, fmt.Sprintf("GPU %s is in pool %q and in pool %q", id, first, p.Name), "each GPU in one pool", "")
					return
				}
				owner[id] = p.Name
			}
		}
	}
}
