package kernels

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"

	"partita/inputs"
)

// withoutPlace compares samples by what was timed.
var withoutPlace = cmpopts.IgnoreFields(Sample{}, "Place")

// Each table of AIConfigurator is known by its columns, in any order and among others.
func TestAIConfigurator(t *testing.T) {
	for _, c := range []struct {
		kind, text string
		want       []Sample
		skipped    []Skip
	}{
		{"AIConfigurator GEMM", `framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency,power
TRTLLM,1.0,NVIDIA H100 80GB HBM3,gemm,torch_flow,bfloat16,16,4096,1024,0.0125,300
TRTLLM,1.0,NVIDIA H100 80GB HBM3,gemm,torch_flow,int4_wo,16,4096,1024,0.0125,300
TRTLLM,1.0,NVIDIA H100 80GB HBM3,gemm,torch_flow,gptq,16,4096,1024,0.0125,300
`, []Sample{
			{Op: Matmul, Device: "NVIDIA H100 80GB HBM3", Weight: inputs.BF16, Compute: inputs.BF16, M: 16, N: 4096, K: 1024, Framework: "trtllm", Seconds: 12.5e-6},
			{Op: Matmul, Device: "NVIDIA H100 80GB HBM3", Weight: inputs.INT4, Compute: inputs.BF16, M: 16, N: 4096, K: 1024, Framework: "trtllm", Seconds: 12.5e-6},
		}, []Skip{{1, `number format "gptq" is not known`}}},
		{"AIConfigurator attention", `device,op_name,batch_size,isl,num_heads,num_key_value_heads,head_dim,beam_width,attn_dtype,kv_cache_dtype,step,window_size,latency
x,context_attention,2,4096,32,8,128,1,bfloat16,fp8,0,-1,1.5
x,generation_attention,64,1,32,0,128,1,bfloat16,float16,1023,128,0.02
x,encoder_attention,64,1,32,0,128,1,bfloat16,float16,1023,128,0.02
`, []Sample{
			{Op: PrefillAttention, Device: "x", Compute: inputs.BF16, KV: inputs.FP8, Batch: 2, New: 4096, Heads: 32, KVHeads: 8, HeadDim: 128, Seconds: 1.5e-3},
			{Op: DecodeAttention, Device: "x", Compute: inputs.BF16, KV: inputs.FP16, Batch: 64, New: 1, Context: 1024, Heads: 32, KVHeads: 32, HeadDim: 128, Window: 128, Seconds: 20e-6},
		}, []Skip{{1, "attention of neither prompts nor generated tokens"}}},
		{"AIConfigurator attention", `batch_size,isl,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,step,latency
4,1,32,8,128,float16,63,1
4,64,32,8,128,float16,0,1
`, []Sample{
			{Op: DecodeAttention, Compute: inputs.BF16, KV: inputs.FP16, Batch: 4, New: 1, Context: 64, Heads: 32, KVHeads: 8, HeadDim: 128, Seconds: 1e-3},
			{Op: PrefillAttention, Compute: inputs.BF16, KV: inputs.FP16, Batch: 4, New: 64, Heads: 32, KVHeads: 8, HeadDim: 128, Seconds: 1e-3},
		}, nil},
		{"AIConfigurator latent attention", `device,op_name,mla_dtype,kv_cache_dtype,num_heads,batch_size,isl,tp_size,step,latency
x,mla_generation,float16,fp8,16,8,1,8,2047,0.03
x,mla_context,bfloat16,bfloat16,,1,512,4,0,0.1
x,mla_generation,fp8_block,fp8,16,8,2048,1,0,0.9
`, []Sample{
			{Op: DecodeLatent, Device: "x", Compute: inputs.FP16, KV: inputs.FP8, Batch: 8, New: 1, Context: 2048, Heads: 16, KVHeads: 1, Seconds: 30e-6},
			{Op: PrefillLatent, Device: "x", Compute: inputs.BF16, KV: inputs.BF16, Batch: 1, New: 512, Heads: 32, KVHeads: 1, Seconds: 100e-6},
		}, []Skip{{1, "modules of attention with its projections are not fitted from"}}},
		{"AIConfigurator latent attention", `op_name,gemm_type,mla_dtype,kv_cache_dtype,num_heads,batch_size,isl,step,latency
mla_context_module,fp8_block,bfloat16,fp8,16,8,1,0,0.03
`, nil, []Skip{{1, "modules of attention with its projections are not fitted from"}}},
		{"AIConfigurator experts", `device,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,distribution,latency
x,fp8,128,7168,2048,8,256,1,8,balanced,0.4
x,fp8,128,7168,2048,8,256,1,8,power_law_1.01,0.5
`, []Sample{
			{Op: Experts, Device: "x", Weight: inputs.FP8, Compute: inputs.FP8, Tokens: 128, Hidden: 7168, Width: 2048, TopK: 8, Experts: 256, ETP: 1, EP: 8, Seconds: 400e-6},
		}, []Skip{{1, "experts with uneven routing"}}},
		{"AIConfigurator all-reduce", "allreduce_dtype,num_gpus,message_size,latency,implementation\nfloat16,8,1024,0.012,trtllm\n",
			[]Sample{{Op: AllReduce, Compute: inputs.FP16, GPUs: 8, Nodes: 1, Bytes: 2048, Seconds: 12e-6}}, nil},
		{"AIConfigurator all-reduce", `kernel_source,allreduce_dtype,num_gpus,message_size,latency,backend
vLLM_custom_graph,bfloat16,4,1024,0.004,vllm_graph
vLLM_custom_eager,bfloat16,4,1024,0.03,vllm_eager
`, []Sample{{Op: AllReduce, Compute: inputs.BF16, GPUs: 4, Nodes: 1, Bytes: 2048, Seconds: 4e-6}}, []Skip{{1, "all-reduces that the host launches one by one (eager mode)"}}},
		{"AIConfigurator NCCL", "nccl_dtype,op_name,num_gpus,message_size,latency\nint8,alltoall,4,1024,0.012\nhalf,all_gather,4,1024,0.012\nhalf,broadcast,4,1024,0.012\n", []Sample{
			{Op: AllToAll, Compute: inputs.INT8, GPUs: 4, Nodes: 1, Bytes: 1024, Library: true, Seconds: 12e-6},
			{Op: AllGather, Compute: inputs.FP16, GPUs: 4, Nodes: 1, Bytes: 2048, Library: true, Seconds: 12e-6},
		}, []Skip{{1, `collective "broadcast" is not priced`}}},
		{"another table of AIConfigurator", "framework,version,device,op_name,kernel_source,bmm_dtype,num_tokens,latency\na,b,c,mla_gen_pre,d,fp8,1,1\n", nil,
			[]Skip{{1, `operator "mla_gen_pre" is not fitted from`}}},
		{"another table of AIConfigurator", "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,latency\na,b,c,gemm,d,fp8,1,1,1\n", nil,
			[]Skip{{1, `operator "gemm" is not fitted from: AIConfigurator GEMM would have k too`}}},
	} {
		got, err := Parse("t.txt", []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.kind, err)
			continue
		}
		if got.Kind != c.kind || got.Rows != strings.Count(c.text, "\n")-1 {
			t.Errorf("%s: kind %q, %d rows", c.kind, got.Kind, got.Rows)
		}
		if d := cmp.Diff(c.want, got.Samples, withoutPlace, cmpopts.EquateApprox(1e-12, 0)); d != "" {
			t.Errorf("%s:\n%s", c.kind, d)
		}
		if d := cmp.Diff(c.skipped, got.Skipped); d != "" {
			t.Errorf("%s:\n%s", c.kind, d)
		}
	}
}

