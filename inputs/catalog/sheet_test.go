package catalog

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"partita/inputs"
)

// The entries agree with the data sheets that were collected independently.
func TestAcceleratorsAgreeWithSheets(t *testing.T) {
	file, err := os.Open("../../../shared/measured/accelerators.csv")
	if err != nil {
		t.Skip("no collected data sheets beside this checkout")
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	c := load(t)
	for _, row := range rows[1:] {
		// One row stands for the 16 GB and the 32 GB part.
		for _, size := range []string{"16GB", "32GB"} {
			name := strings.Replace(row[column["gpu"]], "16/32GB", size, 1)
			e, ok := c.AcceleratorEntry(name)
			if !ok {
				t.Errorf("%s is not known", name)
				continue
			}
			half := max(e.FLOPS[inputs.BF16], e.FLOPS[inputs.FP16])
			for _, figure := range []struct {
				column string
				got    float64
			}{
				{"mem_bw_gbs", e.MemoryBandwidth / giga},
				{"fp16_bf16_dense_tflops", half / tera},
				{"fp8_dense_tflops", e.FLOPS[inputs.FP8] / tera},
				{"fp4_dense_tflops", e.FLOPS[inputs.FP4] / tera},
				{"pcie_gbs_per_dir", e.PCIe / giga},
				{"tdp_w", e.TDPWatts},
			} {
				want := 0.0
				if text := row[column[figure.column]]; text != "" {
					if want, err = strconv.ParseFloat(text, 64); err != nil {
						t.Fatal(err)
					}
				}
				if math.Abs(figure.got-want) > 1e-9*want {
					t.Errorf("%s: %s %v, want %v", name, figure.column, figure.got, want)
				}
			}
			// Printed capacity against what the driver reports: binary, less reserves
			// and what is not usable of a stacked package.
			if printed, err := strconv.ParseFloat(row[column["memory_gb"]], 64); err == nil {
				if share := float64(e.MemoryBytes) / (printed * (1 << 30)); share < 0.92 || share > 1.01 {
					t.Errorf("%s: %.2f of the printed memory", name, share)
				}
			}
		}
	}
}
