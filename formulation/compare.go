package formulation

import "partita/results"

func (r *run) compare(sol *solution) []results.Comparison { return []results.Comparison{} }
