// Package schematest holds schemas against what another program's library makes of them,
// for tests.
package schematest

import (
	"bytes"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"partita/inputs/schema"
)

// Test is what a helper needs of a test.
type Test interface{ Fatal(...any) }

// Compiled is a schema as the library understands it.
func Compiled(t Test, s *schema.Schema) *jsonschema.Schema {
	data, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(s.ID, Value(t, data)); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(s.ID)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// Value is JSON as the library takes it.
func Value(t Test, data []byte) any {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
