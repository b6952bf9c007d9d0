// Package validate holds the cost model against measurements.
//
// Each row of a table (inputs/measured) is mapped to a condition and a strategy, as
// somebody would state them, and priced by the code that `partita evaluate` prices a
// given strategy with. Three things are scored:
//
//	prediction   the metric of the row against its measured value
//	choice       among layouts that were measured on one question, the one of the best
//	             predicted metric against the one of the best measured
//	memory       what is predicted to fit against what ran and what did not
//
// A row that is not scored is counted under the reason. Nothing is fitted here.
package validate
