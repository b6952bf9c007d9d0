package calibrate

import (
	"math"
	"slices"
)

// solve is x of a x = b for a small symmetric positive definite matrix, by Cholesky's
// factors; nil where it is singular. a and b are overwritten.
func solve(a, b []float64) []float64 {
	n := len(b)
	for j := range n {
		d := a[j*n+j]
		for k := range j {
			d -= a[j*n+k] * a[j*n+k]
		}
		if !(d > 1e-14*math.Abs(a[j*n+j])) || d <= 0 {
			return nil
		}
		d = math.Sqrt(d)
		a[j*n+j] = d
		for i := j + 1; i < n; i++ {
			s := a[i*n+j]
			for k := range j {
				s -= a[i*n+k] * a[j*n+k]
			}
			a[i*n+j] = s / d
		}
	}
	for i := range n {
		for k := range i {
			b[i] -= a[i*n+k] * b[k]
		}
		b[i] /= a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			b[i] -= a[k*n+i] * b[k]
		}
		b[i] /= a[i*n+i]
	}
	return b
}

// alone is what each column of a matrix of rows has that the other columns together do not:
// the squared length of what is left of it when they are taken out.
func alone(rows []float64, columns int, index []int) []float64 {
	p := len(index)
	out := make([]float64, p)
	for c := range p {
		// Normal equations of column c over the others.
		others := slices.Delete(slices.Clone(index), c, c+1)
		q := len(others)
		normal, right := make([]float64, q*q), make([]float64, q)
		whole := 0.0
		for at := 0; at < len(rows); at += columns {
			v := rows[at+index[c]]
			whole += v * v
			for i := range q {
				a := rows[at+others[i]]
				right[i] += a * v
				for j := range q {
					normal[i*q+j] += a * rows[at+others[j]]
				}
			}
		}
		for i := range q {
			normal[i*q+i] += 1e-9 // the others may be alike among themselves
		}
		covered := 0.0
		want := slices.Clone(right)
		if x := solve(normal, right); x != nil {
			for i := range q {
				covered += x[i] * want[i]
			}
		}
		out[c] = math.Max(0, whole-covered)
	}
	return out
}
