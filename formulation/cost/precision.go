package cost

import (
	"fmt"

	"partita/inputs"
)

// precision is what a device computes in.
type precision struct {
	matmul     inputs.DType // of the weight matrices
	matmulPeak float64      // FLOP/s
	dense      inputs.DType // of those beside the routed experts
	densePeak  float64      // FLOP/s
	wide       inputs.DType // of attention, router and head: 16 bits or more
	widePeak   float64      // FLOP/s
}

// resolvePrecision picks the formats that the accelerator computes the model in,
// and says in sentences what differs from the stated ones.
//
// Weights in a format that the device does not compute keep their storage size and
// are widened on the fly, so they run at the rate of the 16-bit format. That is
// how serving kernels treat FP8 on Ampere and 4-bit weights on most devices.
func resolvePrecision(pool *inputs.Pool, m *inputs.Model) (precision, []string, error) {
	a := &pool.Accelerator
	var warnings []string
	warn := func(format string, args ...any) {
		warnings = append(warnings, fmt.Sprintf("pool %q: ", pool.Name)+fmt.Sprintf(format, args...))
	}

	want := m.Weights
	if want == "" {
		want = inputs.BF16
	}
	wideWant := inputs.BF16
	if m.Activation != "" && m.Activation.Bytes() >= 2 {
		wideWant = m.Activation
	}
	if want == inputs.FP16 || want == inputs.FP32 {
		wideWant = want
	}

	wide, widePeak, err := widePrecision(pool, wideWant, warn)
	if err != nil {
		return precision{}, nil, err
	}
	p := precision{matmul: want, matmulPeak: a.FLOPS[want], wide: wide, widePeak: widePeak}
	if p.matmulPeak <= 0 {
		p.matmul, p.matmulPeak = wide, widePeak
	}
	p.dense, p.densePeak = p.matmul, p.matmulPeak
	if m.Dense != "" {
		p.dense, p.densePeak = m.Dense, a.FLOPS[m.Dense]
		if p.densePeak <= 0 {
			p.dense, p.densePeak = wide, widePeak
		}
	}
	if p.matmul == want {
		return p, warnings, nil
	}
	if want.Bytes() < 2 {
		warn("%s has no %s compute; weights stay in %s (%g bytes an element) and are multiplied at its %s rate",
			a.Name, want, want, want.Bytes(), wide)
	}
	return p, warnings, nil
}

// widePrecision finds a format of at least 16 bits and its peak.
func widePrecision(pool *inputs.Pool, want inputs.DType, warn func(string, ...any)) (inputs.DType, float64, error) {
	a := &pool.Accelerator
	if peak := a.FLOPS[want]; peak > 0 {
		return want, peak, nil
	}
	// A source that states one peak for the device means it for all operators.
	if dtype, peak, only := onlyPeak(a.FLOPS); only && a.Efficiency != nil {
		warn("%s states one peak only (%s); it is used for every operator", a.Name, dtype)
		return want, peak, nil
	}
	half := inputs.FP16
	if want == inputs.FP16 {
		half = inputs.BF16
	}
	if peak := a.FLOPS[half]; peak > 0 {
		if want == inputs.FP32 {
			// The TF32 rate of tensor cores is half the 16-bit rate (A100, H100 datasheets).
			warn("%s states no FP32 peak; half of its %s peak is used", a.Name, half)
			return inputs.FP32, peak / 2, nil
		}
		warn("%s does not compute %s; it runs at %s", a.Name, want, half)
		return half, peak, nil
	}
	if want == inputs.FP32 {
		if peak := a.FLOPS[inputs.BF16]; peak > 0 {
			warn("%s states no FP32 peak; half of its %s peak is used", a.Name, inputs.BF16)
			return inputs.FP32, peak / 2, nil
		}
	}
	if peak := a.FLOPS[inputs.FP32]; peak > 0 {
		warn("%s has no 16-bit compute; it runs at its FP32 rate", a.Name)
		return inputs.FP32, peak, nil
	}
	for _, narrow := range []inputs.DType{inputs.FP8, inputs.INT8} {
		if peak := a.FLOPS[narrow]; peak > 0 {
			// Tensor units double their rate as the element halves (datasheets from
			// Turing to Blackwell), so 16-bit runs at half the 8-bit rate.
			warn("%s states no 16-bit peak; half of its %s peak is used", a.Name, narrow)
			return want, peak / 2, nil
		}
	}
	return "", 0, fmt.Errorf("pool %q: no peak FLOP/s is known for accelerator %q in any format of 8 bits or more; state its compute, such as \"BF16: 400 TFLOPS\"", pool.Name, a.Name)
}

// onlyPeak returns the single stated peak, if there is exactly one.
func onlyPeak(peaks map[inputs.DType]float64) (inputs.DType, float64, bool) {
	var dtype inputs.DType
	var peak float64
	n := 0
	for d, f := range peaks {
		if f > 0 {
			dtype, peak, n = d, f, n+1
		}
	}
	return dtype, peak, n == 1
}
