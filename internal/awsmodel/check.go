package awsmodel

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxViolations limits the list of violations, and their count: if there are
// more, AWS says that it found this many (recorded).
const maxViolations = 10

// maxShown is the number of bytes of a value that an answer repeats. AWS's
// limit, if it has one, is not known (G).
const maxShown = 4096

// Check compares the input of an operation with the model. in is a pointer to
// the SDK's input structure. It returns nil, or one ValidationError with every
// violation in it:
//
//	2 validation errors detected: Value at 'userName' failed to satisfy constraint: Member must not be null; …
//
// STS quotes the value in front of the place (Value '901' at …, Value null at
// …) unless it is a secret; IAM quotes only those of PolicyExclusionList, which
// is recorded. Names and paths that break only their pattern get AWS's own
// sentence. An unknown operation or an input that is not its structure is a
// mistake in the program and panics.
func Check(op string, in any) *Error {
	v := reflect.ValueOf(in)
	checker := checkerFor(op, v.Type())
	if checker == nil {
		return nil
	}
	known, _ := Lookup(op)
	f := findings{quote: known.Service.Name == "sts"}
	checker.check(&f, v.Elem(), nil)
	switch {
	case len(f.violations) == 1:
		return Fail("ValidationError", "1 validation error detected: %s", f.violations[0])
	case len(f.violations) > 1:
		return Fail("ValidationError", "%d validation errors detected: %s", len(f.violations),
			strings.Join(f.violations, "; "))
	case f.own != "":
		return Fail("ValidationError", "%s", f.own)
	}
	return nil
}

// findings collects violations. own is the first of AWS's own sentences.
type findings struct {
	violations []string
	own        string
	quote      bool // the service repeats values
}

// add notes a broken rule. The zero Value means that a value is missing.
func (f *findings) add(at *place, s *Shape, v reflect.Value, constraint string) {
	if len(f.violations) < maxViolations {
		path := at.String()
		where := "Value at '" + path + "'"
		if f.quote || strings.HasPrefix(path, "policyExclusionList.") {
			where = "Value " + quoted(s, v) + "at '" + path + "'"
		}
		f.violations = append(f.violations, where+" failed to satisfy constraint: "+constraint)
	}
}

// quoted returns a value in the form of answers, with the blank after it, or
// nothing.
func quoted(s *Shape, v reflect.Value) string {
	if hidden, _ := sensitiveIn(s, nil); hidden {
		return ""
	}
	if !v.IsValid() {
		return "null "
	}
	var text string
	switch s.Kind {
	case String:
		text = strings.TrimSuffix(v.String(), EmptyEnum)
	case Integer:
		text = strconv.FormatInt(v.Int(), 10)
	case List:
		var all []string
		for i := range v.Len() {
			all = append(all, s.Elem.shown(v.Index(i)))
		}
		text = "[" + strings.Join(all, ", ") + "]"
	default:
		return ""
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "..."
	}
	return "'" + text + "' "
}

// shown returns an element of a list in the form of answers: a structure with
// its name and its members, Tag(key=a, value=b). It is recorded for tags. That
// others are similar, and that absent members are null, is a guess (G).
func (s *Shape) shown(v reflect.Value) string {
	if s.Kind != Structure {
		return v.String()
	}
	members := make([]string, len(s.Members))
	for i, m := range s.Members {
		members[i] = m.label() + "=null"
		if value, present := indirect(v.FieldByName(m.Field())); present {
			members[i] = m.label() + "=" + m.Shape.shown(value)
		}
	}
	return s.Name + "(" + strings.Join(members, ", ") + ")"
}

// place is the position of a value: a chain of names that is only joined for a
// message.
type place struct {
	parent *place
	name   string
	index  int // of an element, from 1; 0 for a member
}

// String returns the place in AWS's form: tags.1.member.key.
func (p *place) String() string {
	name := p.name
	if p.index > 0 {
		name = strconv.Itoa(p.index) + ".member"
	}
	if p.parent == nil {
		return name
	}
	return p.parent.String() + "." + name
}

// checker holds the checks of one structure. It omits members without rules.
type checker struct {
	members []memberChecker // in AWS's order of violations
}

type memberChecker struct {
	index    int
	label    string
	required bool
	value    *valueChecker
}

// valueChecker checks one value that is present.
type valueChecker struct {
	shape       *Shape
	constraints []constraint
	ownText     bool          // AWS has its own sentence for the pattern
	fields      *checker      // of a structure
	variants    []variant     // of a union
	element     *valueChecker // of a list or map
	grouped     string        // the answer for a list or map of constrained scalars
	keys        *valueChecker // of a map
	keysGrouped string        // the answer for its keys
}

type variant struct {
	typ   reflect.Type // pointer to a struct with the field Value
	label string
	value *valueChecker
}

type constraint struct {
	text        string
	met         func(reflect.Value) bool
	unpublished bool // our own rule, which is not named if AWS lists its own
}

