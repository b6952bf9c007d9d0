// Package makespan minimises the latency of one sample on an operator graph.
//
// Every accelerator runs one set of nodes as a block: it starts when all its inputs
// are there and outputs at its end. The rest runs on the CPU, a pool of unlimited
// cores: a node starts when its predecessors are done. With c_u the common cost of the
// edges out of u (Node.Send):
//
//	(L1) finish(v) = max_{u→v} finish(u) + cpu_v             v on the CPU
//	(L2) finish(B) = max_{u∉B, u→B} finish(u) + Σ_{v∈B} acc_v + Σ_{u∉B, u→B} c_u + Σ_{u∈B, u→V∖B} c_u
//	(L3) Σ_{v∈B} size_v ≤ memory, at most as many blocks as accelerators
//	(L4) nodes of a colour class are in one block, or all on the CPU
//	(L5) no cycle among blocks and CPU nodes: each would wait for the other
//	makespan = max over all finishes
//
// Every solution can be laid out one step after the other: a CPU node, or a whole
// block. What is done after a step is an ideal (a set closed under predecessors), and
// of the past only the finishes of its frontier matter: the nodes whose output is still
// needed. So the optimum is a shortest path over ideals with vectors as labels (accelerators
// used, finishes of the frontier), of which those that no other one dominates are kept. Labels whose bound
// (tails.go) reaches the incumbent are dropped. reduce.go makes the ideals few without
// losing an optimum.
package makespan
