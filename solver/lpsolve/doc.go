// Package lpsolve is the backend on lp_solve 5.5, a branch-and-bound code in C,
// reached through golp.
//
// lp_solve is linked only under the build tag "lpsolve", with the library installed
// and cgo told where it is:
//
//	apt-get install liblpsolve55-dev
//	CGO_CFLAGS=-I/usr/include/lpsolve CGO_LDFLAGS="-llpsolve55 -lm -ldl -lcolamd" \
//	    go build -tags lpsolve ./...
//
// Without the tag the package compiles, Available is false and New says the above.
//
// # Why a process of its own
//
// A solve in C cannot be interrupted, and a fault in it ends the process. So the
// models go through a pipe to a worker: the same executable, started again with an
// environment variable. A cancelled context kills the worker. One that dies or writes
// what is no answer is replaced, and its program repeated; a program that no worker
// survives has the status Crashed. Programs opt in by asking first thing in main (and
// in TestMain):
//
//	if lpsolve.IsWorker() {
//	    os.Exit(lpsolve.RunWorker(os.Stdin, os.Stdout))
//	}
//
// A program that does not ask has its models solved on a goroutine that is abandoned
// when the context ends; lp_solve's own timeout ends it where there was a deadline.
//
// # What its word is worth
//
// lp_solve works in floating point. Its points are rounded and checked exactly by
// solver.Solve; its "infeasible" is believed and not proved, which
// Capabilities.Exact says. Only integers are handed over, and models whose sums
// leave the range in which float64 is exact are refused as Unsupported.
package lpsolve
