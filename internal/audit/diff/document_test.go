package diff_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
)

// TestDocument checks that docs/diff.md has every event with its severity and
// rule, and every state, and no others.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../../docs/diff.md")
	must(t, err)
	page := string(text)
	for _, e := range audit.Events() {
		row := fmt.Sprintf("| `%s` | %v | %s |\n", e.Kind, e.Severity, e.Rule)
		if !strings.Contains(page, row) {
			t.Errorf("docs/diff.md has no row\n%s", row)
		}
		page = strings.Replace(page, row, "", 1)
	}
	if strings.Contains(page, "-added` |") {
		t.Error("docs/diff.md has an event that is none")
	}
	for state := range diff.State(diff.NumStates) {
		if !strings.Contains(page, fmt.Sprintf("| `%v` | ", state)) {
			t.Errorf("docs/diff.md has no state %v", state)
		}
	}
}
