// Package knowledge reads what people know beside a condition and makes it bind:
// further accelerators and models, efficiencies that were measured, and rules.
//
// A rule is a named boolean expression in CEL over the names that Variables lists. It is
// held against every stage of a plan together with what all stages share:
//
//	rules, err := knowledge.Compile(condition)   // parsed and type-checked
//	broken, err := rules.Check(plan)             // a finished plan
//
// While a plan is still being decided, Values holds what is known of it, and
// Rules.Broken answers by the rules whose every variable is known. So one mechanism
// filters candidates of stages, outer choices and whole pipelines alike, and what is
// filtered early is exactly what Check would refuse in the end.
//
// Packs of rules for engines are built in (Engines). docs/knowledge.md describes the form
// of packs and every variable.
package knowledge
