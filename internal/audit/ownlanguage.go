package audit

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/containers"
	"github.com/google/cel-go/common/decls"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/stdlib"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
	"github.com/google/cel-go/parser"
)

// language is CEL in one scope, made of its parts. The package of CEL that
// assembles them prepares descriptors of Protocol Buffers when the program starts,
// whatever the command is. They are not needed here.
type language struct {
	parser      *parser.Parser
	checker     *checker.Env
	interpreter interpreter.Interpreter
}

// languages holds the language of each scope. They are created on first use,
// because most runs have no custom controls.
var languages = sync.OnceValues(func() (map[Scope]*language, error) {
	all := map[Scope]*language{}
	for scope := range scopeVariables {
		provider, err := newFactTypes(scope)
		if err != nil {
			return nil, err
		}
		if all[scope], err = newLanguage(scope, provider); err != nil {
			return nil, err
		}
	}
	return all, nil
})

func newLanguage(scope Scope, provider *factTypes) (l *language, err error) {
	l = &language{}
	if l.parser, err = parser.NewParser(parser.Macros(parser.AllMacros...)); err != nil {
		return nil, err
	}
	l.checker, err = checker.NewEnv(containers.DefaultContainer, provider, checker.CrossTypeNumericComparisons(true))
	if err != nil {
		return nil, err
	}
	for _, name := range scopeVariables[scope] {
		if err := l.checker.AddIdents(decls.NewVariable(name, objectTypes[name])); err != nil {
			return nil, err
		}
	}
	var all []*functions.Overload
	for _, f := range stdlib.Functions() {
		if err := l.checker.AddFunctions(f); err != nil {
			return nil, err
		}
		overloads, err := f.Bindings()
		if err != nil {
			return nil, err
		}
		all = append(all, overloads...)
	}
	dispatcher := interpreter.NewDispatcher()
	if err := dispatcher.Add(all...); err != nil {
		return nil, err
	}
	l.interpreter = interpreter.NewInterpreter(dispatcher, containers.DefaultContainer, provider, provider,
		interpreter.NewAttributeFactory(containers.DefaultContainer, provider, provider))
	return l, nil
}

// check parses an expression and finds the type of each of its parts.
func (l *language) check(text string) (*ast.AST, error) {
	source := common.NewTextSource(text)
	parsed, found := l.parser.Parse(source)
	if len(found.GetErrors()) > 0 {
		return nil, &celError{found.GetErrors()}
	}
	checked, found := checker.Check(parsed, source, l.checker)
	if len(found.GetErrors()) > 0 {
		return nil, &celError{found.GetErrors()}
	}
	return checked, nil
}

// program is an expression that can be evaluated.
type program struct{ steps interpreter.InterpretableV2 }

// plan prepares an expression for many evaluations.
func (l *language) plan(checked *ast.AST) (program, error) {
	p, err := l.interpreter.NewInterpretable(checked, interpreter.Optimize(),
		interpreter.CompileRegexConstants(interpreter.MatchesRegexOptimization))
	return program{p}, err
}

// eval evaluates the expression. A panic in CEL is an error.
func (p program) eval(o *objects) (value ref.Val, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v", r)
		}
	}()
	frame, err := interpreter.NewExecutionFrame(o)
	if err != nil {
		return nil, err
	}
	defer frame.Close()
	value = p.steps.Exec(frame)
	if failed, ok := value.(*types.Err); ok {
		err = failed
	}
	return value, err
}

// celError holds the errors that CEL found in an expression. Each has its line
// and column.
type celError struct{ errors []*common.Error }

// Error returns the first error.
func (e *celError) Error() string {
	first := e.errors[0]
	return fmt.Sprintf("column %d: %s", first.Location.Column()+1, first.Message)
}

// line returns the line of the first error within the expression, counted from
// 0.
func (e *celError) line() int { return max(0, e.errors[0].Location.Line()-1) }
