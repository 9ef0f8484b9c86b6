package console_test

import (
	"net/http"
	"testing"
)

// TestPasskeyOfAnother tells nothing of a user to those who may not give it a
// device: not even whether there is one.
func TestPasskeyOfAnother(t *testing.T) {
	w := newWorld(t)
	w.user("bob", "")
	w.user("carol", "")
	bob := w.signedIn("bob")
	for _, name := range []string{"carol", "nobody"} {
		got := bob.post("/console/mfa/new?name="+name, "do", "begin-passkey", "label", "key")
		got.want(t, http.StatusForbidden, "is not authorized to perform: iam:EnableMFADevice on resource: user "+name)
	}
}
