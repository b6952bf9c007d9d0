package export

import (
	"strings"
	"testing"
)

// Who reads the summary learns which engines can be started, and that none can.
func TestStartsOn(t *testing.T) {
	for _, row := range []struct {
		files []string
		want  string
	}{
		{nil, ""},
		{[]string{"/o/launch/vllm.sh", "/o/launch/sglang-cannot-run.txt", "/o/launch/trtllm-cannot-run.txt", "/o/launch/megatron-cannot-run.txt", "/o/launch/llamacpp-cannot-run.txt",
			"/o/launch/ray-cannot-run.txt", "/o/launch/kubernetes.yaml"}, "starts on vLLM, Kubernetes: launch/\n"},
		{[]string{"/o/launch/vllm-cannot-run.txt", "/o/launch/sglang-cannot-run.txt", "/o/launch/trtllm-cannot-run.txt", "/o/launch/megatron-cannot-run.txt",
			"/o/launch/llamacpp-cannot-run.txt", "/o/launch/ray-cannot-run.txt", "/o/launch/k8s-cannot-run.txt"},
			"starts on no engine that is known, as it is: launch/ says why; --engine NAME\n          finds the best plan that one runs\n"},
	} {
		var b strings.Builder
		if err := StartsOn(&b, Screen{}, Manifest{Launch: row.files}, false); err != nil || b.String() != row.want {
			t.Errorf("%q: %q, %v; want %q", row.files, b.String(), err, row.want)
		}
	}
}
