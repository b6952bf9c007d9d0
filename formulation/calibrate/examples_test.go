package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"partita/inputs/kernels"
)

const exampleFolder = "../../examples/calibrate/"

// The examples are made here, by the formulas of docs/cost-model.md written out by hand with
// the constants below and noise: nobody measured them, and the fit has to find the constants
// without the code that priced them.
const (
	exampleFLOPS, exampleFP8, exampleMemory, exampleLink = 989e12, 1979e12, 3.35e12, 450e9 // datasheet of the H100

	example16Floor, example16Compute, example16Bandwidth             = 5.2e-6, 0.70, 0.78
	example8Floor, example8Compute, example8Bandwidth                = 7.5e-6, 0.61, 0.70
	examplePrefillFloor, examplePrefillCompute                       = 9.0e-6, 0.47
	exampleDecodeFloor, exampleDecodeBandwidth                       = 8.0e-6, 0.74
	exampleSendLatency, exampleSendShare, exampleStream, exampleBase = 9.5e-6, 0.66, 0.71, 2.2e-6
)

// noisy is a time in the unit of so many seconds under 3 % of noise.
func noisy(random *rand.Rand, seconds, unit float64) string {
	return fmt.Sprintf("%.6g", seconds*math.Exp(0.03*random.NormFloat64())/unit)
}

// exampleFiles are the contents of the examples, by name.
func exampleFiles() map[string]string {
	const about = "# Synthetic: made by formula with noise, not measured. docs/calibrate.md reads it.\n"
	const stamp = "Synthetic,1.0,NVIDIA H100 80GB HBM3,"
	random := rand.New(rand.NewPCG(7, 7))
	out := map[string]string{}
	write := func(name, header string, rows []string) {
		out[name] = about + header + "\n" + strings.Join(rows, "\n") + "\n"
	}

	var rows []string
	for _, nk := range [][2]int{{512, 1024}, {1024, 1024}, {4096, 4096}, {6144, 4096}, {4096, 14336}, {28672, 4096}, {8192, 28672}} {
		for _, m := range []int{1, 8, 64, 256, 1024, 4096, 16384} {
			n, k := float64(nk[0]), float64(nk[1])
			x := float64(m)
			wide := example16Floor + math.Max(2*x*n*k/(example16Compute*exampleFLOPS), (2*k*n+2*x*(k+n))/(example16Bandwidth*exampleMemory))
			narrow := example8Floor + math.Max(2*x*n*k/(example8Compute*exampleFP8), (k*n+2*x*(k+n))/(example8Bandwidth*exampleMemory))
			rows = append(rows, fmt.Sprintf("%sgemm,torch_flow,bfloat16,%d,%d,%d,%s", stamp, m, nk[0], nk[1], noisy(random, wide, 1e-3)))
			rows = append(rows, fmt.Sprintf("%sgemm,torch_flow,fp8,%d,%d,%d,%s", stamp, m, nk[0], nk[1], noisy(random, narrow, 1e-3)))
		}
	}
	write("gemm_perf.txt", "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency", rows)

	const attention = "framework,version,device,op_name,kernel_source,batch_size,isl,num_heads,num_key_value_heads,head_dim,beam_width,attn_dtype,kv_cache_dtype,step,latency"
	rows = nil
	var prompts []string
	for _, heads := range []int{4, 8, 16, 32, 64} {
		for _, b := range []int{1, 8, 64} {
			for _, context := range []int{128, 1024, 4096, 16384} {
				h, x, c := float64(heads), float64(b), float64(context)
				kv := float64(max(1, heads/8))
				bytes := x * (2*h*256 + kv*256*c*2)
				t := exampleDecodeFloor + bytes/(exampleDecodeBandwidth*exampleMemory)
				rows = append(rows, fmt.Sprintf("%sgeneration_attention,flash,%d,1,%d,%d,128,1,bfloat16,bfloat16,%d,%s", stamp, b, heads, max(1, heads/8), context-1, noisy(random, t, 1e-3)))
				if b > 8 {
					continue
				}
				bytes = x * c * (2*h*256 + kv*256*2)
				t = examplePrefillFloor + math.Max(x*h*256*c*c/(examplePrefillCompute*exampleFLOPS), bytes/(0.88*exampleMemory))
				prompts = append(prompts, fmt.Sprintf("%scontext_attention,flash,%d,%d,%d,%d,128,1,bfloat16,bfloat16,0,%s", stamp, b, context, heads, max(1, heads/8), noisy(random, t, 1e-3)))
			}
		}
	}
	write("generation_attention_perf.txt", attention, rows)
	write("context_attention_perf.txt", attention, prompts)

	rows = nil
	for b := 1 << 12; b <= 1<<30; b <<= 2 {
		x := float64(b)
		rows = append(rows, fmt.Sprintf("send,%d,%s", b, noisy(random, exampleSendLatency+x/(exampleSendShare*exampleLink), 1e-6)))
		rows = append(rows, fmt.Sprintf("stream,%d,%s", b, noisy(random, exampleBase+x/(exampleStream*exampleMemory), 1e-6)))
	}
	write("own.csv", "op,bytes,latency_us", rows)
	return out
}

