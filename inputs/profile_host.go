package inputs

// HostConstants are what a serving engine adds to the kernels of a step.
type HostConstants struct{}
