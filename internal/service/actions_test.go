package service_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/awsmodel"
)

// docs/actions.md lists exactly the actions that the service offers. -update
// writes it.
func TestActionsDocument(t *testing.T) {
	t.Parallel()
	const file = "../../docs/actions.md"
	want := awsmodel.ActionsMarkdown(inMemory(t).API.Actions())
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("go test ./internal/service -run ActionsDocument -update writes it: -want +got\n%s", diff)
	}
}
