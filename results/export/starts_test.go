package export

import (
	"strings"
	"testing"

	"partita/results"
)

// Who reads the summary learns which engines can be started, and that none can.
func TestStartsOn(t *testing.T) {
	none := []string{"/o/launch/vllm-cannot-run.txt", "/o/launch/sglang-cannot-run.txt", "/o/launch/trtllm-cannot-run.txt", "/o/launch/megatron-cannot-run.txt",
		"/o/launch/llamacpp-cannot-run.txt", "/o/launch/ray-cannot-run.txt", "/o/launch/k8s-cannot-run.txt"}
	layers, step := &results.Plan{}, stepPlan()
	for _, row := range []struct {
		plan  *results.Plan
		files []string
		want  string
	}{
		{layers, nil, ""},
		{nil, none, ""},
		{layers, []string{"/o/launch/vllm.sh", "/o/launch/sglang-cannot-run.txt", "/o/launch/trtllm-cannot-run.txt", "/o/launch/megatron-cannot-run.txt", "/o/launch/llamacpp-cannot-run.txt",
			"/o/launch/ray-cannot-run.txt", "/o/launch/kubernetes.yaml"}, "starts on vLLM, Kubernetes: launch/\n"},
		{&results.Plan{Phases: []results.PhasePlan{{Lanes: &results.Lanes{}}}}, none, "starts on no engine that is known: none lets machines share layers\n"},
		{step, []string{"/o/launch/megatron.sh", "/o/launch/vllm-cannot-run.txt", "/o/launch/sglang-cannot-run.txt", "/o/launch/trtllm-cannot-run.txt", "/o/launch/llamacpp-cannot-run.txt",
			"/o/launch/ray-cannot-run.txt", "/o/launch/k8s-cannot-run.txt"}, "starts on Megatron-LM: launch/\n"},
		{step, none, "starts on no engine that is known here, as it is: launch/megatron-cannot-run.txt\n          says why\n"},
		{layers, none,
			"starts on no engine that is known, as it is: launch/ says why; --engine NAME\n          finds the best plan that one runs\n"},
	} {
		var b strings.Builder
		if err := StartsOn(&b, Screen{}, Manifest{Launch: row.files}, row.plan); err != nil || b.String() != row.want {
			t.Errorf("%q: %q, %v; want %q", row.files, b.String(), err, row.want)
		}
	}
}
