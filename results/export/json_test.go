package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partita/inputs"
	"partita/results"
)

// normal brings a plan to the form that reading gives it: lists where nil ones
// were, one entry for a degree that all stages share.
func normal(p *results.Plan) *results.Plan {
	p = withoutNulls(p)
	for i := range p.Phases {
		st := &p.Phases[i].Strategy
		for _, d := range []*results.PerStage{&st.TP, &st.EP, &st.CP, &st.DPAttention, &st.ETP} {
			if v, uniform := d.Uniform(); uniform {
				*d = results.PerStage{v}
			}
		}
	}
	return p
}

func TestPlanRoundTrip(t *testing.T) {
	p := samplePlan()
	data, err := PlanJSON(p)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadPlan(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(normal(p), back); diff != "" {
		t.Errorf("plan changes on its way through JSON (-want +got):\n%s", diff)
	}
	for _, name := range []string{`"format_version": 2`, `"dp_attention": 1`, `"tp": [`, `"first_layer": 0`, `"time_max_over_mean"`, `"agreed_by"`} {
		if !bytes.Contains(data, []byte(name)) {
			t.Errorf("plan.json lacks %s", name)
		}
	}
}

func TestPlanHasNoNullLists(t *testing.T) {
	data, err := PlanJSON(&results.Plan{FormatVersion: 1, Phases: []results.PhasePlan{{Stages: []results.Stage{{}}, Strategy: results.Strategy{
		TP: results.PerStage{1}, EP: results.PerStage{1}, CP: results.PerStage{1}, DPAttention: results.PerStage{1}, ETP: results.PerStage{1}},
		Solve: results.Solve{Certificate: results.Certificate{Passes: []results.CertificatePass{{}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.SplitSeq(string(data), "\n") {
		if strings.Contains(l, "null") && !strings.Contains(l, `"available"`) {
			t.Errorf("null where a list is read: %s", l)
		}
	}
}

func TestPlanWithoutANumberIsRefused(t *testing.T) {
	p := samplePlan()
	p.Phases[0].Balance.TimeMaxOverMean = math.NaN()
	if data, err := PlanJSON(p); err == nil {
		t.Errorf("a figure that is not a number was written: %d bytes", len(data))
	}
}

func TestReadPlanRefuses(t *testing.T) {
	good, err := PlanJSON(samplePlan())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":          nil,
		"half of it":       good[:len(good)/2],
		"two of it":        append(append([]byte(nil), good...), good...),
		"an unknown field": bytes.Replace(good, []byte(`"condition"`), []byte(`"condtion"`), 1),
		"a later format":   bytes.Replace(good, fmt.Appendf(nil, `"format_version": %d`, results.FormatVersion), fmt.Appendf(nil, `"format_version": %d`, results.FormatVersion+1), 1),
		"a format of none": bytes.Replace(good, fmt.Appendf(nil, `"format_version": %d`, results.FormatVersion), []byte(`"format_version": 0`), 1),
		"a wrong type":     bytes.Replace(good, []byte(`"replicas": 4`), []byte(`"replicas": "4"`), 1),
	} {
		if _, err := ReadPlan(data); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

// Any plan survives JSON, and writing it again gives the same bytes.
func TestPlanRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		data, err := PlanJSON(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ReadPlan(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(normal(p), back); diff != "" {
			t.Fatalf("plan changes on its way through JSON:\n%s", diff)
		}
		again, err := PlanJSON(back)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, again) {
			t.Fatal("writing the plan that was read gives other bytes")
		}
	})
}

// drawPlan makes a plan of any content that JSON can hold.
func drawPlan(t *rapid.T) *results.Plan {
	number := rapid.Float64Range(-1e12, 1e12)
	maybe := func(name string) *float64 {
		if rapid.Bool().Draw(t, name+" there") {
			return ptr(number.Draw(t, name))
		}
		return nil
	}
	pp := rapid.IntRange(1, 4).Draw(t, "pp")
	degrees := func(name string) results.PerStage {
		return results.PerStage(rapid.SliceOfN(rapid.IntRange(0, 9), 1, pp).Draw(t, name))
	}
	ph := results.PhasePlan{
		Phase: rapid.SampledFrom([]inputs.Phase{inputs.Prefill, inputs.Decode, inputs.Mixed}).Draw(t, "phase"),
		Strategy: results.Strategy{Replicas: rapid.Int().Draw(t, "replicas"), PP: pp, TP: degrees("tp"), EP: degrees("ep"), CP: degrees("cp"),
			DPAttention: degrees("dp_attention"), ETP: degrees("etp"), Layers: rapid.SliceOfN(rapid.Int(), 0, pp).Draw(t, "layers")},
		GPUs:    results.GPUCount{Used: rapid.Int().Draw(t, "used"), Match: rapid.Bool().Draw(t, "match"), Why: rapid.String().Draw(t, "why")},
		Balance: results.Balance{TimeMaxOverMean: number.Draw(t, "balance")},
		Metrics: results.Metrics{TTFTMS: maybe("ttft"), TPOTMS: maybe("tpot"), USDPerHour: maybe("usd")},
		Solve: results.Solve{Status: "optimal", Objective: number.Draw(t, "objective"), BestBound: maybe("bound"),
			Certificate: results.Certificate{Quantisation: map[string]float64{"decode": number.Draw(t, "tick")},
				LeftOut: rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "left out")}},
	}
	if rapid.Bool().Draw(t, "stated") {
		ph.GPUs.Available = ptr(rapid.Int().Draw(t, "available"))
	}
	for i := range pp {
		ph.Stages = append(ph.Stages, results.Stage{Index: i, Pool: rapid.String().Draw(t, "pool"),
			GPUs: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "gpus"), TimeMS: number.Draw(t, "time")})
	}
	return &results.Plan{FormatVersion: results.FormatVersion, Condition: rapid.String().Draw(t, "condition"), Phases: []results.PhasePlan{ph},
		Warnings: rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "warnings")}
}

// Every plan that can be read can be reported and summed up without a panic.
func FuzzReadPlan(f *testing.F) {
	good, err := PlanJSON(samplePlan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format_version":1,"phases":[{"stages":[{}],"strategy":{"tp":[]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPlan(data)
		if err != nil {
			return
		}
		r := &results.Report{Plan: p, Feasible: true, Status: results.StatusOptimal}
		Report(r)
		if err := Summary(&strings.Builder{}, r); err != nil {
			t.Error(err)
		}
		if data, err := PlanJSON(p); err != nil || !json.Valid(data) {
			t.Errorf("a plan that was read cannot be written: %v", err)
		}
	})
}

// TestReadPlanTellsWhere: every place where a file is no plan, with line and column.
func TestReadPlanTellsWhere(t *testing.T) {
	good, err := PlanJSON(samplePlan())
	if err != nil {
		t.Fatal(err)
	}
	with := func(old, new string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the sample has no %s", old)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	for _, tc := range []struct {
		data []byte
		want []string // in order
	}{
		{nil, []string{"1:1: the file is empty, want a plan"}},
		{[]byte("{\n  \"format_version\": 2,\n  oops\n}"), []string{"3:3: not valid JSON: invalid character 'o' looking for beginning of object key string"}},
		{[]byte("{\"format_version\": 2, \"phases\": ["), []string{"1:34: not valid JSON: it ends in the middle; is the file whole?"}},
		{[]byte(`{"plan": "/out/plan.json"}`), []string{"1:1: the file has no format_version, want a plan of format 1 to 2; is it the plan.json of a solve?"}},
		{[]byte(`[]`), []string{"1:1: a list, want an object"}},
		{[]byte("{\n  \"später\": 1, \"format_version\": 3, \"new\": {}}"), []string{"2:34: format_version 3 is later than this program, want a plan of format 1 to 2; use the version of partita that wrote it, or a later one, or solve again"}},
		{[]byte("{\"format_version\": -1}"), []string{"1:20: there is no format_version -1, want a plan of format 1 to 2; solve again"}},
		{[]byte(`{"format_version": "2"}`), []string{`1:20: format_version: "2", want a whole number`}},
		{with(`"condition": "sample"`, `"condition": 8, "condtions": []`), []string{`3:16: condition: 8, want a text`, `3:19: unknown field "condtions", want a field of the plan; did you mean "condition"?`}},
		{with(`"replicas": 4`, `"replicas": 4.5`), []string{`8:21: phases[0].strategy.replicas: 4.5, want a whole number`}},
		{with(`"ep": 1`, `"ep": "one"`), []string{`14:15: phases[0].strategy.ep: "one", want a whole number, or a list with one a stage`}},
		{with(`"stages": [`, `"stages": [7, {"gpus": [1], "layers": {}},`), []string{`: phases[0].stages[0]: 7, want an object`, `: phases[0].stages[1].gpus[0]: 1, want a text`, `: unknown field "phases[0].stages[1].layers", want a field of the plan`}},
		{with(`"condition": "sample"`, `"condition": "sample", "Condition": "x", "condition": "y"`), []string{
			`3:26: unknown field "Condition", want a field of the plan; did you mean "condition"?`, `3:44: field "condition" is given twice, want one value; the first is in line 3`}},
		{append(append([]byte(nil), good...), "{}"...), []string{": more follows after the plan, want one plan"}},
	} {
		p, err := ReadPlan(tc.data)
		var problems inputs.Diagnostics
		if p != nil || !errors.As(err, &problems) {
			t.Errorf("%.40q: got %v, %v", tc.data, p, err)
			continue
		}
		var got []string
		for _, d := range problems {
			d.Place.File = "p"
			got = append(got, strings.TrimPrefix(d.Error(), "p:"))
		}
		if len(got) != len(tc.want) {
			t.Errorf("%.40q: got %q, want %q", tc.data, got, tc.want)
			continue
		}
		for i := range got {
			if !strings.HasSuffix(got[i], tc.want[i]) {
				t.Errorf("%.40q: got %q, want %q", tc.data, got[i], tc.want[i])
			}
		}
	}
}

// TestEarlierFormat: a plan that the program of format 1 wrote is read; it does not repeat
// its deployment.
func TestEarlierFormat(t *testing.T) {
	data, err := os.ReadFile("testdata/plan-format-1.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPlan(data)
	if err != nil {
		t.Fatal(err)
	}
	if p.FormatVersion != 1 || p.Deployment != nil || p.Outcome != nil || len(p.Phases) != 1 || len(p.Phases[0].Stages) == 0 {
		t.Errorf("read as %+v", p)
	}
	if r := results.ReportOf(p); !r.Feasible || r.Status != results.StatusOptimal {
		t.Errorf("its outcome is told as %t, %s", r.Feasible, r.Status)
	}
}
