package measured

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partita/inputs"
)

func TestParse(t *testing.T) {
	rows, err := Parse("t.csv", []byte("\xef\xbb\xbfmetric,value,gpu,model,isl,osl,concurrency,seen,tp,notes,run_id\n"+
		"tpot_ms_median,12.5,H100,Llama-3.1-8B,1024,294.3,64,yes,2,\"a, b\",r1\n"+
		"ttft_ms,30,H100,Llama-3.1-8B,1024,,rate=INF,no,,,\n"+
		"output_tok_s,30,H100,Llama-3.1-8B,1024,8,max,,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	a := rows[0]
	if a.Metric != "tpot_ms_median" || a.Value != 12.5 || a.Input != 1024 || a.Output != 294.3 || a.Concurrency.Requests != 64 || a.TP != 2 || a.Notes != "a, b" || a.Run != "r1" || a.Unseen {
		t.Errorf("%+v", a)
	}
	if b := rows[1]; !b.Unseen || !b.Concurrency.Rate || b.Output != 0 || b.TP != 0 || b.Run != "t.csv:3:1" {
		t.Errorf("%+v", b)
	}
	if !rows[2].Concurrency.Most {
		t.Errorf("%+v", rows[2])
	}
}

func TestParseTraining(t *testing.T) {
	rows, err := Parse("t.csv", []byte("metric,value,gpu,model,model_shape,vpp,sharding,recompute,micro_batch,global_batch,isl\n"+
		"iteration_time_s,12.5,A100,m,L80 h8192,3,ZeRO-1,full,2,2048,4096\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[0]; r.Shape != "L80 h8192" || r.Virtual != 3 || r.Sharding != "ZeRO-1" || r.Recompute != "full" || r.MicroBatch != 2 || r.GlobalBatch != 2048 || r.Input != 4096 {
		t.Errorf("%+v", r)
	}
}

func TestParseTellsAllProblems(t *testing.T) {
	const header = "metric,value,gpu,model,tp,isl,concurrency,seen\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"t.csv:1:1: the file is empty"}},
		{"no rows", header, []string{"the table has no rows"}},
		{"not text", "metric\xff", []string{"not text in UTF-8"}},
		{"columns", "metric,valeu,gpu,gpu\n", []string{`t.csv:1:8: unknown column "valeu", want a column of the table; did you mean value?`, `t.csv:1:18: column "gpu" stands twice`, "no column value", "no column model or model_hf_id"}},
		{"cells", header + "tpot_ms,0,H100,m,0,x,many,perhaps\n,NaN,H100,m,,0.5,0,\n", []string{
			`t.csv:2:9: value is "0", want a number above 0`, `t.csv:2:18: tp is "0"`, `t.csv:2:20: isl is "x"`, `t.csv:2:22: concurrency is "many"`, `t.csv:2:27: seen is "perhaps"`,
			`t.csv:3:1: metric is ""`, `t.csv:3:2: value is "NaN"`, `isl is "0.5"`, `concurrency is "0"`}},
		{"columns and cells", "metric,value,gpu,model,tier2\ntpot_ms,x,H100,m,\n", []string{`t.csv:1:24: unknown column "tier2"`, `t.csv:2:9: value is "x"`}},
		{"values", "metric,value,gpu,model\ntpot_ms,1e-300,H100,m\ntpot_ms,1e300,H100,m\n", []string{`t.csv:2:9: value is "1e-300", want a number from 1e-12 to 1e+18`, `t.csv:3:9: value is "1e300"`}},
		{"semicolons", "metric;value;gpu;model\ntpot_ms;1;H100;m\n", []string{"t.csv:1:1: the cells are apart by semicolons, want cells apart by commas"}},
		{"tabs", "metric\tvalue\tgpu\tmodel\n", []string{"t.csv:1:1: the cells are apart by tabs"}},
		{"units", "metric,value,gpu,model,unit\ntpot_ms,1,H100,m,s\ne2e_s_mean,1,H100,m,ms\ndecode_ms_per_token,1,H100,m,ms\noutput_tok_s,1,H100,m,tok/s\ntokens_per_s_per_gpu,1,H100,m,s\niteration_time_s,1,H100,m,s (about)\n",
			[]string{`t.csv:2:18: unit is "s", want ms, in which tpot_ms is`, `t.csv:3:21: unit is "ms", want s, in which e2e_s_mean is`}},
		{"ragged", header + "a,1\n", []string{"t.csv:2:1: a row of 2 cells, want 8"}},
		{"quotes", header + "a,\"1\n", []string{"no CSV"}},
	} {
		_, err := Parse("t.csv", []byte(c.text))
		var problems inputs.Diagnostics
		if !errors.As(err, &problems) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, err)
			}
		}
		if len(problems) != len(c.want) {
			t.Errorf("%s: %d problems, want %d:\n%s", c.name, len(problems), len(c.want), err)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.csv")
	if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), path+": no such file") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(path, []byte("metric,value,gpu,model\nx,1,H100,m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if rows, err := Load(path); err != nil || len(rows) != 1 {
		t.Errorf("%v %v", rows, err)
	}
}

// The table that the published figures come from reads whole.
func TestSharedTable(t *testing.T) {
	const path = "../../../shared/measured/measured.csv"
	if _, err := os.Stat(path); err != nil {
		t.Skip("the table of published measurements is not here: ", err)
	}
	rows, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 1000 {
		t.Errorf("%d rows", len(rows))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("metric,value,gpu,model\nx,1,H100,m\n"))
	f.Add([]byte("metric,value,gpu,model,concurrency\n\"x\n\",1,H100,m,rate=1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := Parse("f", data)
		if err == nil && len(rows) == 0 || err != nil && rows != nil {
			t.Fatalf("%d rows, error %v", len(rows), err)
		}
	})
}
