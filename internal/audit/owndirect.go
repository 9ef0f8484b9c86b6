package audit

import (
	"cmp"
	"maps"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Most custom controls compare facts with constants, count credentials, or look
// for one. The functions in this file and the others of owndirect*.go decide such
// expressions like CEL's interpreter, and need a tenth of its time. They return nil
// for any other expression.

// The parts of an expression, by the type of their values. What they return in
// addition is nil if the value is known.
type (
	testOf   func(*objects) (bool, *absent)
	numberOf func(*objects) (float64, *absent)
	wordsOf  func(*objects) (string, *absent)
)

// indirect says that CEL has to decide, because of the values: some number is too
// large, or a key is missing.
var indirect = &absent{}

// direct compiles the parts of a checked expression.
type direct struct {
	checked *ast.AST
	// variables are the places in objects of the variables that are visible here.
	variables map[string]int
	depth     int  // the number of macros around
	few       *few // nil if the expression may read everything
}

func newDirect(checked *ast.AST) direct {
	return direct{checked: checked, variables: placeOfVariable}
}

// within returns what compiles the inner expression of a macro with a variable.
func (d direct) within(variable string) direct {
	d.variables = maps.Clone(d.variables)
	d.variables[variable] = firstMacro + d.depth
	d.depth++
	return d
}

func (d direct) kindOf(x ast.Expr) types.Kind { return d.checked.GetType(x.ID()).Kind() }

// factOf returns the fact that a selection names, and the place of its object.
func (d direct) factOf(x ast.Expr) (place int, f *fact) {
	if x.Kind() != ast.SelectKind || x.AsSelect().Operand().Kind() != ast.IdentKind {
		return 0, nil
	}
	operand := x.AsSelect().Operand()
	place, visible := d.variables[operand.AsIdent()]
	facts := factsOf[variable(d.checked.GetType(operand.ID()).TypeName())]
	for i := range facts {
		if f := &facts[i]; visible && f.name == x.AsSelect().FieldName() {
			return place, f
		}
	}
	return 0, nil
}

// origin locates the value of a fact. Functions that use an origin, and
// not the function of valueOf, save a call for each value.
type origin[T any] struct {
	place   int
	get     func(*object) (T, bool)
	missing [len(blank)]*absent // what is unknown, by the credential of the object
}

// originOf returns the origin of a fact that x selects, if everything may be read.
func originOf[T any](d direct, x ast.Expr, get func(*object) (T, bool)) *origin[T] {
	if d.few != nil || get == nil {
		return nil
	}
	place, f := d.factOf(x)
	return &origin[T]{place, get, f.missing(d.checked.GetType(x.AsSelect().Operand().ID()))}
}

// valueOf returns the value of a fact of the object at a place.
func valueOf[T any](d direct, x ast.Expr, get func(*object) (T, bool)) func(*objects) (T, *absent) {
	if get == nil {
		return nil
	}
	place, f := d.factOf(x)
	missing := f.missing(d.checked.GetType(x.AsSelect().Operand().ID()))
	told := d.told(x, f)
	if d.few != nil && (!told || f.varies()) {
		return func(o *objects) (value T, unknown *absent) {
			if of := &o[place]; told {
				if _, known := get(of); !known {
					return value, missing[of.at]
				}
			}
			return value, indirect
		}
	}
	return func(o *objects) (T, *absent) {
		of := &o[place]
		value, known := get(of)
		if !known {
			return value, missing[of.at]
		}
		return value, nil
	}
}

// told says whether few cells tell if a fact that x selects is known.
func (d direct) told(x ast.Expr, f *fact) bool {
	if d.few == nil {
		return true
	}
	object := x.AsSelect().Operand()
	switch place := d.variables[object.AsIdent()]; {
	case place >= firstMacro:
		first := 1
		if d.checked.GetType(object.ID()).IsExactType(certificateType) {
			first = 3
		}
		return d.few.told(f.part, first, first+1)
	case place == passwordObject:
		return d.few.told(f.part, 0)
	}
	return d.few.told(f.part, d.few.at)
}

func (d direct) test(x ast.Expr) testOf {
	switch x.Kind() {
	case ast.LiteralKind:
		if b, ok := x.AsLiteral().(types.Bool); ok {
			return func(*objects) (bool, *absent) { return bool(b), nil }
		}
	case ast.SelectKind:
		if x.AsSelect().IsTestOnly() {
			return d.has(x)
		}
		if _, f := d.factOf(x); f != nil {
			return valueOf(d, x, f.truth)
		}
	case ast.ComprehensionKind:
		return d.macro(x.AsComprehension())
	case ast.CallKind:
		return d.call(x.AsCall())
	}
	return nil
}

// has compiles the question whether a fact is known, or whether there is a tag.
func (d direct) has(x ast.Expr) testOf {
	if place, f := d.factOf(x); f != nil {
		known := f.knowing()
		if !d.told(x, f) {
			return func(*objects) (bool, *absent) { return false, indirect }
		}
		return func(o *objects) (bool, *absent) { return known(&o[place]), nil }
	}
	if tags := d.tags(x.AsSelect().Operand()); tags != nil {
		return has(tags, x.AsSelect().FieldName())
	}
	return nil
}

func (d direct) call(call ast.CallExpr) testOf {
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd:
		return either(d.test(args[0]), d.test(args[1]), false)
	case operators.LogicalOr:
		return either(d.test(args[0]), d.test(args[1]), true)
	case operators.LogicalNot:
		if test := d.test(args[0]); test != nil {
			return func(o *objects) (bool, *absent) {
				is, unknown := test(o)
				return !is, unknown
			}
		}
	case operators.Conditional:
		return choice(d.test(args[0]), d.test(args[1]), d.test(args[2]))
	case operators.In:
		return d.in(args[0], args[1])
	case "startsWith":
		return d.about(call, strings.HasPrefix, func(part string) func(string) bool {
			return func(s string) bool { return strings.HasPrefix(s, part) }
		})
	case "endsWith":
		return d.about(call, strings.HasSuffix, func(part string) func(string) bool {
			return func(s string) bool { return strings.HasSuffix(s, part) }
		})
	case "contains":
		return d.about(call, strings.Contains, func(part string) func(string) bool {
			return func(s string) bool { return strings.Contains(s, part) }
		})
	case "matches":
		return d.matches(call)
	default:
		if accepted, ok := comparisons[name]; ok {
			return d.compare(args[0], args[1], accepted)
		}
	}
	return nil
}