// A table of one's own has its unit in the name of its column, and comments.
func TestOwnTable(t *testing.T) {
	got, err := Parse("own.csv", []byte("# a comment\n"+`op,device,dtype,weight_dtype,m,n,k,batch,new,context,heads,kv_heads,head_dim,tokens,hidden,width,experts,top_k,gpus,bytes,latency_us,notes
matmul,H100,fp8,,1,2,3,,,,,,,,,,,,,,5,"a, b"
matmul,H100,bf16,int4,1,2,3,,,,,,,,,,,,,,5,
decode_attention,H100,,,,,,4,,100,32,8,128,,,,,,,,5,
prefill_mla,H100,,,,,,4,100,,16,,,,,,,,,,5,
experts,H100,,,,,,,,,,,,64,4096,1536,128,8,,,5,
all_reduce,H100,,,,,,,,,,,,,,,,,8,4096,5,
send,H100,,,,,,,,,,,,,,,,,,4096,5,
`))
	if err != nil {
		t.Fatal(err)
	}
	const s = 5e-6
	want := []Sample{
		{Op: Matmul, Device: "H100", Compute: inputs.FP8, Weight: inputs.FP8, M: 1, N: 2, K: 3, Seconds: s},
		{Op: Matmul, Device: "H100", Compute: inputs.BF16, Weight: inputs.INT4, M: 1, N: 2, K: 3, Seconds: s},
		{Op: DecodeAttention, Device: "H100", Compute: inputs.BF16, KV: inputs.BF16, Batch: 4, New: 1, Context: 100, Heads: 32, KVHeads: 8, HeadDim: 128, Seconds: s},
		{Op: PrefillLatent, Device: "H100", Compute: inputs.BF16, KV: inputs.BF16, Batch: 4, New: 100, Heads: 16, KVHeads: 1, Seconds: s},
		{Op: Experts, Device: "H100", Compute: inputs.BF16, Weight: inputs.BF16, Tokens: 64, Hidden: 4096, Width: 1536, Experts: 128, TopK: 8, EP: 1, ETP: 1, Seconds: s},
		{Op: AllReduce, Device: "H100", Compute: inputs.BF16, GPUs: 8, Nodes: 1, Bytes: 4096, Seconds: s},
		{Op: Send, Device: "H100", Compute: inputs.BF16, GPUs: 2, Nodes: 1, Bytes: 4096, Seconds: s},
	}
	if d := cmp.Diff(want, got.Samples, withoutPlace, cmpopts.EquateApprox(1e-12, 0)); d != "" {
		t.Error(d)
	}
	if at := got.Samples[0].Place; at != (inputs.Place{File: "own.csv", Line: 3}) {
		t.Error(at)
	}
}

