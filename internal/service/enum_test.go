package service_test

import (
	"strings"
	"testing"
	"unicode"

	"rollcall/internal/awsmodel"
)

// In every action, an enumerated member that is present and empty has an
// invalid value (recorded). The trail shows it unchanged.
func TestEmptyEnumIsAValue(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	served := w.API.Actions()
	count := 0
	for _, op := range awsmodel.Operations("iam") {
		if op.Input == nil || !served[op.Name] {
			continue
		}
		for _, m := range op.Input.Members {
			name := m.Name
			if m.Shape.Kind == awsmodel.List && len(m.Shape.Elem.Enum) > 0 {
				name += ".member.1"
			} else if len(m.Shape.Enum) == 0 {
				continue
			}
			count++
			w.trail.lines()
			got := w.raw(t, call(op.Name, name+"="))
			label := string(unicode.ToLower(rune(m.Name[0]))) + m.Name[1:]
			if got.status != 400 || got.code != "ValidationError" ||
				!strings.Contains(got.message, "Value at '"+label+"' failed") ||
				!strings.Contains(got.message, "Member must satisfy enum value set") {
				t.Errorf("%s %s: %+v", op.Name, m.Name, got.failure)
			}
			if record := strings.Join(w.trail.lines(), "\n"); strings.Contains(record, `\u0000`) {
				t.Errorf("%s %s: %s", op.Name, m.Name, record)
			}
		}
	}
	if count < 15 {
		t.Errorf("%d members", count)
	}
}
