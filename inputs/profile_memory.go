package inputs

// MemoryConstants are what runtimes and frameworks take of a device's memory.
type MemoryConstants struct{}
