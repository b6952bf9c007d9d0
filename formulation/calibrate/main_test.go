package calibrate

import (
	"flag"
	"os"
	"testing"
)

// A property here is a whole calibration: a few of them where nobody asks for more.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		_ = flag.Set("rapid.checks", "5") // the flag is rapid's
	}
	os.Exit(m.Run())
}