type checkerKey struct {
	op  string
	typ reflect.Type
}

var checkers sync.Map // checkerKey → *checker, nil for an operation without input

func checkerFor(name string, t reflect.Type) *checker {
	key := checkerKey{name, t}
	if found, ok := checkers.Load(key); ok {
		return found.(*checker)
	}
	op, ok := Lookup(name)
	if !ok {
		panic(fmt.Sprintf("awsmodel: check of the unknown operation %s", name))
	}
	if t.Kind() != reflect.Pointer || t.Elem().Name() != name+"Input" {
		panic(fmt.Sprintf("awsmodel: check of %s with a %s", name, t))
	}
	var c *checker
	if op.Input != nil {
		c = newChecker(op.Input, t.Elem())
	}
	found, _ := checkers.LoadOrStore(key, c)
	return found.(*checker)
}

func (c *checker) check(f *findings, v reflect.Value, parent *place) {
	for i := range c.members {
		m := &c.members[i]
		at := &place{parent: parent, name: m.label}
		value, present := indirect(v.Field(m.index))
		if present && !m.value.shape.lacks(value) {
			m.value.check(f, value, at)
		} else if m.required {
			f.add(at, m.value.shape, reflect.Value{}, "Member must not be null")
		}
	}
}

// lacks reports whether a value is an empty list that must have elements. AWS
// answers as if it were missing (recorded for required members).
func (s *Shape) lacks(v reflect.Value) bool {
	return s.Kind == List && s.Min != nil && *s.Min > 0 && v.Len() == 0
}

// EmptyEnum marks a value of an enumerated member that is present and empty,
// which is a violation. The SDK has no pointer to an enumerated string, so an
// empty one in its structures means an absent one.
const EmptyEnum = "\x00"

// indirect follows a pointer and reports whether there is a value. An empty
// string without a pointer is an absent enumerated one. An int or bool without
// a pointer is always present.
func indirect(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Pointer:
		return v.Elem(), !v.IsNil()
	case reflect.Slice, reflect.Map, reflect.Interface:
		return v, !v.IsNil()
	case reflect.String:
		return v, v.Len() > 0
	}
	return v, true
}

func (c *valueChecker) check(f *findings, v reflect.Value, at *place) {
	whole := true
	for _, rule := range c.constraints {
		if !rule.met(v) {
			whole = false
			f.add(at, c.shape, v, rule.text)
		}
	}
	switch {
	case !whole:
		// The elements of a list that is too long are not checked.
	case c.ownText && f.own == "" && !c.shape.matches(v.String()):
		f.own = fmt.Sprintf(c.shape.ownText, at)
	case c.fields != nil:
		c.fields.check(f, v, at)
	case c.variants != nil:
		c.checkVariant(f, v, at)
	case c.element != nil && c.shape.Kind == List:
		c.checkElements(f, v, at)
	case c.element != nil || c.keys != nil:
		c.checkEntries(f, v, at)
	}
}

// checkEntries adds one violation for all keys and one for all values, because
// a map has no order.
func (c *valueChecker) checkEntries(f *findings, v reflect.Value, at *place) {
	var badKey, badValue bool
	for entry := v.MapRange(); entry.Next(); {
		badKey = badKey || c.keys != nil && !c.keys.meets(entry.Key())
		switch {
		case c.element == nil:
		case c.grouped != "":
			badValue = badValue || !c.element.meets(entry.Value())
		default:
			c.element.check(f, entry.Value(), &place{parent: at, name: entry.Key().String()})
		}
	}
	if badKey {
		f.add(at, c.shape, v, c.keysGrouped)
	}
	if badValue {
		f.add(at, c.shape, v, c.grouped)
	}
}

func (c *valueChecker) checkElements(f *findings, v reflect.Value, at *place) {
	for i := range v.Len() {
		if c.grouped != "" {
			if !c.element.meets(v.Index(i)) {
				f.add(at, c.shape, v, c.grouped)
				return
			}
			continue
		}
		c.element.check(f, v.Index(i), &place{parent: at, index: i + 1})
	}
}

func (c *valueChecker) meets(v reflect.Value) bool {
	for _, rule := range c.constraints {
		if !rule.met(v) {
			return false
		}
	}
	return true
}

func (c *valueChecker) checkVariant(f *findings, v reflect.Value, at *place) {
	if v.Kind() == reflect.Interface {
		if v.IsNil() {
			f.add(at, c.shape, reflect.Value{}, "Member must not be null")
			return
		}
		v = v.Elem()
	}
	for _, known := range c.variants {
		if v.Type() == known.typ {
			known.value.check(f, v.Elem().FieldByName("Value"), &place{parent: at, name: known.label})
		}
	}
}

func characters(v reflect.Value) int64 { return int64(utf8.RuneCountInString(v.String())) }

func elements(v reflect.Value) int64 { return int64(v.Len()) }

func integer(v reflect.Value) int64 { return v.Int() }
