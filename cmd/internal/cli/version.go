package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

// versionText names the program, the toolchain and the backends: which of them
// are built in decides what a plan can be proved with.
func versionText(env Environment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "partita %s %s %s/%s\n", env.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	b.WriteString("backends:\n")
	for _, backend := range backends() {
		state := "built in"
		if backend.missing != nil {
			state = "not built in: " + backend.missing.Error()
		}
		fmt.Fprintf(&b, "  %-7s %s; %s\n", backend.name, backend.about, state)
	}
	return b.String()
}

func newVersion(env Environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and the backends that are built in",
		Long: `version names the program, the toolchain and the exact solvers. Which of them are
built in decides what a plan can be proved with.`,
		Args: cobra.NoArgs,
		RunE: action(func(*cobra.Command, []string) error {
			if !asJSON {
				_, err := fmt.Fprint(env.Out, versionText(env))
				return err
			}
			type entry struct {
				Name    string `json:"name"`
				BuiltIn bool   `json:"built_in"`
				Why     string `json:"why,omitempty"`
			}
			out := struct {
				Version  string  `json:"version"`
				Go       string  `json:"go"`
				Backends []entry `json:"backends"`
			}{Version: env.Version, Go: runtime.Version()}
			for _, b := range backends() {
				e := entry{Name: b.name, BuiltIn: b.missing == nil}
				if b.missing != nil {
					e.Why = b.missing.Error()
				}
				out.Backends = append(out.Backends, e)
			}
			return json.NewEncoder(env.Out).Encode(out)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON line")
	return cmd
}
