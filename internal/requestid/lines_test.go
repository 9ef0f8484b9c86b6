package requestid_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// withoutRequests are the files whose lines belong to no request: they are about
// the process, its jobs and its connections.
var withoutRequests = []string{
	"hashing/hashing.go", "identity/datakeys.go", "identity/forget.go", "server/admin.go", "server/conn.go",
	"server/guard.go", "server/listen.go", "service/emulator.go", "sts/keyset.go",
}

// Every other line of the log is written with a context, from which it gets the
// id of its request.
func TestLinesHaveAContext(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/*.go")
	more, err2 := filepath.Glob("../*/*/*.go")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	seen := 0
	for _, file := range append(files, more...) {
		name := strings.TrimPrefix(file, "../")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") || !bytes.Contains(text, []byte("log")) {
			continue
		}
		places := token.NewFileSet()
		parsed, err := parser.ParseFile(places, file, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for call := range calls(parsed) {
			of, method := loggerCall(call)
			if !of {
				continue
			}
			seen++
			if !strings.HasSuffix(method, "Context") && method != "Log" && !slices.Contains(withoutRequests, name) {
				t.Errorf("%s: a line of the log without a context", places.Position(call.Pos()))
			}
		}
	}
	if seen < 40 {
		t.Errorf("found %d lines of the log", seen)
	}
}

func calls(file *ast.File) func(func(*ast.CallExpr) bool) {
	return func(yield func(*ast.CallExpr) bool) {
		going := true
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && going {
				going = yield(call)
			}
			return going
		})
	}
}

// loggerCall reports whether a call is one of a logger's methods, and which.
func loggerCall(call *ast.CallExpr) (of bool, method string) {
	m, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false, ""
	}
	var logger string
	switch x := m.X.(type) {
	case *ast.Ident:
		logger = x.Name
	case *ast.SelectorExpr:
		logger = x.Sel.Name
	}
	level, _ := strings.CutSuffix(m.Sel.Name, "Context")
	return strings.EqualFold(logger, "log") && slices.Contains([]string{"Debug", "Info", "Warn", "Error", "Log"}, level),
		m.Sel.Name
}