// The examples are what they say they are. UPDATE_EXAMPLES=1 writes them.
func TestExamplesAreSynthetic(t *testing.T) {
	for name, want := range exampleFiles() {
		if os.Getenv("UPDATE_EXAMPLES") != "" {
			if err := os.WriteFile(exampleFolder+name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(exampleFolder + name); err != nil || string(got) != want {
			t.Errorf("%s is not what its formula makes: %v", name, err)
		}
	}
}

// The formulas that the examples were made by, written out by hand, are those that are
// fitted: their constants come back.
func TestExamplesGiveTheirConstants(t *testing.T) {
	var tables []*kernels.Table
	for _, name := range []string{"gemm_perf.txt", "context_attention_perf.txt", "generation_attention_perf.txt", "own.csv"} {
		table, err := kernels.Load(exampleFolder + name)
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	c, err := Run(tables, Options{Catalog: library(t), Device: "H100"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"operators.gemm16.floor": example16Floor, "operators.gemm16.compute": example16Compute, "operators.gemm16.bandwidth": example16Bandwidth,
		"operators.gemm8.floor": example8Floor, "operators.gemm8.compute": example8Compute, "operators.gemm8.bandwidth": example8Bandwidth,
		"operators.prefill.floor": examplePrefillFloor, "operators.prefill.compute": examplePrefillCompute,
		"operators.decode.floor": exampleDecodeFloor, "operators.decode.bandwidth": exampleDecodeBandwidth,
		"operators.stream.floor": exampleBase, "operators.stream.bandwidth": exampleStream,
		"links.nvlink.send_latency": exampleSendLatency, "links.nvlink.send_share": exampleSendShare,
	}
	for _, l := range c.Devices[0].Laws {
		if l.Refused != "" {
			t.Errorf("%s: %s", l.Path, l.Refused)
			continue
		}
		if l.HeldOut.MedianPct > 3.5 || l.HeldOut.MedianPct > l.BuiltIn.MedianPct/2 {
			t.Errorf("%s: held out %+v, built in %+v", l.Path, *l.HeldOut, l.BuiltIn)
		}
		for _, k := range l.Constants {
			w, planted := want[k.Path]
			switch {
			case planted && k.Fitted == nil:
				t.Errorf("%s stays: %s", k.Path, k.Refused)
			case planted && math.Abs(*k.Fitted/w-1) > 0.05:
				t.Errorf("%s is %g, made with %g", k.Path, *k.Fitted, w)
			}
			delete(want, k.Path)
		}
	}
	for path := range want {
		t.Errorf("nothing about %s", path)
	}
}
