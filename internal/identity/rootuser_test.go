package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
)

func wantText(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestRootKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.advance(time.Hour)
		second, err := w.CreateRootKey(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		if c := principal.Of(w.as(t, second.ID, second.Secret.Reveal())); !c.IsRoot() || c.Account() != account {
			t.Errorf("the key signs for %s", c.ARN())
		}
		if got := fmt.Sprintf("%+v", second); !cmp.Equal(got,
			fmt.Sprintf("{ID:%s Secret:REDACTED Status:Active Created:%s}", second.ID, began.Add(time.Hour))) {
			t.Errorf("printed as %s", got)
		}
		_, err = w.CreateRootKey(t.Context(), account)
		wantText(t, err, "create root access key: Cannot exceed quota for AccessKeysPerUser: 2")

		keys, err := w.RootKeys(t.Context(), account)
		if err != nil || len(keys) != 2 || keys[0].ID > keys[1].ID {
			t.Fatalf("%+v, %v", keys, err)
		}
		for _, k := range keys {
			if !k.Secret.IsEmpty() || k.Status != "Active" ||
				(k.ID == second.ID) != k.Created.Equal(began.Add(time.Hour)) {
				t.Errorf("%+v", k)
			}
		}
		if err := w.DeleteRootKey(t.Context(), account, second.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.verify(t, second.ID, second.Secret.Reveal()); err == nil {
			t.Error("a deleted key signs")
		}
		wantText(t, w.DeleteRootKey(t.Context(), account, second.ID),
			"delete root access key: root of account 123456789012 has no access key "+second.ID)
		// A user's key is not a key of root.
		w.user(t, "alice")
		alice := principal.Of(w.asUser(t, "alice")).AccessKeyID()
		wantText(t, w.DeleteRootKey(t.Context(), account, alice),
			"delete root access key: root of account 123456789012 has no access key "+alice)

		_, err = w.CreateRootKey(t.Context(), "999999999999")
		wantText(t, err, "create root access key: there is no account 999999999999")
		_, err = w.CreateRootKey(t.Context(), "nine")
		wantText(t, err, `create root access key: account id "nine" is not twelve digits`)
		_, err = w.RootKeys(t.Context(), "999999999999")
		wantText(t, err, "list root access keys: there is no account 999999999999")
		wantText(t, w.DeleteRootKey(t.Context(), "999999999999", "AKIA"),
			"delete root access key: there is no account 999999999999")
	})
}

func TestRootPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		set := func(text string) error { return w.SetRootPassword(t.Context(), account, seal.NewSecret(text)) }
		if err := set(good); err != nil {
			t.Fatal(err)
		}
		w.wantPassword(t, "", good)
		w.clock.advance(time.Hour)
		if err := set(good2); err != nil {
			t.Fatal(err)
		}
		w.wantPassword(t, "", good2)
		if p := w.password(t, ""); !p.Created.Equal(began) || !p.Changed.Equal(began.Add(time.Hour)) {
			t.Errorf("created %s, changed %s", p.Created, p.Changed)
		}
		wantText(t, set("Weak1!"), "set root password: Password should have a minimum length of 8")
		wantText(t, set(""), "set root password: the password is not 1 to 128 characters that IAM allows in one")
		wantText(t, set("Passw0rd-€"),
			"set root password: the password is not 1 to 128 characters that IAM allows in one")
		w.wantPassword(t, "", good2)
		wantText(t, w.SetRootPassword(t.Context(), "999999999999", seal.NewSecret(good)),
			"set root password: there is no account 999999999999")

		if err := w.DeleteRootPassword(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		wantText(t, w.DeleteRootPassword(t.Context(), account),
			"delete root password: root of account 123456789012 has no password")
		wantText(t, w.DeleteRootPassword(t.Context(), "999999999999"),
			"delete root password: there is no account 999999999999")
	})
}

// The account's alias cannot be the password of its root user.
func TestRootPasswordIsAlias(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n, err := w.CreateAccount(t.Context(), identity.AccountSpec{Alias: "my-account-1"})
		if err != nil {
			t.Fatal(err)
		}
		wantText(t, w.SetRootPassword(t.Context(), n.ID, seal.NewSecret("my-account-1")),
			"set root password: Password should not be the name of the account")
	})
}
