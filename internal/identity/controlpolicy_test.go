package identity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
)

func TestControlPolicies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const allow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		const deny = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*"}}`
		for _, p := range [][2]string{{"b", deny}, {"a", allow}, {"b", allow}} {
			if err := w.PutControlPolicy(t.Context(), account, p[0], p[1]); err != nil {
				t.Fatal(err)
			}
		}
		list := func() []store.ControlPolicy {
			t.Helper()
			all, err := w.ControlPolicies(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if diff := cmp.Diff([]store.ControlPolicy{{Name: "a", Document: allow}, {Name: "b", Document: allow}},
			list()); diff != "" {
			t.Error(diff)
		}
		for _, c := range []struct{ account, name, document, want string }{
			{"999999999999", "a", allow, "put control policy: there is no account 999999999999"},
			{account, "", allow, `put control policy: name "" is not 1 to 128 characters of ASCII without blanks`},
			{account, "a b", allow,
				`put control policy: name "a b" is not 1 to 128 characters of ASCII without blanks`},
			{account, "c", "x", "put control policy: MalformedPolicyDocument: Syntax errors in policy."},
			{account, "c", strings.Replace(allow, `"*"}`, `"`+strings.Repeat("x", 5200)+`*"}`, 1), ""},
		} {
			err := w.PutControlPolicy(t.Context(), c.account, c.name, c.document)
			if err == nil || c.want != "" && err.Error() != c.want {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if n := len(list()); n != 2 {
			t.Errorf("%d policies after what was refused", n)
		}
		if err := w.DeleteControlPolicy(t.Context(), account, "a"); err != nil {
			t.Error(err)
		}
		if err := w.DeleteControlPolicy(t.Context(), account, "a"); err == nil ||
			err.Error() != `delete control policy: account 123456789012 has no control policy "a"` {
			t.Error(err)
		}
		if _, err := w.ControlPolicies(t.Context(), "999999999999"); err == nil ||
			err.Error() != "list control policies: there is no account 999999999999" {
			t.Error(err)
		}
		if n := len(list()); n != 1 {
			t.Errorf("%d policies", n)
		}
	})
}
