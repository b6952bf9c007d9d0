package read

import (
	"errors"
	"strings"
	"testing"

	"partita/inputs"
)

const twoPools = `cluster:
  pools:
    - {name: Big.One, accelerator: H100, count: 8}
    - {accelerator: T4, count: 4}
    - {name: big, accelerator: H200, count: 8}
model: Llama-3-8B
`

// A pool is reached by number, in brackets or not, and by name.
func TestPathOfAPool(t *testing.T) {
	for _, row := range []struct {
		key  string
		pool int
	}{
		{"cluster.pools.1.count", 1},
		{"cluster.pools[1].count", 1},
		{"cluster.pools[0].count", 0},
		{"cluster.pools.Big.One.count", 0},
		{"cluster.pools[big.one].count", 0},
		{"cluster.pools.big.count", 2},
		{"cluster.pools.t4.count", 1}, // no name of its own: its accelerator
		{"Cluster.Pools[T4].Count", 1},
	} {
		c, err := loadText(t, "c.yaml", twoPools, Override{Key: row.key, Value: "2"})
		if err != nil {
			t.Errorf("%s: %v", row.key, err)
			continue
		}
		for k, p := range c.Cluster.Pools {
			if want := map[bool]int{true: 2, false: []int{8, 4, 8}[k]}[k == row.pool]; p.Count != (inputs.Count{Min: want, Max: want}) {
				t.Errorf("%s: pool %d has %+v", row.key, k, p.Count)
			}
		}
	}
}

func TestPathOfNoPool(t *testing.T) {
	twins := "cluster: {pools: [{accelerator: T4, count: 4}, {accelerator: T4, count: 2}]}\nmodel: Llama-3-8B\n"
	for _, row := range []struct{ text, key, want string }{
		{twoPools, "cluster.pools.a100.count", `no pool is named "a100"`},
		{twoPools, "cluster.pools[a100].count", `the pools are "big.one", "t4", "big"`},
		{twoPools, "cluster.pools[3].count", "pool 3 of 3"},
		{twins, "cluster.pools.t4.count", `no pool is named "t4"`},
		{twoPools, "cluster.pools[big].coumt", `unknown key "cluster.pools.2.coumt"`},
	} {
		_, err := loadText(t, "c.yaml", row.text, Override{Key: row.key, Value: "2"})
		var problems Diagnostics
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.key, err, row.want)
		}
	}
}
