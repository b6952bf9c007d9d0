//go:build !lpsolve

package lpsolve

// Available reports whether lp_solve is linked into this program.
func Available() bool { return false }

// run is never reached: New refuses to make a backend.
func run(program) answer {
	return answer{Fault: ErrAbsent.Error()}
}
