package audit

import (
	"cmp"
	"errors"
	"maps"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Most custom controls compare facts with constants, count credentials, or look
// for one. The functions in this file and the two after it decide such expressions
// like CEL's interpreter, and need a tenth of its time. They return nil for any
// other expression.

// The parts of an expression, by the type of their values. The error is *absent, or
// errIndirect.
type (
	testOf   func(*objects) (bool, error)
	numberOf func(*objects) (float64, error)
	wordsOf  func(*objects) (string, error)
)

// errIndirect says that CEL has to decide, because of the values: some number is
// too large, or a key is missing.
var errIndirect = errors.New("left to CEL")

// direct compiles the parts of a checked expression.
type direct struct {
	checked *ast.AST
	// variables are the objects that are visible here, by their names.
	variables map[string]func(*objects) *object
	depth     int // the number of macros around
}

func newDirect(checked *ast.AST) direct {
	d := direct{checked: checked, variables: map[string]func(*objects) *object{}}
	for name := range objectTypes {
		d.variables[name] = func(o *objects) *object { return o.of(name) }
	}
	return d
}

// within returns what compiles the inner expression of a macro with a variable.
func (d direct) within(variable string) direct {
	depth := d.depth
	d.variables = maps.Clone(d.variables)
	d.variables[variable] = func(o *objects) *object { return &o.macros[depth] }
	d.depth++
	return d
}

func (d direct) kindOf(x ast.Expr) types.Kind { return d.checked.GetType(x.ID()).Kind() }

// factOf returns the fact that a selection names, and where its object is.
func (d direct) factOf(x ast.Expr) (object func(*objects) *object, f *fact) {
	if x.Kind() != ast.SelectKind || x.AsSelect().Operand().Kind() != ast.IdentKind {
		return nil, nil
	}
	operand := x.AsSelect().Operand()
	facts := factsOf[variable(d.checked.GetType(operand.ID()).TypeName())]
	if object = d.variables[operand.AsIdent()]; object == nil {
		return nil, nil
	}
	for i := range facts {
		if f := &facts[i]; f.name == x.AsSelect().FieldName() {
			return object, f
		}
	}
	return nil, nil
}

func (d direct) test(x ast.Expr) testOf {
	switch x.Kind() {
	case ast.LiteralKind:
		if b, ok := x.AsLiteral().(types.Bool); ok {
			return func(*objects) (bool, error) { return bool(b), nil }
		}
	case ast.SelectKind:
		if x.AsSelect().IsTestOnly() {
			return d.has(x)
		}
		return valueOf[bool](d, x, types.BoolType)
	case ast.ComprehensionKind:
		return d.macro(x.AsComprehension())
	case ast.CallKind:
		return d.call(x.AsCall())
	}
	return nil
}

// has compiles the question whether a fact is known, or whether there is a tag.
func (d direct) has(x ast.Expr) testOf {
	if object, f := d.factOf(x); f != nil {
		return func(o *objects) (bool, error) { return f.known(object(o)), nil }
	}
	if tags := d.tags(x.AsSelect().Operand()); tags != nil {
		return has(tags, x.AsSelect().FieldName())
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
	case operators.Conditional:
		return choice(d.test(args[0]), d.test(args[1]), d.test(args[2]))
	case operators.In:
		return d.in(args[0], args[1])
	case "startsWith":
		return d.about(call, strings.HasPrefix)
	case "endsWith":
		return d.about(call, strings.HasSuffix)
	case "contains":
		return d.about(call, strings.Contains)
	case "matches":
		return d.matches(call)
	}
	if compare, ok := comparisons[call.FunctionName()]; ok {
		return d.compare(args[0], args[1], compare)
	}
	return nil
}

func (d direct) compare(a, b ast.Expr, accepts func(int) bool) testOf {
	switch d.kindOf(a) {
	case types.IntKind, types.DoubleKind:
		return comparing(d.number(a), d.number(b), accepts)
	case types.StringKind:
		return comparing(d.text(a), d.text(b), accepts)
	case types.BoolKind:
		return comparing(asNumber(d.test(a)), asNumber(d.test(b)), accepts)
	}
	return nil
}

// asNumber orders false before true.
func asNumber(test testOf) func(*objects) (int, error) {
	if test == nil {
		return nil
	}
	return func(o *objects) (int, error) {
		is, err := test(o)
		if is {
			return 1, err
		}
		return 0, err
	}
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
	compare := both(a, b, func(a, b T) (int, error) { return cmp.Compare(a, b), nil })
	if compare == nil {
		return nil
	}
	return func(o *objects) (bool, error) {
		c, err := compare(o)
		return err == nil && accepts(c), err
	}
}

// both returns what a function makes of two values.
func both[T, R any](a, b func(*objects) (T, error), f func(a, b T) (R, error)) func(*objects) (R, error) {
	if a == nil || b == nil {
		return nil
	}
	return func(o *objects) (value R, err error) {
		left, err := a(o)
		if err != nil {
			return value, err
		}
		right, err := b(o)
		if err != nil {
			return value, err
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
	return func(o *objects) (bool, error) {
		left, err := a(o)
		if err == nil && left == decisive {
			return decisive, nil
		}
		right, rightErr := b(o)
		if rightErr == nil && right == decisive {
			return decisive, nil
		}
		return !decisive, first(err, rightErr)
	}
}

// first returns the first of two errors, but the second if CEL has to decide: it
// may find no error there.
func first(err, next error) error {
	if err == nil || errors.Is(next, errIndirect) {
		return next
	}
	return err
}

func choice[T any](test testOf, yes, no func(*objects) (T, error)) func(*objects) (T, error) {
	if test == nil || yes == nil || no == nil {
		return nil
	}
	return func(o *objects) (value T, err error) {
		is, err := test(o)
		switch {
		case err != nil:
			return value, err
		case is:
			return yes(o)
		}
		return no(o)
	}
}

// valueOf returns the value of an expression that is a fact of a type.
func valueOf[T bool | string | int64](d direct, x ast.Expr, kind *types.Type) func(*objects) (T, error) {
	object, f := d.factOf(x)
	if f == nil || f.kind != kind {
		return nil
	}
	return func(o *objects) (value T, err error) {
		of := object(o)
		if v, ok := f.get(of).(T); ok {
			return v, nil
		}
		return value, &absent{f.blame(of)}
	}
}
