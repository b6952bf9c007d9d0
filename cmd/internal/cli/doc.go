// Package cli is the command line of partita: one command a file.
//
//	root.go       the root command, errors to exit codes
//	exit.go       the table of exit codes (docs/exit-codes.md shows it)
//	signals.go    the first interrupt ends the search, the second the program
//	system.go     what a run takes from outside: streams, clock, environment
//	condition.go  flags that add to or replace what the condition files say
//	search.go     flags that steer the search; backends that are built in
//	outcome.go    verify, write, summarise, and the exit code of a report
//	solve.go compare.go evaluate.go explain.go catalog*.go version.go   the commands
//	batch*.go     a batch: its flags, how a scenario is solved, progress, jobs for engines
//
// The result of a command goes to stdout; progress, logs and diagnostics go to
// stderr. No command reads os.Args, os.Stdout or the clock itself: tests inject
// them, and testdata/script holds whole sessions as transcripts.
package cli