// both returns what a function makes of two values.
func both[T, R any](a, b func(*objects) (T, *absent), f func(a, b T) (R, *absent)) func(*objects) (R, *absent) {
	if a == nil || b == nil {
		return nil
	}
	return func(o *objects) (value R, unknown *absent) {
		left, unknown := a(o)
		if unknown != nil {
			return value, unknown
		}
		right, unknown := b(o)
		if unknown != nil {
			return value, unknown
		}
		return f(left, right)
	}
}

// either returns the test that is the decisive value if one side is, whatever the
// other side is. An unknown side counts only if no side decides.
func either(a, b testOf, decisive bool) testOf {
	if a == nil || b == nil {
		return nil
	}
	return func(o *objects) (bool, *absent) {
		left, unknown := a(o)
		if unknown == nil && left == decisive {
			return decisive, nil
		}
		right, next := b(o)
		if next == nil && right == decisive {
			return decisive, nil
		}
		return !decisive, first(unknown, next)
	}
}

// first returns the first of two unknown values, but the second if CEL has to
// decide: it may know that value.
func first(unknown, next *absent) *absent {
	if unknown == nil || next == indirect {
		return next
	}
	return unknown
}

func choice[T any](test testOf, yes, no func(*objects) (T, *absent)) func(*objects) (T, *absent) {
	if test == nil || yes == nil || no == nil {
		return nil
	}
	return func(o *objects) (value T, unknown *absent) {
		is, unknown := test(o)
		switch {
		case unknown != nil:
			return value, unknown
		case is:
			return yes(o)
		}
		return no(o)
	}
}

// accepted says which results of cmp.Compare a comparison accepts: less, equal and
// greater.
type accepted [3]bool

var comparisons = map[string]accepted{
	operators.Less:          {true, false, false},
	operators.LessEquals:    {true, true, false},
	operators.Greater:       {false, false, true},
	operators.GreaterEquals: {false, true, true},
	operators.Equals:        {false, true, false},
	operators.NotEquals:     {true, false, true},
}

// mirrored returns the comparison with its sides exchanged.
func (a accepted) mirrored() accepted { return accepted{a[2], a[1], a[0]} }

func comparing[T cmp.Ordered](a, b func(*objects) (T, *absent), accepted accepted) testOf {
	if a == nil || b == nil {
		return nil
	}
	return func(o *objects) (bool, *absent) {
		left, unknown := a(o)
		if unknown != nil {
			return false, unknown
		}
		right, unknown := b(o)
		return accepted[cmp.Compare(left, right)+1], unknown
	}
}
