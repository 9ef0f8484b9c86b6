package access

import (
	"fmt"
	"testing"

	"rollcall/internal/policy"
)

// A caller with ever new documents cannot make the service parse all other
// documents again.
func TestDocumentsAreNotForgottenAtOnce(t *testing.T) {
	a := New(nil)
	for i := range maxDocs + 10 {
		a.keep(docKey{policy.Managed, fmt.Sprint(i)}, &policy.Document{})
	}
	if len(a.docs) != maxDocs {
		t.Errorf("%d documents are kept, want %d", len(a.docs), maxDocs)
	}
}
