package audit

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"rollcall/report"
)

// expression is a compiled expression of CEL.
type expression struct {
	scope   Scope
	text    string
	program program
	// direct decides like program, but faster. It is nil for most expressions that do
	// more than to compare facts with constants.
	direct testOf
	// facts are the facts that the expression names, each with its variable.
	facts   []namedFact
	checked *ast.AST
	// columns are the columns of the facts, for each place of a credential.
	columns [2][]report.Column
	// age says that the expression is a single fact that is a number of days.
	age bool
}

type namedFact struct {
	object string
	fact   *fact
}

// compile checks and prepares an expression. kind is the type of its result,
// nil for any.
func compile(scope Scope, text string, kind *types.Type) (*expression, error) {
	all, err := languages()
	if err != nil {
		return nil, err
	}
	if len(text) > maxExpression {
		return nil, fmt.Errorf("it is longer than %d bytes", maxExpression)
	}
	checked, err := all[scope].check(text)
	if err != nil {
		return nil, err
	}
	if is := checked.GetType(checked.Expr().ID()); kind != nil && !is.IsExactType(kind) {
		return nil, fmt.Errorf("it is %s, and must be %s", is, kind)
	}
	cost, err := checker.Cost(checked, factSizes{})
	if err != nil {
		return nil, err
	}
	if cost.Max > maxOwnCost {
		return nil, fmt.Errorf("it may cost %d steps, and the limit is %d", cost.Max, maxOwnCost)
	}
	program, err := all[scope].plan(checked)
	if err != nil {
		return nil, err
	}
	e := &expression{scope: scope, text: text, program: program, checked: checked}
	e.direct = newDirect(checked).test(checked.Expr())
	e.name(checked)
	e.columns = [2][]report.Column{e.columnsOf(0), e.columnsOf(1)}
	return e, nil
}

// factSizes tells CEL the maximum sizes of values in a report.
type factSizes struct{}

// EstimateSize implements checker.CostEstimator.
func (factSizes) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	switch node.Type().Kind() {
	case types.ListKind:
		return &checker.SizeEstimate{Min: 0, Max: 2}
	case types.MapKind:
		return &checker.SizeEstimate{Min: 0, Max: 50}
	case types.StringKind:
		return &checker.SizeEstimate{Min: 0, Max: maxFactText}
	}
	return nil
}

// EstimateCallCost implements checker.CostEstimator. CEL estimates the cost of a
// regular expression by its length. So it does not see what a repetition costs, such
// as that of (.*.*){500}.
func (factSizes) EstimateCallCost(function, _ string, _ *checker.AstNode,
	args []checker.AstNode) *checker.CallEstimate {
	if function != "matches" {
		return nil
	}
	pattern, ok := constant[types.String](args[len(args)-1].Expr())
	steps := stepsOf(string(pattern))
	if !ok || steps <= len(pattern) {
		return nil
	}
	const text = maxFactText * common.StringTraversalCostFactor
	most := uint64(text * float64(steps) * common.RegexStringLengthCostFactor)
	return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: 1, Max: most}}
}

// stepsOf returns the number of instructions of a regular expression, 0 if it is not
// valid.
func stepsOf(pattern string) int {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}

// name collects the facts that the expression reads, in order.
func (e *expression) name(a *ast.AST) {
	visit := func(x ast.Expr) {
		if x.Kind() != ast.SelectKind {
			return
		}
		operand := x.AsSelect().Operand()
		object := variable(a.GetType(operand.ID()).TypeName())
		for i := range factsOf[object] {
			f := &factsOf[object][i]
			if f.name != x.AsSelect().FieldName() {
				continue
			}
			e.age = x.ID() == a.Expr().ID() && strings.HasSuffix(f.name, "_days")
			if n := (namedFact{object, f}); !slices.Contains(e.facts, n) {
				e.facts = append(e.facts, n)
			}
		}
	}
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(visit))
}

// decide evaluates an expression that is true or false. It returns unknown if a
// decisive value is unknown, and an error if it cannot be evaluated otherwise.
func (e *expression) decide(o *objects) (is bool, unknown *absent, err error) {
	if e.direct != nil {
		if is, unknown = e.direct(o); unknown != indirect {
			return is, unknown, nil
		}
	}
	return e.interpret(o)
}

// interpret is decide by CEL's interpreter.
func (e *expression) interpret(o *objects) (bool, *absent, error) {
	var unknown *absent
	value, err := e.program.eval(o)
	if errors.As(err, &unknown) {
		return false, unknown, nil
	}
	return value == types.True, nil, err
}

// columnsOf returns the columns of the facts for one place of the credentials.
func (e *expression) columnsOf(slot int) []report.Column {
	s := &sight{credentials: blank}
	o := s.objects(nil)
	o[keyObject].at, o[certificateObject].at = 1+slot, 3+slot
	var all []report.Column
	blame := func(n namedFact) {
		for _, c := range n.fact.blame(&o[placeOfVariable[n.object]]) {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	for _, n := range e.facts {
		blame(n)
		if n.object == "key" && e.scope != ScopeAccessKey || n.object == "certificate" && e.scope != ScopeCertificate {
			o[keyObject].at, o[certificateObject].at = 2-slot, 4-slot // it is about all keys or certificates
			blame(n)
			o[keyObject].at, o[certificateObject].at = 1+slot, 3+slot
		}
	}
	return all
}

// value returns the value of an expression for a message.
func (e *expression) value(o *objects) Value {
	v, err := e.program.eval(o)
	if err != nil {
		return TextValue("unknown")
	}
	switch v := v.Value().(type) {
	case float64:
		if e.age {
			return AgeValue(time.Duration(v * float64(24*time.Hour)).Round(time.Second))
		}
		return TextValue(fmt.Sprint(v))
	case time.Time:
		return TimeValue(report.At(v))
	default:
		return TextValue(shorten(fmt.Sprint(v)))
	}
}
