// Package profile holds the constants of the cost model as data: one inputs.Profile for
// each generation of devices.
//
//	p := profile.Of("blackwell")              // as a calculator uses it
//	p.Operators.GEMM8.Compute                 // .51 of the peak
//	p.Source("operators.gemm8.compute")       // where that is from
//	p.Inherited["operators.decode.floor"]     // "hopper": not measured on this one
//	profile.Without("blackwell", "trtllm-1.2") // fitted without that table of measurements
//
// profiles.yaml is written by hand, fitted.yaml by `make fit`. A generation takes what
// neither states from the one it names in `from`. Constants have paths (paths.go), which
// is what fits and calibrations name them by.
package profile
