package read

import (
	"regexp"
	"strings"

	"partita/inputs"
)

// How people say that prefill and decode run on GPUs of their own: "disaggregated", "PD
// disaggregation", "prefill and decode are disaggregated", "prefill/decode on separate GPUs".
// What they negate ("not disaggregated") or say beyond it is no match.
var (
	disaggregated = regexp.MustCompile(`(?i)^(?:(?:the|pd|p/d|p-d|prefill(?:ing)?(?: ?/ ?|-| & | and )decod(?:e|ing)|serving|serve|with|use|uses|are|is|run)[\s:,-]+)*` +
		`(?:disaggregat(?:ed|ion)|disagg|separat(?:ed|ion))(?:[\s,-]+(?:serving|deployment|pools|prefill(?:ing)?(?: and | & |/)decod(?:e|ing)))?$`)
	onSeparate = regexp.MustCompile(`(?i)^prefill(?:ing)?(?: ?/ ?|-| & | and )decod(?:e|ing)(?: are| run)? on (?:separate|different|distinct) (?:gpus|npus|xpus|pools|cards|nodes|servers|instances)$`)
)

// keepsApart reports whether a text asks for prefill and decode on GPUs of their own.
func keepsApart(s string) bool {
	s = strings.Trim(strings.TrimSpace(s), ".。;")
	return disaggregated.MatchString(s) || onSeparate.MatchString(s)
}

// apartNames are statements, by name or in prose, about prefill and decode on GPUs of
// their own.
var apartNames = []string{
	"disaggregation", "disaggregated", "pd disaggregation", "p d disaggregation", "disaggregated serving", "disaggregated prefill", "prefill decode disaggregation", "prefill decode disaggregated",
	"prefill decode disaggregate", "prefill decode separation", "pd separation", "prefill decode separate", "serving", "serving mode", "deployment mode", "prefill decode",
}

// readApart reads a statement of one of these names.
func readApart(m *markdown, s *stated) {
	value := strings.Trim(strings.TrimSpace(s.value), ".。;")
	named := strings.Contains(strings.ToLower(s.key), "disagg") || strings.Contains(strings.ToLower(s.key), "separat")
	// What is allowed is not asked for, and the search is not free to keep them apart or not.
	answer, err := parseBool(value)
	answered := named && err == nil && !strings.EqualFold(value, "allowed")
	switch {
	case keepsApart(value), answered && answer == true:
		m.set(s.number, "goal.placement", inputs.Disaggregated, s.at(0), fromFile)
	case answered:
		m.set(s.number, "goal.placement", inputs.Pipeline, s.at(0), fromFile)
	default:
		m.whole(s, "goal.placement") // which says what is wanted
		return
	}
	s.mask(0, len(s.left))
}

// readPhase reads the phase of serving, or that its phases are kept apart.
func readPhase(m *markdown, s *stated) {
	if keepsApart(s.value) {
		m.set(s.number, "goal.placement", inputs.Disaggregated, s.at(0), fromFile)
		s.mask(0, len(s.left))
		return
	}
	m.whole(s, "workload.phase")
}
