package journal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"partita/results/journal"
)

// A run that is killed in the middle of a write continues with what was complete.
func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "journal.jsonl")
	j, err := journal.Create(path, map[string]string{"batch": "sweep"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		if err := j.Append(journal.Entry{Index: i, Result: json.RawMessage(`{"status":"optimal"}`)}); err != nil {
			fmt.Println(err)
		}
	}
	if err := j.Close(); err != nil {
		fmt.Println(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.Truncate(path, info.Size()-10); err != nil { // the kill
		fmt.Println(err)
	}
	j, err = journal.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	fmt.Println("done:", j.Indexes(), "to do again:", !j.Has(2))
	// Output: done: [0 1] to do again: true
}
