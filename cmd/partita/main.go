// Command partita finds the optimal way to split a model over GPUs, proves it and
// verifies it. The commands are in cmd/internal/cli.
package main

import (
	"context"
	"os"

	"partita/cmd/internal/cli"
	"partita/solver/lpsolve"
)

func main() {
	if lpsolve.IsWorker() { // this process was started to run lp_solve apart from its parent
		os.Exit(lpsolve.RunWorker(os.Stdin, os.Stdout))
	}
	os.Exit(cli.Main(cli.Interruptible(context.Background()), os.Args[1:], cli.System()))
}
