package read

import "partita/inputs"

// Diagnostic is one problem of an input.
type Diagnostic = inputs.Diagnostic

// Diagnostics are all problems of the inputs of one Load.
type Diagnostics = inputs.Diagnostics
