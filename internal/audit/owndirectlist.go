package audit

import (
	"errors"
	"slices"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// maxMacros limits how deep macros are nested.
const maxMacros = 3

// credentialList holds the objects of a list: keys or certificates of one user.
type credentialList struct {
	of [2]object
	n  int
}

type listOf func(*objects) (credentialList, error)

// list compiles the credentials of a kind, or a selection of them.
func (d direct) list(x ast.Expr) listOf {
	if x.Kind() == ast.ComprehensionKind {
		return d.filter(x.AsComprehension())
	}
	user, f := d.factOf(x)
	if f == nil || f.kind.Kind() != types.ListKind || x.AsSelect().IsTestOnly() {
		return nil
	}
	kind := Certificate
	if f.kind.Parameters()[0].IsExactType(keyType) {
		kind = AccessKey
	}
	return func(o *objects) (credentialList, error) {
		of := user(o)
		if all, known := of.sight.list(kind); known {
			return all, nil
		}
		return credentialList{}, &absent{f.unknownIn(of)}
	}
}

// macro compiles exists, all and exists_one, to which CEL's parser gives different
// beginnings.
func (d direct) macro(c ast.ComprehensionExpr) testOf {
	step := c.LoopStep()
	if step.Kind() != ast.CallKind || c.HasIterVar2() {
		return nil
	}
	args := step.AsCall().Args()
	begin, isTest := constant[types.Bool](c.AccuInit())
	switch name := step.AsCall().FunctionName(); {
	case isTest && !bool(begin) && name == operators.LogicalOr, isTest && bool(begin) && name == operators.LogicalAnd:
		return d.any(c, args[1], !bool(begin))
	case name == operators.Conditional && c.Result().Kind() == ast.CallKind:
		list := d.selected(c, args[0])
		if _, counts := constant[types.Int](c.AccuInit()); !counts || list == nil {
			return nil
		}
		return func(o *objects) (bool, error) {
			all, err := list(o)
			return err == nil && all.n == 1, err
		}
	}
	return nil
}

// any compiles the test that is the decisive value if it is that for any of a list.
func (d direct) any(c ast.ComprehensionExpr, of ast.Expr, decisive bool) testOf {
	list, test := d.list(c.IterRange()), d.inner(c, of)
	if list == nil || test == nil {
		return nil
	}
	depth := d.depth
	return func(o *objects) (bool, error) {
		all, err := list(o)
		if err != nil {
			return false, err
		}
		for i := range all.n {
			o.macros[depth] = all.of[i]
			is, unknown := test(o)
			if unknown == nil && is == decisive {
				return decisive, nil
			}
			err = first(err, unknown)
		}
		return !decisive, err
	}
}

// inner compiles the test of a macro.
func (d direct) inner(c ast.ComprehensionExpr, of ast.Expr) testOf {
	if d.depth == maxMacros {
		return nil
	}
	return d.within(c.IterVar()).test(of)
}

// filter compiles the macro of this name. That of map has the same beginning.
func (d direct) filter(c ast.ComprehensionExpr) listOf {
	step := c.LoopStep()
	if step.Kind() != ast.CallKind || step.AsCall().FunctionName() != operators.Conditional ||
		c.AccuInit().Kind() != ast.ListKind || c.HasIterVar2() {
		return nil
	}
	args := step.AsCall().Args()
	if args[1].Kind() != ast.CallKind || len(args[1].AsCall().Args()) != 2 {
		return nil
	}
	added := args[1].AsCall().Args()[1]
	if added.Kind() != ast.ListKind || added.AsList().Size() != 1 ||
		added.AsList().Elements()[0].Kind() != ast.IdentKind ||
		added.AsList().Elements()[0].AsIdent() != c.IterVar() {
		return nil
	}
	return d.selected(c, args[0])
}

// selected compiles the selection by a test. If the test is unknown for several,
// the last one counts, as in CEL.
func (d direct) selected(c ast.ComprehensionExpr, by ast.Expr) listOf {
	list, test := d.list(c.IterRange()), d.inner(c, by)
	if list == nil || test == nil {
		return nil
	}
	depth := d.depth
	return func(o *objects) (some credentialList, err error) {
		all, err := list(o)
		if err != nil {
			return some, err
		}
		for i := range all.n {
			o.macros[depth] = all.of[i]
			is, unknown := test(o)
			if errors.Is(unknown, errIndirect) {
				return some, unknown
			}
			if unknown != nil {
				err = unknown
			} else if is {
				some.of[some.n] = all.of[i]
				some.n++
			}
		}
		return some, err
	}
}

// in compiles the test whether a value is in a list of constants, or the name of a
// tag.
func (d direct) in(x, list ast.Expr) testOf {
	if tags := d.tags(list); tags != nil {
		if name, ok := constant[types.String](x); ok {
			return has(tags, string(name))
		}
		return nil
	}
	if list.Kind() != ast.ListKind || len(list.AsList().OptionalIndices()) > 0 {
		return nil
	}
	elements := list.AsList().Elements()
	switch d.kindOf(x) {
	case types.StringKind:
		return among(d.text(x), constants(elements, func(s types.String) string { return string(s) }))
	case types.IntKind:
		if all := constants(elements, func(n types.Int) float64 { return float64(n) }); exact(all) {
			return among(d.number(x), all)
		}
	case types.DoubleKind:
		return among(d.number(x), constants(elements, func(n types.Double) float64 { return float64(n) }))
	}
	return nil
}

// exact says whether whole numbers are exact as float64.
func exact(all []float64) bool {
	return !slices.ContainsFunc(all, func(n float64) bool { return n <= -maxExact || n >= maxExact })
}

// constants returns the values of constants of a type, or nil if there are others.
func constants[T any, V comparable](elements []ast.Expr, value func(T) V) []V {
	all := make([]V, 0, len(elements))
	for _, e := range elements {
		c, ok := constant[T](e)
		if !ok {
			return nil
		}
		all = append(all, value(c))
	}
	return all
}

// among returns the test whether a value is one of some.
func among[V comparable](of func(*objects) (V, error), all []V) testOf {
	if of == nil || len(all) == 0 { // CEL does not look at what is in []
		return nil
	}
	return func(o *objects) (bool, error) {
		v, err := of(o)
		return err == nil && slices.Contains(all, v), err
	}
}

type tagsOf func(*objects) (map[string]string, error)

// tags compiles the tags of a user.
func (d direct) tags(x ast.Expr) tagsOf {
	object, f := d.factOf(x)
	if f == nil || f.kind.Kind() != types.MapKind || x.AsSelect().IsTestOnly() {
		return nil
	}
	return func(o *objects) (map[string]string, error) {
		of := object(o)
		if tags, ok := f.get(of).(map[string]string); ok {
			return tags, nil
		}
		return nil, &absent{f.blame(of)}
	}
}

// has returns the test whether there is a tag.
func has(tags tagsOf, name string) testOf {
	return func(o *objects) (bool, error) {
		all, err := tags(o)
		_, ok := all[name]
		return ok, err
	}
}

// tagged returns the value of a tag.
func tagged(tags tagsOf, name string) wordsOf {
	if tags == nil {
		return nil
	}
	return func(o *objects) (string, error) {
		all, err := tags(o)
		value, ok := all[name]
		if err == nil && !ok {
			err = errIndirect
		}
		return value, err
	}
}
