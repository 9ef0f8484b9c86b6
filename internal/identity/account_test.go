package identity_test

import (
	"testing"

	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
)

func TestCreateAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		t.Run("root key signs", func(t *testing.T) {
			c := principal.Of(w.root)
			if !c.IsRoot() || c.Account() != account || c.UserID() != account || c.ARN() != "arn:aws:iam::123456789012:root" {
				t.Errorf("caller %+v", c)
			}
			if got, ok := seal.AccountOfKeyID(w.rootKey.ID); !ok || got != account {
				t.Errorf("key id %s names account %q", w.rootKey.ID, got)
			}
		})
		t.Run("given key", func(t *testing.T) {
			_, err := w.CreateAccount(t.Context(), identity.AccountSpec{ID: "000000000000", Partition: "aws-cn", RootKeyID: "test", RootSecret: seal.NewSecret("test")})
			if err != nil {
				t.Fatal(err)
			}
			if c := principal.Of(w.as(t, "test", "test")); c.ARN() != "arn:aws-cn:iam::000000000000:root" {
				t.Errorf("caller %s", c.ARN())
			}
		})
	})
}

func TestSigningKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		if c := principal.Of(w.asUser(t, "alice")); c.UserName() != "Alice" || c.ARN() != "arn:aws:iam::123456789012:user/Alice" {
			t.Errorf("caller %s", c.ARN())
		}
		_, err := w.verify(t, w.rootKey.ID, "another secret")
		if err == nil {
			t.Error("a wrong secret signs")
		}
	})
}