// All problems are told at once, each with its place, what was expected and a hint.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"t.csv:1:1: the file is empty"}},
		{"no rows", "gemm_dtype,m,n,k,latency\n", []string{"t.csv:1:1: the table has no rows, want at least one timing"}},
		{"other columns", "a,b\n1,2\n", []string{"t.csv:1:1: the columns are those of no table of operator timings: a, b, want a *_perf table of AIConfigurator"}},
		{"a column is missing", "gemm_dtype,m,n,latency\nfp8,1,2,3\n", []string{"t.csv:1:1: the columns are those of no table", "AIConfigurator GEMM would have k too; docs/calibrate.md lists the columns"}},
		{"a pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", []string{"t.csv:1:1: this is a pointer of Git LFS, not the table, want the table itself; fetch it with git lfs pull"}},
		{"gzip", "\x1f\x8b\x08\x00", []string{"t.csv:1:1: the file is compressed with gzip, want a table of operator timings; unpack it with gunzip"}},
		{"not text", "op,\x00\n", []string{"neither Parquet nor text"}},
		{"cells", "gemm_dtype,m,n,k,latency\nfp8,0,2.5,x,-1\nfp8,1,1,1,1\nfp8,1,1,1,NaN\n", []string{
			`t.csv:2:5: m is "0", want a whole number from 1`, `t.csv:2:7: n is "2.5", want a whole number from 1`, `t.csv:2:11: k is "x"`, `t.csv:2:13: latency is "-1", want a number above 0`, `t.csv:4:11: latency is "NaN"`,
		}},
		{"short rows", "gemm_dtype,m,n,k,latency\nfp8,1\n", []string{"t.csv:2:1: a row of 2 cells, want 5, as many as columns"}},
		{"an own column", "op,dtype,latency_us,head_dimm,zzz\nstream,bf16,1,1,1\n", []string{
			`t.csv:1:21: unknown column "head_dimm", want a column of the table; did you mean head_dim?`, `t.csv:1:31: unknown column "zzz"`,
		}},
		{"no time", "op,bytes\nstream,1\n", []string{"t.csv:1:1: no column with the time, want latency_us, latency_ms or latency_s"}},
		{"two times", "op,bytes,latency_us,latency_ms\nstream,1,1,1\n", []string{"both latency_ms and latency_us are there"}},
		{"an operator", "op,bytes,latency_us\nmatmull,1,1\n", []string{`t.csv:2:1: op is "matmull", want one of matmul, prefill_attention`, "did you mean matmul?"}},
		{"a missing size", "op,m,n,latency_us\nmatmul,1,,1\n", []string{`t.csv:2:10: n is "", want a whole number from 1; docs/calibrate.md lists the sizes`, "t.csv:2:1: no column k"}},
		{"a format", "op,dtype,bytes,latency_us\nstream,bf15,1,1\n", []string{`t.csv:2:8: dtype is "bf15", want one of fp32`}},
		{"devices", "op,gpus,nodes,bytes,latency_us\nall_reduce,3,2,1,1\n", []string{`t.csv:2:12: gpus is "3", want at least 2, and as many on every node`}},
		{"experts", "op,tokens,hidden,width,experts,top_k,latency_us\nexperts,1,1,1,4,8,1\n", []string{`top_k is "8", want at most experts`}},
		{"a measurement", "gpu,metric,value,model\nH100,x,y,z\n", []string{`t.csv:2:8: value is "y", want a number above 0`}},
		{"many", "gemm_dtype,m,n,k,latency\n" + strings.Repeat("fp8,1,1,1,x\n", 150), []string{"50 more problems from here on"}},
		{"quotes", "op,bytes,latency_us\nstream,\"1,1\n", []string{"no CSV: "}},
	} {
		_, err := Parse("t.csv", []byte(c.text))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s:\n%s\nwant %s", c.name, err, want)
			}
		}
	}
}

