package audit_test

import (
	"os"
	"strings"
	"testing"

	"rollcall/internal/audit"
)

// TestOwnFields compares the table in the documentation with the fields.
func TestOwnFields(t *testing.T) {
	const path = "../../docs/own-controls.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "## Fields\n")
	intro, rest, _ := strings.Cut(rest, "| field |")
	_, after, _ := strings.Cut(rest, "\n## Tests")
	want := before + "## Fields\n" + intro + audit.OwnFields() + "\n## Tests" + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(text) != want {
		t.Error("the table of fields in docs/own-controls.md is not today's; run with -update")
	}
}
