package read

import (
	"fmt"
	"reflect"
	"slices"

	"partita/inputs"
)

// Difference names the first thing in which two conditions differ, "" where they mean
// the same. Where something was read and what of it was assumed is not compared.
func Difference(a, b *inputs.Condition) string {
	return difference(reflect.ValueOf(meaning(a)), reflect.ValueOf(meaning(b)), "")
}

// meaning is a condition without places, assumptions and other words about it.
func meaning(c *inputs.Condition) inputs.Condition {
	m := *c
	m.Statements, m.Assumptions, m.Warnings, m.Places = nil, nil, nil, nil
	m.Model.Provenance = ""
	if c.Model.Graph != nil {
		g := *c.Model.Graph
		g.Nodes = slices.Clone(g.Nodes)
		for i := range g.Nodes {
			g.Nodes[i].Place = inputs.Place{}
		}
		m.Model.Graph = &g
	}
	m.Goal.Requirements = nil
	m.Rules = slices.Clone(c.Rules)
	for i := range m.Rules {
		m.Rules[i].Place = inputs.Place{}
	}
	for _, r := range c.Goal.Requirements {
		m.Goal.Requirements = append(m.Goal.Requirements, inputs.Requirement{Kind: r.Kind, Value: r.Value})
	}
	return m
}

func difference(a, b reflect.Value, path string) string {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return ""
	}
	switch {
	case a.Kind() == reflect.Struct:
		for i := range a.NumField() {
			if d := difference(a.Field(i), b.Field(i), path+"."+a.Type().Field(i).Name); d != "" {
				return d
			}
		}
	case a.Kind() == reflect.Slice && a.Len() == b.Len():
		for i := range a.Len() {
			if d := difference(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		return difference(a.Elem(), b.Elem(), path)
	}
	return fmt.Sprintf("%s: %+v and %+v", path[1:], reflect.Indirect(a), reflect.Indirect(b))
}
