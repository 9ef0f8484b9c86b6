package audit

import (
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"rollcall/report"
)

// Many custom controls ask only what is true and what is there: whether a user has
// MFA, of which class the user is, which keys are active. Cells of this kind have few
// meanings. So the verdict on each combination of them is found when the file is
// read, and judging a row is a look into a table. A control that asks for more has a
// table too, for the rows on which the few meanings decide.

// table holds a verdict for each combination of the meanings of cells.
type table struct {
	cells    cells
	verdicts []*verdict // nil where more than the cells decides
}

// These verdicts are only in tables.
var (
	noTarget = &verdict{} // there is no such credential
	mustHold = &verdict{} // there is one, and the condition is true, so the expression decides
	restOpen = &verdict{} // there is one, and what the cells tell of the condition is true
)

// maxTable limits the combinations of a table.
const maxTable = 2048

// look returns the verdict on a row.
func (t *table) look(s *sight) *verdict { return t.verdicts[t.cells.number(s)] }

// complete replaces noTarget by a verdict. It says whether each combination
// has a verdict then.
func (t *table) complete(none *verdict) bool {
	complete := true
	for i, v := range t.verdicts {
		switch v {
		case noTarget:
			t.verdicts[i] = none
		case mustHold, restOpen, nil:
			complete = false
		}
	}
	return complete
}

// few says which cells an expression may read when a table is made.
type few struct {
	allowed cells
	read    cells
	at      int // of the credential that is judged
}

// told says whether the cells of a part are among the allowed ones, which are now
// read.
func (w *few) told(p part, places ...int) bool {
	of := p.cells(places...)
	if p == ofAnything || of&^w.allowed != 0 {
		return false
	}
	w.read |= of
	return true
}

// tabulate makes the table for a target. The fewer cells may be read, the more is
// left to the expressions.
func (r *own) tabulate(t *target) {
	for _, allowed := range [...]cells{allCells, allCells % usedCell, t.itself()} {
		if t.table = r.tableOf(t, &few{allowed: allowed, read: t.itself(), at: t.at}); t.table != nil {
			return
		}
	}
}

// tableOf returns the table for a target, nil if it would be too large or say nothing.
func (r *own) tableOf(t *target, w *few) *table {
	tests := map[*expression]testOf{r.holds: r.holds.within(w)}
	if r.when != nil {
		tests[r.when] = r.when.within(w)
	}
	if w.read.combinations() > maxTable {
		return nil
	}
	made := &table{cells: w.read, verdicts: make([]*verdict, w.read.combinations())}
	s := &sight{credentials: blank, row: &report.Row{}, account: &Enrichment{}}
	says := false
	told := r.splitCondition(t, w, s)
	w.read.each(s, func() {
		v := t.exists(s)
		if v == nil {
			v = r.decide(s, s.objects(nil), t, func(e *expression, o *objects) (bool, *absent, error) {
				is, unknown := tests[e](o)
				return is, unknown, nil
			})
		}
		switch {
		case v == &s.undecided:
			kept := *v
			v = &kept
		case v == nil && told != nil && isTrue(told(s.objects(nil))):
			v = restOpen
		}
		made.verdicts[w.read.number(s)] = v
		says = says || v != nil && (v != mustHold || r.when != nil)
	})
	if !says {
		return nil
	}
	return made
}

// splitCondition returns the test of what the cells tell of a condition a && b. The
// rest becomes a test of the target. It returns nil if the condition has no two such
// parts.
func (r *own) splitCondition(t *target, w *few, s *sight) (told testOf) {
	if r.when == nil || r.when.direct == nil {
		return nil
	}
	t.rest = nil
	all, some := newDirect(r.when.checked), newDirect(r.when.checked)
	some.few = w
	for _, x := range conjuncts(r.when.checked.Expr()) {
		test, open := some.test(x), false
		w.read.each(s, func() {
			_, unknown := test(s.objects(nil))
			open = open || unknown == indirect
		})
		if open {
			t.rest = and(t.rest, all.test(x))
		} else {
			told = and(told, test)
		}
	}
	if t.rest == nil {
		return nil
	}
	return told
}

// and returns the test whether both sides are true, of which the first may be nil.
func and(a, b testOf) testOf {
	if a == nil {
		return b
	}
	return either(a, b, false)
}

func isTrue(is bool, unknown *absent) bool { return is && unknown == nil }

// conjuncts returns the parts of a && b && c.
func conjuncts(x ast.Expr) []ast.Expr {
	if x.Kind() != ast.CallKind || x.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{x}
	}
	args := x.AsCall().Args()
	return append(conjuncts(args[0]), conjuncts(args[1])...)
}

// within returns the function that decides the expression by few cells. It is
// indirect where they do not decide.
func (e *expression) within(w *few) testOf {
	d := newDirect(e.checked)
	d.few = w
	if test := d.test(e.checked.Expr()); test != nil {
		return test
	}
	return func(*objects) (bool, *absent) { return false, indirect }
}