// row is a row of a GEMM table with columns of several types, one of them empty.
type gemmRow struct {
	Device string   `parquet:"device,dict"`
	Format string   `parquet:"gemm_dtype,dict"`
	M      int64    `parquet:"m"`
	N      int32    `parquet:"n"`
	K      float64  `parquet:"k"`
	Time   float64  `parquet:"latency"`
	Power  *float32 `parquet:"power,optional"`
	Graph  bool     `parquet:"used_cuda_graph"`
}

func gemmParquet(t testing.TB, rows []gemmRow, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows, options...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A Parquet table holds what the same table as text holds, whatever its compression.
func TestParquet(t *testing.T) {
	var rows []gemmRow
	text := "device,gemm_dtype,m,n,k,latency\n"
	for i := range 600 {
		rows = append(rows, gemmRow{Device: "NVIDIA H200", Format: "fp8", M: int64(i + 1), N: 4096, K: 1024, Time: 0.25})
		text += "NVIDIA H200,fp8," + strings.TrimSpace(strings.Join([]string{itoa(i + 1), "4096", "1024", "0.25"}, ",")) + "\n"
	}
	want, err := Parse("t.csv", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]parquet.WriterOption{
		"plain": parquet.Compression(&parquet.Uncompressed), "snappy": parquet.Compression(&parquet.Snappy), "zstd": parquet.Compression(&parquet.Zstd),
	} {
		got, err := Parse("t.parquet", gemmParquet(t, rows, option, parquet.MaxRowsPerRowGroup(250)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want.Samples, got.Samples, withoutPlace); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if at := got.Samples[599].Place; at != (inputs.Place{File: "t.parquet", Line: 600}) {
			t.Errorf("%s: last row at %v", name, at)
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// Problems of Parquet are at their row and column; a file that is cut off is one problem.
func TestParquetProblems(t *testing.T) {
	bad := gemmParquet(t, []gemmRow{{"x", "fp8", 1, 1, 1, 1, nil, true}, {"x", "fp8", 0, 1, 1.5, -1, nil, true}})
	_, err := Parse("t.parquet", bad)
	for _, want := range []string{`t.parquet:2:3: m is "0"`, `t.parquet:2:5: k is "1.5"`, `t.parquet:2:6: latency is "-1"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	_, err = Parse("t.parquet", bad[:len(bad)-9])
	if err == nil || strings.Count(err.Error(), "\n") != 0 || !strings.Contains(err.Error(), "t.parquet: the Parquet file cannot be read: ") {
		t.Error(err)
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, []struct {
		M []int64 `parquet:"m"`
	}{{[]int64{1}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("t.parquet", b.Bytes()); err == nil || !strings.Contains(err.Error(), `column "m" holds lists or groups, want columns of numbers and texts`) {
		t.Error(err)
	}
}

// Rows on single operators are taken from a table of measurements, times before rates.
func TestMeasurements(t *testing.T) {
	got, err := Parse("m.csv", []byte(`run_id,kind,model,model_shape,precision,gpu,num_gpus,nodes,metric,value,seen
a,microbench,nccl,payload=1MiB,,H100,8,1,allreduce_busbw_gbs,67,yes
a,microbench,nccl,payload=1MiB,,H100,8,1,allreduce_time_us,27,yes
b,microbench,nccl,payload=2048B,,H100,4,1,allreduce_algbw_gbs,1,yes
c,microbench,nccl,payload=2048B,,H100,4,1,allreduce_busbw_gbs,1.5,yes
d,microbench,dense matmul,MxNxK 1000x2000x500,FP8,H100,1,1,max_matmul_tflops,2,yes
e,serving-latency,m,,,H100,1,1,tpot_ms,3,yes
f,microbench,nccl,payload=2048B,,H100,4,1,allreduce_algbw_gbs,1,no
g,microbench,nccl,payload=2048B,,,4,1,allreduce_algbw_gbs,1,yes
h,microbench,nccl,,,H100,4,1,allreduce_algbw_gbs,1,yes
i,microbench,nccl,,,H100,4,1,p2p_gbs,1,yes
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Sample{
		{Op: AllReduce, Device: "H100", Compute: inputs.BF16, GPUs: 8, Nodes: 1, Bytes: 1 << 20, Library: true, Seconds: 27e-6},
		{Op: AllReduce, Device: "H100", Compute: inputs.BF16, GPUs: 4, Nodes: 1, Bytes: 2048, Library: true, Seconds: 2048e-9},
		{Op: AllReduce, Device: "H100", Compute: inputs.BF16, GPUs: 4, Nodes: 1, Bytes: 2048, Library: true, Seconds: 2048e-9},
		{Op: Matmul, Device: "H100", Compute: inputs.FP8, Weight: inputs.FP8, M: 1000, N: 2000, K: 500, Seconds: 1e-3},
	}
	if d := cmp.Diff(want, got.Samples, withoutPlace, cmpopts.EquateApprox(1e-12, 0)); d != "" {
		t.Error(d)
	}
	rows := len(got.Samples)
	for _, s := range got.Skipped {
		rows += s.Rows
	}
	if rows != 10 || len(got.Skipped) != 6 {
		t.Errorf("%d rows: %+v", rows, got.Skipped)
	}
}

// Whatever a file holds, it is read or refused: nothing panics.
func FuzzParse(f *testing.F) {
	f.Add([]byte("gemm_dtype,m,n,k,latency\nfp8,1,1,1,1\n"))
	f.Add([]byte("op,bytes,latency_us\nstream,1,1\n"))
	f.Add(gemmParquet(f, []gemmRow{{"x", "fp8", 1, 1, 1, 1, nil, true}}))
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Parse("f", data)
		if (table == nil) == (err == nil) {
			t.Fatalf("%v and %v", table, err)
		}
	})
}
