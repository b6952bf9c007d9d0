package inputs

// HostConstants are what a serving engine adds to the kernels, in seconds.
type HostConstants struct {
	// Step is taken by every step: scheduling, sampling, launching.
	Step float64 `json:"step"`
	// StepTRTLLM is Step where the engine is TensorRT-LLM, which prepares a step while the
	// one before it runs.
	StepTRTLLM float64 `json:"step_trtllm"`
	// Sequence is taken by every sequence of a step: its state is brought up to date, its
	// token is sampled and made text.
	Sequence float64 `json:"sequence"`
	// Request is taken by every request beside its steps: receiving it, queueing it, and
	// bringing its first token to the client.
	Request float64 `json:"request"`
	// Token is taken by every token of a prompt, which comes as text.
	Token float64 `json:"token"`
}
