package formulation_test
import ("testing";"time";"fmt";"context";"partita/formulation";"partita/inputs";"partita/inputs/read";"os")
func TestQ(t *testing.T){
	conds := []*inputs.Condition{hard()}
	_ = read.Load
	_ = os.Args
	big := hard(); big.Cluster.Pools = big.Cluster.Pools[:1]
	p := &big.Cluster.Pools[0]; p.Nodes=nil
	for i := range 2048 { n := inputs.Node{Host: fmt.Sprint("h",i)}; for j := range 8 { n.GPUs = append(n.GPUs, fmt.Sprintf("h%d/%d",i,j)) }; p.Nodes = append(p.Nodes,n)}
	p.Count = inputs.Count{Min:16384,Max:16384}; p.GPUsPerNode=8; big.Workload.Batch = 4096; big.Model.Layers = make([]int,126); big.Name="big"
	un := hard(); for k := range un.Cluster.Pools { q := &un.Cluster.Pools[k]; q.Nodes=nil; q.Count=inputs.Count{}; q.GPUsPerNode=8 }; un.Cluster.Pools = un.Cluster.Pools[:2]; un.Name="unlimited two"
	un.Goal.Requirements = []inputs.Requirement{{Kind: inputs.TPOT, Value: 0.0001}}
	u1 := hard(); u1.Cluster.Pools = u1.Cluster.Pools[:1]; q := &u1.Cluster.Pools[0]; q.Nodes=nil; q.Count=inputs.Count{}; q.GPUsPerNode=8; u1.Name="unlimited one"; u1.Workload.Batch=512
	conds = append(conds, big, u1, un)
	for _, c := range conds {
	for _, ms := range []int{0, 20, 100, 300, 700, 1500} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(ms)*time.Millisecond)
		s := time.Now()
		r, err := formulation.Optimize(ctx, c, formulation.Options{SAT: openSAT})
		cancel()
		d := time.Since(s)
		if err != nil { fmt.Println(err); continue }
		fmt.Println(c.Name, ms, "over by", d-time.Duration(ms)*time.Millisecond, r.Status)
	}}
}
