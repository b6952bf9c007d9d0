package scenario_test

import (
	"fmt"
	"strings"

	"partita/inputs/scenario"
)

func ExampleRead() {
	b, err := scenario.Read(scenario.Options{File: "-", Stdin: strings.NewReader(`
base: cluster.yaml
matrix:
  - field: workload.batch
    values: [16, 64]
  - axis: use
    values:
      - {label: chat, set: {workload.input: 512}}
      - {label: documents, set: {workload.input: 8192}}
exclude: {batch: 64, use: documents}
scenarios:
  - {name: night, set: {workload.batch: 1}}
`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range b.Len() {
		s := b.Scenario(i)
		fmt.Println(s.Name, s.Files, len(s.Set))
	}
	// Output:
	// batch-16_use-chat [cluster.yaml] 2
	// batch-16_use-documents [cluster.yaml] 2
	// batch-64_use-chat [cluster.yaml] 2
	// night [cluster.yaml] 1
}
