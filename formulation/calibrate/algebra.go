package calibrate

import "gonum.org/v1/gonum/mat"

// solve is x of a x = b for a symmetric matrix of as many rows as b has; nil where it is
// not positive definite, or so near to it that x would be noise.
func solve(a, b []float64) []float64 {
	var factors mat.Cholesky
	x := mat.NewVecDense(len(b), nil)
	if !factors.Factorize(mat.NewSymDense(len(b), a)) || factors.SolveVecTo(x, mat.NewVecDense(len(b), b)) != nil {
		return nil
	}
	return x.RawVector().Data
}

// alone is what each column of a matrix of rows has that the other columns together do not:
// the squared length of what is left of it when they are taken out, which is one over its
// place on the diagonal of (XᵀX)⁻¹.
func alone(rows []float64, columns int) []float64 {
	out := make([]float64, columns)
	x := mat.NewDense(len(rows)/columns, columns, rows)
	var normal mat.SymDense
	normal.SymOuterK(1, x.T())
	for i := range columns {
		normal.SetSym(i, i, normal.At(i, i)+1e-9) // columns may be alike, or zero
	}
	var factors mat.Cholesky
	var inverse mat.SymDense
	if !factors.Factorize(&normal) || factors.InverseTo(&inverse) != nil {
		return out
	}
	for i := range columns {
		out[i] = 1 / inverse.At(i, i)
	}
	return out
}
