package identity_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/seal"
	"rollcall/internal/sigv4"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func TestSigningKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Alice")
		t.Run("of a user", func(t *testing.T) {
			c := principal.Of(w.asUser(t, "alice"))
			if c.UserName() != "Alice" || c.ARN() != "arn:aws:iam::123456789012:user/Alice" {
				t.Errorf("caller %s", c.ARN())
			}
		})
		t.Run("after a rename", func(t *testing.T) {
			w.user(t, "carol")
			k := must(t, w.root, w.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: ptr("carol")}).AccessKey
			must(t, w.root, w.UpdateUser,
				&iam.UpdateUserInput{UserName: ptr("carol"), NewUserName: ptr("Caroline"), NewPath: ptr("/staff/")})
			if c := principal.Of(
				w.as(t, *k.AccessKeyId,
					*k.SecretAccessKey)); c.ARN() != "arn:aws:iam::123456789012:user/staff/Caroline" {
				t.Errorf("caller %s", c.ARN())
			}
		})
		for name, c := range map[string]struct {
			id, token string
			want      error
		}{
			"unknown": {"AKIAIOSFODNN7EXAMPLE", "", sigv4.ErrUnknownKey},
			"empty":   {"", "", sigv4.ErrUnknownKey},
			"token":   {w.rootKey.ID, "FwoGZXIvYXdzEXAMPLE", sigv4.ErrInvalidToken},
		} {
			t.Run(name, func(t *testing.T) {
				secret, owner, err := w.SigningKey(t.Context(), c.id, c.token)
				if !errors.Is(err, c.want) || secret != nil || owner.User.Account != "" {
					t.Errorf("%d bytes of secret, owner %+v, %v; want %v", len(secret), owner.User, err, c.want)
				}
			})
		}
		t.Run("wrong secret", func(t *testing.T) {
			_, err := w.verify(t, w.rootKey.ID, "another secret")
			wantRefusal(t, err, 403, "SignatureDoesNotMatch",
				"The request signature we calculated does not match the signature you provided. "+
					"Check your AWS Secret Access Key and signing method. Consult the service documentation for "+
					"details.")
		})
		t.Run("deleted account", func(t *testing.T) {
			key := w.newAccount(t, "222222222222")
			if err := w.DeleteAccount(t.Context(), "222222222222"); err != nil {
				t.Fatal(err)
			}
			if _, _, err := w.SigningKey(t.Context(), key.ID, ""); !errors.Is(err, sigv4.ErrUnknownKey) {
				t.Error(err)
			}
		})
	})
}

// A key that one process revokes fails in the other on the very next request.
func TestSigningKeyOfTwoProcesses(t *testing.T) {
	run := func(t *testing.T, cfg store.Config) {
		w := newWorld(t, cfg, identity.Config{})
		cfg.Now = w.clock.Now
		other, err := identity.New(t.Context(), identity.Config{DB: storetest.Open(t, cfg), Master: w.master})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(other.Close)
		secret, _, err := other.SigningKey(t.Context(), w.rootKey.ID, "")
		if err != nil || !seal.NewSecret(string(secret)).Equal(w.rootKey.Secret) {
			t.Fatalf("the other process has another secret, %v", err)
		}
		if err := w.DeleteRootKey(t.Context(), account, w.rootKey.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := other.SigningKey(t.Context(), w.rootKey.ID, ""); !errors.Is(err, sigv4.ErrUnknownKey) {
			t.Error(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { run(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, storetest.Postgres(t)) })
}
