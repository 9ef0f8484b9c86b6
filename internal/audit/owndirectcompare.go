package audit

import (
	"cmp"
	"math"
	"sort"
	"time"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// wholeOf is a part of an expression that is a whole number: a count, a number of
// seconds, or the time since 1970 in seconds.
type wholeOf func(*objects) (int64, *absent)

func (d direct) compare(a, b ast.Expr, accepted accepted) testOf {
	if test := d.compareConstant(a, b, accepted); test != nil {
		return test
	}
	if test := d.compareConstant(b, a, accepted.mirrored()); test != nil {
		return test
	}
	if test := d.compareChoice(a, b, accepted); test != nil {
		return test
	}
	switch d.kindOf(a) {
	case types.IntKind, types.DoubleKind:
		return comparing(d.number(a), d.number(b), accepted)
	case types.StringKind:
		return comparing(d.text(a), d.text(b), accepted)
	case types.BoolKind:
		return comparing(asNumber(d.test(a)), asNumber(d.test(b)), accepted)
	case types.TimestampKind:
		return comparing(d.moment(a), d.moment(b), accepted)
	}
	return nil
}

// compareChoice compiles the comparison of a number with one of two others. If it is
// not known which, the number on the left may still be what is unknown first.
func (d direct) compareChoice(a, b ast.Expr, accepted accepted) testOf {
	if b.Kind() != ast.CallKind || b.AsCall().FunctionName() != operators.Conditional {
		return nil
	}
	args := b.AsCall().Args()
	left, which, first, second := d.number(a), d.test(args[0]), d.compare(a, args[1], accepted),
		d.compare(a, args[2], accepted)
	if left == nil || which == nil || first == nil || second == nil {
		return nil
	}
	return func(o *objects) (bool, *absent) {
		is, unknown := which(o)
		switch {
		case unknown != nil:
			if _, before := left(o); before != nil {
				return false, before
			}
			return false, unknown
		case is:
			return first(o)
		}
		return second(o)
	}
}

// asNumber orders false before true.
func asNumber(test testOf) func(*objects) (int, *absent) {
	if test == nil {
		return nil
	}
	return func(o *objects) (int, *absent) {
		is, unknown := test(o)
		if is {
			return 1, unknown
		}
		return 0, unknown
	}
}

// compareConstant compiles the comparison of a value with a constant.
func (d direct) compareConstant(x, constant ast.Expr, accepted accepted) testOf {
	switch d.kindOf(x) {
	case types.StringKind:
		return d.compareText(x, constant, accepted)
	case types.IntKind, types.DoubleKind:
		limit, ok := constantNumber(constant)
		if whole, value := d.whole(x); ok && whole != nil {
			return d.inside(x, whole, accepted, func(n int64) int { return cmp.Compare(value(n), limit) })
		}
	case types.TimestampKind:
		limit, ok := constantOf[types.Timestamp](constant, "timestamp", types.TimestampType)
		if moment := d.moment(x); ok && moment != nil {
			return d.inside(x, moment, accepted, func(n int64) int { return time.Unix(n, 0).Compare(limit.Time) })
		}
	case types.DurationKind:
		limit, ok := constantOf[types.Duration](constant, "duration", types.DurationType)
		if seconds := d.seconds(x); ok && seconds != nil {
			return d.inside(x, seconds, accepted, func(n int64) int {
				return cmp.Or(cmp.Compare(n, int64(limit.Duration/time.Second)),
					cmp.Compare(0, limit.Duration%time.Second))
			})
		}
	}
	return nil
}

// compareText compiles the comparison whether a text is a constant.
func (d direct) compareText(x, other ast.Expr, accepted accepted) testOf {
	limit, ok := constant[types.String](other)
	if !ok || accepted[0] != accepted[2] {
		return nil
	}
	want, equal := string(limit), accepted[1]
	return d.asking(x, func(s string) bool { return (s == want) == equal })
}

// inside compiles a comparison of whole numbers with a limit. The numbers that
// compare as equal are next to each other. So it becomes the question whether a number
// is in a range, or whether it is not.
func (d direct) inside(x ast.Expr, whole wholeOf, accepted accepted, compare func(int64) int) testOf {
	equal := firstWhere(func(n int64) bool { return compare(n) >= 0 })
	above := firstWhere(func(n int64) bool { return compare(n) > 0 })
	from, to, within := int64(math.MinInt64), equal, accepted[0]
	switch accepted[0] {
	case accepted[2]:
		from, to, within = equal, above, accepted[1]
	case accepted[1]:
		to = above
	}
	least, size := uint64(from), uint64(to)-uint64(from)
	if of := d.origin(x); of != nil {
		return func(o *objects) (bool, *absent) {
			at := &o[of.place]
			n, known := of.get(at)
			if !known {
				return false, of.missing[at.at]
			}
			return (uint64(n)-least < size) == within, nil
		}
	}
	return func(o *objects) (bool, *absent) {
		n, unknown := whole(o)
		return (uint64(n)-least < size) == within, unknown
	}
}

// origin returns the origin of a fact that is a whole number.
func (d direct) origin(x ast.Expr) *origin[int64] {
	_, f := d.factOf(x)
	switch {
	case f == nil || x.AsSelect().IsTestOnly():
		return nil
	case f.age != nil:
		return originOf(d, x, f.age)
	case f.moment != nil:
		return originOf(d, x, f.moment)
	}
	return originOf(d, x, f.count)
}

// firstWhere returns the first number for which a condition is true, which is true
// for all numbers after it.
func firstWhere(condition func(int64) bool) int64 {
	return int64(sort.Search(2*maxExact, func(i int) bool { return condition(int64(i) - maxExact) })) - maxExact
}

// constantNumber returns the value of a number that is written as such.
func constantNumber(x ast.Expr) (float64, bool) {
	if x.Kind() != ast.LiteralKind {
		return 0, false
	}
	switch n := x.AsLiteral().(type) {
	case types.Int:
		return float64(n), -maxExact < n && n < maxExact
	case types.Double:
		return float64(n), true
	}
	return 0, false
}

// constantOf returns the value that a function makes of a constant text.
func constantOf[T any](x ast.Expr, function string, kind ref.Type) (value T, ok bool) {
	if x.Kind() != ast.CallKind || x.AsCall().FunctionName() != function || len(x.AsCall().Args()) != 1 {
		return value, false
	}
	if text, isText := constant[types.String](x.AsCall().Args()[0]); isText {
		value, ok = text.ConvertToType(kind).(T)
	}
	return value, ok
}

// whole compiles a number that is a whole number, or is computed from one by a
// function that does not decrease.
func (d direct) whole(x ast.Expr) (wholeOf, func(int64) float64) {
	same := func(n int64) float64 { return float64(n) }
	if _, f := d.factOf(x); f != nil && !x.AsSelect().IsTestOnly() {
		if f.age != nil {
			return valueOf(d, x, f.age), days
		}
		return valueOf(d, x, f.count), same
	}
	if x.Kind() == ast.CallKind && x.AsCall().FunctionName() == "size" {
		return d.size(x.AsCall()), same
	}
	return nil, nil
}

// moment compiles the time of something.
func (d direct) moment(x ast.Expr) wholeOf {
	if _, f := d.factOf(x); f != nil {
		return valueOf(d, x, f.moment)
	}
	return nil
}

// maxDuration is the number of seconds to which CEL limits the difference of two
// times.
const maxDuration = int64((1<<63 - 1) / time.Second)

// seconds compiles the time between two others.
func (d direct) seconds(x ast.Expr) wholeOf {
	if x.Kind() != ast.CallKind || x.AsCall().FunctionName() != operators.Subtract {
		return nil
	}
	args := x.AsCall().Args()
	if d.kindOf(args[0]) != types.TimestampKind || d.kindOf(args[1]) != types.TimestampKind {
		return nil
	}
	return both(d.moment(args[0]), d.moment(args[1]), func(a, b int64) (int64, *absent) {
		if n := a - b; -maxDuration < n && n < maxDuration {
			return n, nil
		}
		return 0, indirect
	})
}
