package inputs

import "fmt"

// Places tell where a condition states a value, by the path of its key in the
// structured form: "workload.batch", "goal.balance", "model.catalog". Values of a pool
// are found by PoolKey. What nobody stated has no entry.
type Places map[string]Place

// Keys of a pool's values that Places knows, for PoolKey.
const (
	PoolCount  = "count"         // the number of GPUs, or the nodes that imply it
	PoolMemory = "memory"        // memory of a GPU: the capacity, or what is free of it
	PoolNode   = "gpus_per_node" // how the GPUs lie in nodes
)

// PoolKey is the key of a value of a pool, by the pool's index in Cluster.Pools. The
// pools of a condition may be others than its files list: GPUs with unlike free memory
// make several, machines of an inventory that are alike make one.
func PoolKey(pool int, value string) string {
	return fmt.Sprintf("cluster.pools.%d.%s", pool, value)
}

// First is the first of the keys that has a place; the zero Place where none has.
func (p Places) First(keys ...string) Place {
	for _, k := range keys {
		if at, ok := p[k]; ok {
			return at
		}
	}
	return Place{}
}
