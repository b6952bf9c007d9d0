// Package published solves published placement instances by the searches that solve
// uses: chains of unlike machines, rented instances, operator graphs.
package published
