// Package graphplan finds the plan of a model that is an operator graph: which operator
// runs on which GPU of the condition's pools, so that the most samples a second pass
// through, and proves it.
//
//	T(r)   the least largest load of a GPU, over the chains of ideals of the graph on
//	       n_k/r GPUs of each pool k (formulation/ideals)
//	plan   the replica count r with the least T(r)/r                          (G3)
//
// A replica is a pipeline of stages, one GPU each; replicas are alike. The number of
// replicas is an outer choice: those whose floor cannot beat the incumbent are pruned and
// recorded. GPUs of a stated number are all used unless the condition lets them idle: where
// the search leaves some over, the orders of its stages are cut once more into as many
// stages as there are GPUs, and what that costs is said.
package graphplan
