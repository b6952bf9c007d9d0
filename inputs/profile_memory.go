package inputs

// MemoryConstants are what runtimes and frameworks take of a device's memory.
type MemoryConstants struct {
	// Runtime is taken beside tensors on every device, in bytes: the driver's context,
	// workspaces of libraries.
	Runtime float64 `json:"runtime"`
	// HiddenShare of the nominal memory is kept by the driver and never shown as free.
	HiddenShare float64 `json:"hidden_share"`
	// Communicator is taken by each group that a device communicates in, in bytes, and at
	// most the share CommunicatorShare of the device's memory.
	Communicator      float64 `json:"communicator"`
	CommunicatorShare float64 `json:"communicator_share"`
	// Sampler is the bytes a logit that choosing tokens takes where an engine sorts the
	// logits of all sequences at once.
	Sampler float64 `json:"sampler"`
}
