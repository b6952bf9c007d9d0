package inputs

// TrainingConstants are those of a training step beside what serving has too.
type TrainingConstants struct{}
