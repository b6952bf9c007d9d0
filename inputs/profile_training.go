package inputs

// TrainingConstants are those of a training step beside what serving has too (T0 to T10):
// products are large there, run beside collectives for seconds, and the power limit holds
// the clock down.
type TrainingConstants struct {
	// Shares of the peak FLOP/s that large products reach, quantising their inputs included.
	GEMM16 float64 `json:"gemm16"` // of 16 bits and wider
	GEMM8  float64 `json:"gemm8"`  // of 8 bits
	GEMM4  float64 `json:"gemm4"`  // of 4 bits
	// Attention is the share of the 16-bit peak that flash attention reaches, forward.
	Attention float64 `json:"attention"`
	// Processors of the device: a product takes half a wave of tiles over them longer than
	// its size on average.
	Processors float64 `json:"processors"`
	// TensorExposed is the share of tensor-parallel collectives that products do not hide.
	TensorExposed float64 `json:"tensor_exposed"`
	// DataExposed is the share of data-parallel collectives that no computation hides.
	DataExposed float64 `json:"data_exposed"`
	// Step is what the host takes of every step, in seconds.
	Step float64 `json:"step"`
}
