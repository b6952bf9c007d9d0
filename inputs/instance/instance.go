// Package instance holds published placement instances: the problems that other
// optimisers were shown on, each with its own objective, and what was recorded of them.
package instance

import "partita/inputs/opgraph"

// Instance is one of them; exactly one of Chain, Rental and Graph is set.
type Instance struct {
	Name  string // such as "helix/het42_70"; the base name of a graph's file
	About string

	Chain  *Chain
	Rental *Rental
	Graph  *opgraph.Graph
}

// Chain is a chain of layers on unlike machines (Helix, ASPLOS'25). A machine that
// holds k consecutive layers passes Throughput[k-1] tokens/s.
type Chain struct {
	Layers   int
	Machines []Machine

	Recorded      *Recorded // what the authors' solver reached; nil: nothing recorded
	SeriesOptimum float64   // tokens/s, exact; 0: not known
	GeneralLower  float64   // tokens/s: several machines may serve the same layers
	GeneralUpper  float64
}

// Machine is a type of machine. The table need not fall with the layers: a machine may
// be faster with more of them.
type Machine struct {
	Type       string
	Count      int
	Throughput []float64 // tokens/s by layers held, from 1
}

// Recorded is a value of another optimiser.
type Recorded struct {
	Value float64
	Note  string
}

// Rental is the renting of cloud instances for a chain of layers (Tandemn): stages on
// tensor-parallel groups of GPUs, every GPU of a rented instance used.
type Rental struct {
	Layers, MaxStages   int
	Batch, MicroBatch   int
	RealWorldEfficiency float64 // of the bottleneck throughput
	Types               []RentalType
	Segments            []Segment
	Recorded            []RentalRecord

	Best *RentalBest // exact best price per million tokens; nil: not known
}

// RentalType is a type of instance.
type RentalType struct {
	Name       string
	Count      int // available
	GPUs       int
	USDPerHour float64
}

// Segment is one way to run consecutive layers: on TP GPUs of one instance.
type Segment struct {
	Type       string
	TP, Layers int
	TokensPerS float64
}

// RentalRecord is a budget with what the authors' solver and exact search reached.
type RentalRecord struct {
	BudgetUSDPerHour float64
	Recorded, Exact  float64 // bottleneck tokens/s; 0: not known
	// RecordedUSDPerMillion is the price per million tokens of what was recorded.
	RecordedUSDPerMillion float64
}

// RentalBest is the cheapest way by price per million tokens.
type RentalBest struct {
	USDPerMillion, BottleneckTokensPerS, USDPerHour float64
	Stages                                          int
}
