// Package divide is about whole numbers that divide others: degrees of parallelism do.
package divide

import "slices"

// GCD is the greatest common divisor of two numbers that are not negative; with 0 the other one.
func GCD(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Divisors are the numbers that divide n, ascending; none of n < 1.
func Divisors(n int) []int {
	var low, high []int
	for d := 1; d <= n/d; d++ {
		if n%d != 0 {
			continue
		}
		low = append(low, d)
		if d != n/d {
			high = append(high, n/d)
		}
	}
	slices.Reverse(high)
	return append(low, high...)
}
