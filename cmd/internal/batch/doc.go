// Package batch runs the scenarios of a batch: over the cores of a machine, share by
// share over many machines, and past any interruption.
//
//	share.go       the share of a batch that one process takes, and who says which
//	run.go         workers, the journal, results as they end
//	folder.go      what a run keeps in its folder, and who may write there
//	finish.go      the final files, from the journal alone
//	merge.go       the shares of many processes joined into one result
//	jobs.go kubernetes.go slurm.go   the job that runs the shares on an engine
//
// The package knows nothing of plans: a Solver makes the outcome of a scenario. What a
// run writes follows from the batch and the outcomes, not from the number of workers,
// the order in which they end, or how often it was killed.
package batch
