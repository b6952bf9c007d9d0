package read

import (
	"path/filepath"
	"testing"

	"partita/inputs"
)

// Each value says where it is stated; pools by the number they have in the condition,
// flags by their own name.
func TestPlaces(t *testing.T) {
	c := resolved(t, `cluster:
  pools:
    - name: a
      accelerator: H100
      count: 8
    - name: b
      accelerator: A100-SXM-80GB
      nodes: 2
      gpus_per_node: 8
      memory: 40GB
model: {catalog: Llama-3.1-8B}
workload: {batch: 3, input: 100, output: 10}
goal: {balance: 0.2}
`)
	for key, line := range map[string]int{
		inputs.PoolKey(0, inputs.PoolCount): 5, inputs.PoolKey(0, inputs.PoolMemory): 4, inputs.PoolKey(0, inputs.PoolNode): 5,
		inputs.PoolKey(1, inputs.PoolCount): 8, inputs.PoolKey(1, inputs.PoolMemory): 10, inputs.PoolKey(1, inputs.PoolNode): 9,
		"workload.batch": 12, "workload.input": 12, "goal.balance": 13, "model.catalog": 11, "goal.allow_idle": 0,
	} {
		if at := c.Places.First(key); at.Line != line || line > 0 && at.File == "" {
			t.Errorf("%s is stated at %+v, want line %d", key, at, line)
		}
	}
	if at := c.Places.First("model.heads", "model.catalog"); at.Line != 11 {
		t.Errorf("the first key that is stated is at %+v, want line 11", at)
	}
}

// The machines of an inventory that are alike make one pool, stated with the first of
// them; GPUs with unlike free memory make two pools, stated together.
func TestPlacesOfInventories(t *testing.T) {
	for _, x := range []struct {
		texts []string
		pools int
	}{
		{[]string{smi + "NVIDIA A100-SXM4-80GB, 81920 MiB, 30000 MiB\nNVIDIA A100-SXM4-80GB, 81920 MiB, 50000 MiB\n"}, 2},
		{[]string{smi + "Tesla T4, 15360 MiB, 15000 MiB\n", smi + "Tesla T4, 15360 MiB, 14990 MiB\n"}, 1},
		{[]string{smi + "Tesla T4, 15360 MiB, 15000 MiB\n", smi + "NVIDIA L4, 23034 MiB, 22000 MiB\n"}, 2},
	} {
		c, err := inventory(t, []string{"a.csv", "b.csv"}[:len(x.texts)], x.texts...)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Cluster.Pools) != x.pools {
			t.Fatalf("%d pools, want %d\n%s", len(c.Cluster.Pools), x.pools, pools(c))
		}
		for k := range c.Cluster.Pools {
			file := "a.csv"
			if len(x.texts) == 2 && k == 1 {
				file = "b.csv"
			}
			for _, value := range []string{inputs.PoolCount, inputs.PoolMemory} {
				if at := c.Places.First(inputs.PoolKey(k, value)); at.Line != 2 || filepath.Base(at.File) != file {
					t.Errorf("%s of pool %d is stated at %+v, want %s:2\n%s", value, k, at, file, pools(c))
				}
			}
		}
	}
}
