package knowledge

import (
	"strings"
	"testing"

	"partita/inputs"
	"partita/inputs/catalog"
	"partita/inputs/profile"
)

const profilePack = `profiles:
  - name: lab
    accelerator: H100
    constants:
      operators.gemm16.compute: 0.5
      operators: {decode: {floor: 3e-6}}
      links.nvlink:
        ring_share_8: 0.6
    sources: {operators: a bench, links.nvlink: nccl-tests}
  - {generation: ampere, constants: {operators.gemm16.floor: 0}}
`

func applied(t *testing.T, packs ...string) Applied {
	t.Helper()
	c, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	var list []Pack
	for _, text := range packs {
		list = append(list, Parse("lab.yaml", []byte(text)))
	}
	return Apply(c, list)
}

// Constants of a pack stand in the place of the built-in ones, of the devices that it names
// alone; what it does not state stays.
func TestProfiles(t *testing.T) {
	a := applied(t, profilePack)
	if err := a.Problems.Err(); err != nil {
		t.Fatal(err)
	}
	h100, _ := a.Catalog.Accelerator("H100")
	builtIn := profile.Of("hopper")
	p := h100.Profile
	if p == nil || p.Operators.GEMM16.Compute != 0.5 || p.Operators.Decode.Floor != 3e-6 || p.Links.NVLink.RingShare8 != 0.6 || p.Generation != "hopper" {
		t.Fatalf("%+v", p)
	}
	if p.Operators.GEMM16.Floor != builtIn.Operators.GEMM16.Floor || p.Links.NVLink.RingShare2 != builtIn.Links.NVLink.RingShare2 {
		t.Errorf("%+v", p)
	}
	for path, want := range map[string]string{
		"operators.gemm16.compute":  `profile "lab", lab.yaml:2:5 (a bench)`,
		"links.nvlink.ring_share_8": `profile "lab", lab.yaml:2:5 (nccl-tests)`,
		"operators.gemm16.floor":    builtIn.Source("operators.gemm16.floor"),
	} {
		if got := p.Source(path); got != want {
			t.Errorf("%s from %q, want %q", path, got, want)
		}
	}
	a100, _ := a.Catalog.Accelerator("A100-SXM-80GB")
	if a100.Profile == nil || a100.Profile.Operators.GEMM16.Floor != 0 || a100.Profile.Operators.GEMM16.Compute != profile.Of("ampere").Operators.GEMM16.Compute {
		t.Errorf("%+v", a100.Profile)
	}
	if h200, _ := a.Catalog.Accelerator("H200"); h200.Profile != nil {
		t.Error("another device has the profile")
	}
	if builtIn.Operators.GEMM16.Compute == 0.5 {
		t.Error("the built-in profile is changed")
	}
	for i, want := range []string{
		`profile "lab" of H100: operators.gemm16.compute 0.5, operators.decode.floor 3e-06, links.nvlink.ring_share_8 0.6`, "profile of ampere: operators.gemm16.floor 0",
	} {
		if s := a.Statements[i]; s.Text != want || !strings.HasPrefix(s.UsedAs, "catalogue: constants of ") || !strings.HasSuffix(s.UsedAs, ", in place of the built-in ones") {
			t.Errorf("%+v, want %s", s, want)
		}
	}
}

// Packs add up: a later one changes what it states alone.
func TestProfilesAddUp(t *testing.T) {
	a := applied(t, profilePack, "profiles: [{accelerator: H100, constants: {operators.gemm16.compute: 0.4}}]")
	h100, _ := a.Catalog.Accelerator("H100")
	if p := h100.Profile; p.Operators.GEMM16.Compute != 0.4 || p.Operators.Decode.Floor != 3e-6 {
		t.Errorf("%+v", p)
	}
}

// All that is wrong with profiles is told at once, with its place.
func TestProfileProblems(t *testing.T) {
	a := applied(t, `profiles:
  - {accelerator: H100, constants: {operators.gemm61.floor: 1}}
  - {accelerator: H100, constants: {operators.gemm16.floor: fast, operators.gemm16.compute: 1.2, operators.experts.imbalance: -1}}
  - {accelerator: H100}
  - {constants: {operators.gemm16.floor: 0}}
  - {accelerator: H100, constants: {operators: {gemm16: {floor: 0}}, operators.gemm16.floor: 0}}
  - {accelerator: H100, constants: {operators.gemm16.floor: 0}, sources: {operatorz: x}}
  - [1]
  - {accelerator: H1000, constants: {operators.gemm16.floor: 0}}
  - {generation: hoper, constants: {operators.gemm16.floor: 0}}
  - {accelerator: H100, constants: 3, speed: 1}
`)
	got := a.Problems.Sorted()
	text := got.Error()
	for _, want := range []string{
		`lab.yaml:2:37: no constant "operators.gemm61.floor", want the path of a constant of the cost model; did you mean "operators.gemm16.floor"?`,
		`lab.yaml:3:61: operators.gemm16.floor is "fast", want a time in seconds from 0 to 1`,
		`operators.gemm16.compute is "1.2", want a share of the datasheet figure, above 0 and at most 1`,
		`operators.experts.imbalance is "-1", want a number of at least 0`,
		`lab.yaml:4:5: the profile has no constants`,
		`lab.yaml:5:5: the profile is of no device, want one of accelerator and generation`,
		`operators.gemm16.floor is stated twice`,
		`no constants below "operatorz"`,
		`lab.yaml:8:5: the profile is no object`,
		`lab.yaml:9:5: accelerator "H1000" is not known`,
		`lab.yaml:10:5: generation "hoper" is not known`, `did you mean hopper?`,
		`constants are no object`, `unknown key "speed" of a profile`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nwant %s", text, want)
		}
	}
	if len(got) != 13 {
		t.Errorf("%d problems:\n%s", len(got), text)
	}
	for _, d := range got {
		if d.Place == (inputs.Place{}) {
			t.Errorf("no place: %v", d)
		}
	}
}
