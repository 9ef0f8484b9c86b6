package audit

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"rollcall/internal/automaton"
)

// maxExact is the largest whole number up to which all are exact as float64.
const maxExact = 1 << 53

// number compiles an age, a count, a constant, or what is computed from them.
func (d direct) number(x ast.Expr) numberOf {
	whole := d.kindOf(x) == types.IntKind
	if !whole && d.kindOf(x) != types.DoubleKind {
		return nil
	}
	if n, ok := constantNumber(x); ok {
		return func(*objects) (float64, *absent) { return n, nil }
	}
	if of, value := d.whole(x); of != nil {
		return func(o *objects) (float64, *absent) {
			n, unknown := of(o)
			return value(n), unknown
		}
	}
	if x.Kind() == ast.CallKind {
		return d.computed(x.AsCall(), whole)
	}
	return nil
}

// computed compiles arithmetic, and a choice of numbers.
func (d direct) computed(call ast.CallExpr, whole bool) numberOf {
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.Conditional:
		return choice(d.test(args[0]), d.number(args[1]), d.number(args[2]))
	case "double":
		return d.number(args[0])
	case operators.Negate:
		zero := func(*objects) (float64, *absent) { return 0, nil }
		return both(zero, d.number(args[0]), exactly(func(a, b float64) float64 { return -b }, whole))
	case operators.Divide:
		return both(d.number(args[0]), d.number(args[1]), exactly(func(a, b float64) float64 {
			if whole && b != 0 {
				return math.Trunc(a / b)
			}
			return a / b
		}, whole))
	default:
		if f := arithmetic[name]; f != nil {
			return both(d.number(args[0]), d.number(args[1]), exactly(f, whole))
		}
	}
	return nil
}

var arithmetic = map[string]func(a, b float64) float64{
	operators.Add:      func(a, b float64) float64 { return a + b },
	operators.Subtract: func(a, b float64) float64 { return a - b },
	operators.Multiply: func(a, b float64) float64 { return a * b },
}

// exactly leaves to CEL what is not a number, and whole numbers beyond those that
// are exact here.
func exactly(f func(a, b float64) float64, whole bool) func(a, b float64) (float64, *absent) {
	return func(a, b float64) (float64, *absent) {
		n := f(a, b)
		if n != n || whole && (n <= -maxExact || n >= maxExact) {
			return 0, indirect
		}
		return n, nil
	}
}

// size compiles the number of characters of a text, or of credentials.
func (d direct) size(call ast.CallExpr) wholeOf {
	x := call.Target()
	if !call.IsMemberFunction() {
		x = call.Args()[0]
	}
	if list := d.list(x); list != nil {
		return func(o *objects) (int64, *absent) {
			set, unknown := list(o)
			return int64(set.size()), unknown
		}
	}
	text := d.text(x)
	if text == nil {
		return nil
	}
	return func(o *objects) (int64, *absent) {
		s, unknown := text(o)
		return int64(utf8.RuneCountInString(s)), unknown
	}
}

func (d direct) text(x ast.Expr) wordsOf {
	if d.kindOf(x) != types.StringKind {
		return nil
	}
	switch x.Kind() {
	case ast.LiteralKind:
		if s, ok := x.AsLiteral().(types.String); ok {
			return func(*objects) (string, *absent) { return string(s), nil }
		}
	case ast.SelectKind:
		if tags := d.tags(x.AsSelect().Operand()); tags != nil {
			return tagged(tags, x.AsSelect().FieldName())
		}
		if _, f := d.factOf(x); f != nil {
			return valueOf(d, x, f.text)
		}
	case ast.CallKind:
		args := x.AsCall().Args()
		switch x.AsCall().FunctionName() {
		case operators.Conditional:
			return choice(d.test(args[0]), d.text(args[1]), d.text(args[2]))
		case operators.Add:
			return both(d.text(args[0]), d.text(args[1]), func(a, b string) (string, *absent) { return a + b, nil })
		case operators.Index:
			if key, ok := constant[types.String](args[1]); ok {
				return tagged(d.tags(args[0]), string(key))
			}
		}
	}
	return nil
}

// asking compiles the test of a text by a function.
func (d direct) asking(x ast.Expr, ask func(string) bool) testOf {
	if _, f := d.factOf(x); f != nil && !x.AsSelect().IsTestOnly() {
		if of := originOf(d, x, f.text); of != nil {
			return of.asking(ask)
		}
	}
	text := d.text(x)
	if text == nil {
		return nil
	}
	return func(o *objects) (bool, *absent) {
		s, unknown := text(o)
		return unknown == nil && ask(s), unknown
	}
}

// asking returns the test of a fact by a function.
func (f *origin[T]) asking(ask func(T) bool) testOf {
	return func(o *objects) (bool, *absent) {
		of := &o[f.place]
		value, known := f.get(of)
		if !known {
			return false, f.missing[of.at]
		}
		return ask(value), nil
	}
}

// about returns the test of a text by a method of texts. The function with returns the
// method for one part; calling it costs less.
func (d direct) about(call ast.CallExpr, method func(s, part string) bool, with func(string) func(string) bool) testOf {
	if !call.IsMemberFunction() {
		return nil
	}
	text := d.text(call.Target())
	if part, ok := constant[types.String](call.Args()[0]); ok {
		if of := d.pathFor(call, string(part)); of != nil {
			return of.asking(with(string(part)))
		}
		return d.asking(call.Target(), with(string(part)))
	}
	return both(text, d.text(call.Args()[0]), func(s, part string) (bool, *absent) { return method(s, part), nil })
}

// pathFor returns the origin of a path with the name behind it, for the test whether
// the path begins with a text that ends with a slash. The name contains none.
func (d direct) pathFor(call ast.CallExpr, begin string) *origin[string] {
	x := call.Target()
	_, f := d.factOf(x)
	if f == nil || f.name != "path" || call.FunctionName() != "startsWith" || !strings.HasSuffix(begin, "/") {
		return nil
	}
	return originOf(d, x, (*object).pathAndName)
}

// matches compiles the test of a text by a constant regular expression.
func (d direct) matches(call ast.CallExpr) testOf {
	args := call.Args()
	if call.IsMemberFunction() {
		args = []ast.Expr{call.Target(), args[0]}
	}
	pattern, ok := constant[types.String](args[1])
	if !ok {
		return nil
	}
	if d.few != nil { // a text with few meanings is rare
		return func(*objects) (bool, *absent) { return false, indirect }
	}
	match, err := automaton.Compile(string(pattern))
	if err != nil {
		return nil
	}
	return d.asking(args[0], match)
}

// constant returns the value of an expression that is a constant of a type.
func constant[T any](x ast.Expr) (value T, ok bool) {
	if x.Kind() == ast.LiteralKind {
		value, ok = any(x.AsLiteral()).(T)
	}
	return value, ok
}
