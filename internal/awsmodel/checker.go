package awsmodel

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// newChecker plans the check of a structure. It panics if the Go type lacks a
// member, which is a mistake in the program. A test plans every operation.
func newChecker(s *Shape, t reflect.Type) *checker {
	labels := make([]string, len(s.Members))
	for i, m := range s.Members {
		labels[i] = m.label()
	}
	c := &checker{}
	for _, i := range javaOrder(labels) {
		m := s.Members[i]
		field, ok := t.FieldByName(m.Field())
		if !ok {
			panic(fmt.Sprintf("awsmodel: %s has no field for %s", t, m.Name))
		}
		value := newValueChecker(m.Shape, field.Type)
		if value == nil && !m.Required {
			continue
		}
		if value == nil {
			value = &valueChecker{shape: m.Shape}
		}
		c.members = append(c.members,
			memberChecker{index: field.Index[0], label: labels[i], required: m.Required, value: value})
	}
	return c
}

// newValueChecker plans the check of one value. It returns nil if there is
// nothing to check.
func newValueChecker(s *Shape, t reflect.Type) *valueChecker {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	c := &valueChecker{shape: s, ownText: s.ownText != ""}
	c.constraints = constraints(s, c.ownText)
	switch s.Kind {
	case Structure:
		c.planStructure(t)
	case List, Map:
		c.planElements(t)
	}
	if len(c.constraints) == 0 && !c.ownText && c.fields == nil && c.variants == nil && c.element == nil &&
		c.keys == nil {
		return nil
	}
	return c
}

func (c *valueChecker) planStructure(t reflect.Type) {
	if !c.shape.Union {
		if fields := newChecker(c.shape, t); len(fields.members) > 0 {
			c.fields = fields
		}
		return
	}
	for _, m := range c.shape.Members {
		typ := Variant(t, m.Name)
		field, _ := typ.Elem().FieldByName("Value")
		if value := newValueChecker(m.Shape, field.Type); value != nil {
			c.variants = append(c.variants, variant{typ: typ, label: m.label(), value: value})
		}
	}
}

func (c *valueChecker) planElements(t reflect.Type) {
	c.element = newValueChecker(c.shape.Elem, t.Elem())
	if c.shape.Kind == Map {
		if c.keys = newValueChecker(c.shape.Key, t.Key()); c.keys != nil {
			c.keysGrouped = "Map keys must satisfy constraint: " + c.keys.group(c.shape.Key, false)
		}
	}
	elem := c.shape.Elem
	if c.element == nil || elem.Kind == Structure || elem.Kind == List || elem.Kind == Map {
		return
	}
	of := "Member"
	if c.shape.Kind == Map {
		of = "Map value"
	}
	c.grouped = of + " must satisfy constraint: " + c.element.group(elem, noNullElements[c.shape.Name])
}

// group prepares the checker of a scalar in a list or a map. AWS gives one
// violation for all its values, with every rule, whichever was broken.
func (c *valueChecker) group(s *Shape, notNull bool) string {
	c.ownText = false
	c.constraints = constraints(s, false)
	var texts []string
	for _, rule := range c.constraints {
		if !rule.unpublished || len(c.constraints) == 1 {
			texts = append(texts, rule.text)
		}
	}
	if notNull {
		texts = append(texts, "Member must not be null")
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// constraints lists the rules for a value in AWS's order: the maximum length,
// the minimum length, the pattern, the set of values.
func constraints(s *Shape, ownText bool) []constraint {
	var rules []constraint
	measure, of := integer, "value"
	switch s.Kind {
	case String:
		measure, of = characters, "length"
	case List, Map:
		measure, of = elements, "length"
	}
	if s.Max != nil {
		rules = append(rules, constraint{
			text: fmt.Sprintf("Member must have %s less than or equal to %d", of, *s.Max),
			met:  func(v reflect.Value) bool { return measure(v) <= *s.Max },
		})
	}
	// A length of 0 is not a rule, and AWS omits it.
	if s.Min != nil && (*s.Min > 0 || of == "value") && (!ownText || !ownMinimums[s.Name]) {
		rules = append(rules, constraint{
			text: fmt.Sprintf("Member must have %s greater than or equal to %d", of, *s.Min),
			met:  func(v reflect.Value) bool { return measure(v) >= *s.Min },
		})
	}
	if s.Kind != String {
		return rules
	}
	switch {
	case len(s.Enum) > 0:
		rules = append(rules, constraint{
			text: enumText(s),
			met:  func(v reflect.Value) bool { return slices.Contains(s.Enum, v.String()) },
		})
	case s.Pattern == "":
		rules = append(rules, constraint{
			text:        "Member must satisfy regular expression pattern: " + anyCharacter,
			met:         func(v reflect.Value) bool { return storable(v.String()) },
			unpublished: true,
		})
	case !ownText:
		rules = append(rules, constraint{
			text: "Member must satisfy regular expression pattern: " + s.Pattern,
			met:  func(v reflect.Value) bool { return s.matches(v.String()) },
		})
	}
	return rules
}

// storable reports whether XML 1.0 allows every character of s.
func storable(s string) bool {
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

// enumText returns the allowed values, if AWS names them.
func enumText(s *Shape) string {
	const text = "Member must satisfy enum value set"
	if unnamedValues[s.Name] {
		return text
	}
	return text + ": [" + strings.Join(enumOrder(s.Enum), ", ") + "]"
}
