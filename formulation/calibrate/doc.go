// Package calibrate fits constants of the cost model to timings of single operators.
//
//	c, err := calibrate.Run(tables, calibrate.Options{Catalog: catalog})
//	c.Devices[0].Laws[0].HeldOut.MedianPct      // error on shapes that were held out
//
// A law is the price of some operators as package cost computes it, and its constants are
// those of inputs.Profile below one path: operators.gemm16, links.nvlink. They are fitted so
// that the logarithms of predicted over measured times are small, in Huber's loss, which a
// minority of wrong rows does not move far.
//
// A constant stays built in, with the reason, where the data do not tell it: where no time
// depends on it, where it cannot be told from another one, where its uncertainty is large,
// or where the best value lies at the end of what is possible. All of a law's stay where the
// times are impossible, where shapes are few, and where the fit predicts shapes that it did
// not see no better than the built-in constants do.
//
// Where to look:
//
//	run.go       tables to devices, devices to laws
//	sample.go    a timed operator as the cost model prices it; its shape
//	law.go       constants of a law and the search for their values
//	identify.go  which constants the data tell
//	fold.go      errors, in sample and on held-out shapes
//	fit.go       one law: fitted, or refused and why
//
// Everything is a function of the set of rows: neither their order nor time or chance
// enters.
package calibrate
