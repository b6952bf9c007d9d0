package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible is a context that the first interrupt (Ctrl-C) or termination
// signal ends, which makes a search return what it has. From then on signals do
// what they do by default: the second one kills.
func Interruptible(parent context.Context) context.Context {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}
