package audit

import (
	"cmp"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Most custom controls only compare facts with constants. The functions in this
// file decide such expressions like CEL's interpreter, and need a tenth of its
// time. They return nil for any other expression.

// The parts of an expression, by the type of their values. The error is *absent.
type (
	testOf   func(*objects) (bool, error)
	numberOf func(*objects) (float64, error)
	wordsOf  func(*objects) (string, error)
)

// direct compiles the parts of a checked expression.
type direct struct{ checked *ast.AST }

// factOf returns the fact that an expression is, and its variable.
func (d direct) factOf(x ast.Expr) (object string, f *fact) {
	if x.Kind() != ast.SelectKind || x.AsSelect().IsTestOnly() || x.AsSelect().Operand().Kind() != ast.IdentKind {
		return "", nil
	}
	operand := x.AsSelect().Operand()
	object = variable(d.checked.GetType(operand.ID()).TypeName())
	if object == "" || operand.AsIdent() != object { // it may be the variable of a macro
		return "", nil
	}
	for i := range factsOf[object] {
		if f := &factsOf[object][i]; f.name == x.AsSelect().FieldName() {
			return object, f
		}
	}
	return "", nil
}

func (d direct) test(x ast.Expr) testOf {
	switch x.Kind() {
	case ast.LiteralKind:
		if b, ok := x.AsLiteral().(types.Bool); ok {
			return func(*objects) (bool, error) { return bool(b), nil }
		}
	case ast.SelectKind:
		return valueOf[bool](d, x, types.BoolType)
	case ast.CallKind:
		return d.call(x.AsCall())
	}
	return nil
}

func (d direct) call(call ast.CallExpr) testOf {
	args := call.Args()
	switch call.FunctionName() {
	case operators.LogicalAnd:
		return either(d.test(args[0]), d.test(args[1]), false)
	case operators.LogicalOr:
		return either(d.test(args[0]), d.test(args[1]), true)
	case operators.LogicalNot:
		if test := d.test(args[0]); test != nil {
			return func(o *objects) (bool, error) {
				is, err := test(o)
				return !is, err
			}
		}
	case "startsWith":
		return d.about(call, strings.HasPrefix)
	case "endsWith":
		return d.about(call, strings.HasSuffix)
	case "contains":
		return d.about(call, strings.Contains)
	}
	if compare, ok := comparisons[call.FunctionName()]; ok {
		if _, fact := d.factOf(args[0]); fact != nil && fact.age != nil {
			return comparing(d.number(args[0]), d.number(args[1]), compare)
		}
		return comparing(d.text(args[0]), d.text(args[1]), compare)
	}
	return nil
}

// comparisons says of the operators which results of cmp.Compare they accept.
var comparisons = map[string]func(int) bool{
	operators.Less:          func(c int) bool { return c < 0 },
	operators.LessEquals:    func(c int) bool { return c <= 0 },
	operators.Greater:       func(c int) bool { return c > 0 },
	operators.GreaterEquals: func(c int) bool { return c >= 0 },
	operators.Equals:        func(c int) bool { return c == 0 },
	operators.NotEquals:     func(c int) bool { return c != 0 },
}

func comparing[T cmp.Ordered](a, b func(*objects) (T, error), accepts func(int) bool) testOf {
	if a == nil || b == nil {
		return nil
	}
	return func(o *objects) (bool, error) {
		left, err := a(o)
		if err != nil {
			return false, err
		}
		right, err := b(o)
		return err == nil && accepts(cmp.Compare(left, right)), err
	}
}

// either returns the test that is the decisive value if one side is, whatever the
// other side is. An unknown side counts only if no side decides.
func either(a, b testOf, decisive bool) testOf {
	if a == nil || b == nil {
		return nil
	}
	return func(o *objects) (bool, error) {
		left, err := a(o)
		if err == nil && left == decisive {
			return decisive, nil
		}
		right, rightErr := b(o)
		switch {
		case rightErr == nil && right == decisive:
			return decisive, nil
		case err != nil:
			return false, err
		}
		return !decisive, rightErr
	}
}

// about returns the test of a text by a method of texts.
func (d direct) about(call ast.CallExpr, method func(s, part string) bool) testOf {
	if !call.IsMemberFunction() {
		return nil
	}
	text, part := d.text(call.Target()), d.text(call.Args()[0])
	if text == nil || part == nil {
		return nil
	}
	return func(o *objects) (bool, error) {
		s, err := text(o)
		if err != nil {
			return false, err
		}
		p, err := part(o)
		return err == nil && method(s, p), err
	}
}

func (d direct) text(x ast.Expr) wordsOf {
	switch x.Kind() {
	case ast.LiteralKind:
		if s, ok := x.AsLiteral().(types.String); ok {
			return func(*objects) (string, error) { return string(s), nil }
		}
	case ast.SelectKind:
		return valueOf[string](d, x, types.StringType)
	}
	return nil
}

// number compiles an age, a constant, or a choice between such numbers.
func (d direct) number(x ast.Expr) numberOf {
	switch x.Kind() {
	case ast.LiteralKind:
		switch n := x.AsLiteral().(type) {
		case types.Int:
			return func(*objects) (float64, error) { return float64(n), nil }
		case types.Double:
			return func(*objects) (float64, error) { return float64(n), nil }
		}
	case ast.SelectKind:
		if object, f := d.factOf(x); f != nil && f.age != nil {
			return func(o *objects) (float64, error) {
				of := o.of(object)
				if seconds, known := f.age(of); known {
					return days(seconds), nil
				}
				return 0, &absent{f.blame(of)}
			}
		}
	case ast.CallKind:
		if call := x.AsCall(); call.FunctionName() == operators.Conditional {
			return choice(d.test(call.Args()[0]), d.number(call.Args()[1]), d.number(call.Args()[2]))
		}
	}
	return nil
}

func choice(test testOf, yes, no numberOf) numberOf {
	if test == nil || yes == nil || no == nil {
		return nil
	}
	return func(o *objects) (float64, error) {
		is, err := test(o)
		switch {
		case err != nil:
			return 0, err
		case is:
			return yes(o)
		}
		return no(o)
	}
}

// valueOf returns the value of an expression that is a fact of a type.
func valueOf[T bool | string](d direct, x ast.Expr, kind *types.Type) func(*objects) (T, error) {
	object, f := d.factOf(x)
	if f == nil || f.kind != kind {
		return nil
	}
	return func(o *objects) (value T, err error) {
		of := o.of(object)
		if v, ok := f.get(of).(T); ok {
			return v, nil
		}
		return value, &absent{f.blame(of)}
	}
}
