package audit_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImports checks the order of packages: those that judge do not import
// those that show, and the public package report imports no other package of
// the module.
func TestImports(t *testing.T) {
	for _, rule := range []struct {
		packages string
		never    []string
	}{
		{"rollcall/report", []string{"rollcall/internal/"}},
		{"rollcall/internal/audit/...", []string{"rollcall/internal/render", "rollcall/internal/html",
			"rollcall/internal/fleet"}},
		{"rollcall/internal/reports",
			[]string{"rollcall/internal/render", "rollcall/internal/html", "github.com/spf13/"}},
		{"rollcall/internal/review",
			[]string{"rollcall/internal/render", "rollcall/internal/html", "github.com/spf13/"}},
		{"rollcall/internal/html", []string{"rollcall/internal/render", "rollcall/internal/fleet"}},
		{"rollcall/internal/intake", []string{"rollcall/internal/audit"}},
	} {
		list := exec.Command("go", "list", "-f", "{{.ImportPath}}: {{join .Deps \" \"}}", rule.packages)
		list.Stderr = t.Output()
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			of, deps, _ := strings.Cut(line, ": ")
			for dep := range strings.FieldsSeq(deps) {
				for _, never := range rule.never {
					if strings.HasPrefix(dep, never) {
						t.Errorf("%s must not depend on %s", of, dep)
					}
				}
			}
		}
	}
}
