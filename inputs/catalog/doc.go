// Package catalog knows accelerators and models by name.
//
// The facts are two YAML files that are built into the program, each entry with
// the source of its figures. Load reads them; the Catalog that it returns is not
// changed afterwards and may be shared.
//
//	c, err := catalog.Load()
//	gpu, ok := c.Accelerator("NVIDIA H100 80GB HBM3") // H100-SXM-80GB
//	llm, ok := c.Model("meta-llama/Llama-3.1-70B")
//
// Names match without regard to case and punctuation, and people, drivers and
// model hubs may each write their own. A short name that several entries could
// carry ("H100") means the one that lists it under default_for; Variants names
// the others. Suggest gives the nearest names for one that is not known.
//
// Model shapes are kept in the field names of a Hugging Face config.json, and one
// builder (Config.Model) turns both the catalogue and a user's config.json into
// inputs.Model. ParseConfig reads the latter with the position of every field.
//
// Units: bytes, bytes/s and FLOP/s, as in package inputs.
package catalog
