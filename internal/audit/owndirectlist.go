package audit

import (
	"math/bits"
	"slices"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// maxMacros limits how deep macros are nested.
const maxMacros = 3

type listOf func(*objects) (credentialSet, *absent)

// list compiles the credentials of a kind, or a selection of them.
func (d direct) list(x ast.Expr) listOf {
	if x.Kind() == ast.ComprehensionKind {
		return d.filter(x.AsComprehension())
	}
	place, f := d.factOf(x)
	if f == nil || f.list == nil || x.AsSelect().IsTestOnly() {
		return nil
	}
	if !d.told(x, f) {
		return func(*objects) (credentialSet, *absent) { return 0, indirect }
	}
	kind := f.listed()
	return func(o *objects) (credentialSet, *absent) {
		of := &o[place]
		set, known := of.sight.existing(kind)
		if !known {
			return 0, &absent{f.unknownIn(of)}
		}
		return set, nil
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
		return func(o *objects) (bool, *absent) {
			set, unknown := list(o)
			return set.size() == 1, unknown
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
	place := firstMacro + d.depth
	return func(o *objects) (bool, *absent) {
		set, unknown := list(o)
		if unknown != nil {
			return false, unknown
		}
		for of := &o[place]; set != 0; set &= set - 1 {
			of.at = set.first()
			is, next := test(o)
			if next == nil && is == decisive {
				return decisive, nil
			}
			unknown = first(unknown, next)
		}
		return !decisive, unknown
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
	place := firstMacro + d.depth
	return func(o *objects) (some credentialSet, unknown *absent) {
		set, unknown := list(o)
		if unknown != nil {
			return 0, unknown
		}
		for of := &o[place]; set != 0; set &= set - 1 {
			of.at = set.first()
			is, next := test(o)
			if next == indirect {
				return 0, indirect
			}
			if next != nil {
				unknown = next
			} else if is {
				some |= 1 << of.at
			}
		}
		return some, unknown
	}
}

// first returns the smallest index in a set that is not empty.
func (s credentialSet) first() int { return bits.TrailingZeros8(uint8(s)) }

// size returns the number of credentials.
func (s credentialSet) size() int { return bits.OnesCount8(uint8(s)) }

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
	if len(elements) == 0 { // CEL does not look at what is in []
		return nil
	}
	switch d.kindOf(x) {
	case types.StringKind:
		if all := constants(elements, func(s types.String) string { return string(s) }); all != nil {
			return d.asking(x, func(s string) bool { return slices.Contains(all, s) })
		}
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
func among[V comparable](of func(*objects) (V, *absent), all []V) testOf {
	if of == nil || all == nil {
		return nil
	}
	return func(o *objects) (bool, *absent) {
		v, unknown := of(o)
		return slices.Contains(all, v), unknown
	}
}

type tagsOf func(*objects) (map[string]string, *absent)

// tags compiles the tags of a user.
func (d direct) tags(x ast.Expr) tagsOf {
	_, f := d.factOf(x)
	if f == nil || x.AsSelect().IsTestOnly() {
		return nil
	}
	return valueOf(d, x, f.tags)
}

// has returns the test whether there is a tag.
func has(tags tagsOf, name string) testOf {
	return func(o *objects) (bool, *absent) {
		all, unknown := tags(o)
		_, ok := all[name]
		return ok, unknown
	}
}

// tagged returns the value of a tag.
func tagged(tags tagsOf, name string) wordsOf {
	if tags == nil {
		return nil
	}
	return func(o *objects) (string, *absent) {
		all, unknown := tags(o)
		value, ok := all[name]
		if unknown == nil && !ok {
			return "", indirect
		}
		return value, unknown
	}
}
