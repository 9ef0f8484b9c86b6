package console_test

import (
	"net/http"
	"testing"
)

// TestPasskeyOfAnother checks that callers who may not give a user a device
// learn nothing about the user, not even whether it exists.
func TestPasskeyOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", "")
	w.user("carol", "")
	bob := w.signedIn("bob")
	for _, name := range []string{"carol", "nobody"} {
		got := bob.post("/console/mfa/new?name="+name, "do", "begin-passkey", "label", "key")
		got.want(t, http.StatusForbidden, "is not authorized to perform: iam:EnableMFADevice on resource: user "+name)
	}
}
