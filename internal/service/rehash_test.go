package service_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
	"rollcall/internal/store"
)

// oldHash is a hash of "password" with the parameters of a vector of the
// reference implementation.
const oldHash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

// hashOf reads a user's hash, and can replace it.
func hashOf(t *testing.T, db *store.DB, nameKey, put string) (hash string) {
	t.Helper()
	err := db.Update(store.WithoutEvent(t.Context()), func(tx *store.Tx) error {
		p, err := tx.LoginProfile(account, nameKey)
		if hash = p.Hash; err != nil || put == "" {
			return err
		}
		return tx.ReplacePasswordHash(account, nameKey, hash, put)
	})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// A password whose hash has older parameters is hashed again when it is right,
// and only then. Nothing else changes: sessions continue, and people who sign
// in at the same time all succeed.
func TestOldHashes(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			at := cfg(t)
			one, two := twoNodes(t, at, service.Config{Derive: seal.Derivation.Key})
			db, err := store.Open(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			one.person(t, "bob", allowAll)
			before := one.enter(t, "bob")
			hashOf(t, db, "bob", oldHash)
			if got := one.wait(t, here, as("bob", "wrong")); got != -1 || hashOf(t, db, "bob", "") != oldHash {
				t.Errorf("a wrong password: %v, or another hash", got)
			}
			dated := func() time.Time {
				return *must(t, one.root.GetLoginProfile, &iam.GetLoginProfileInput{UserName: ptr("bob")}).LoginProfile.CreateDate
			}
			created := dated()
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Go(func() {
					step, err := []*world{one, two}[i%2].SignIn.Begin(t.Context(), visit(fmt.Sprint("192.0.2.", 10+i)),
						as("bob", "password"))
					if err != nil || step.Kind != signin.Done {
						t.Errorf("%+v, %v", step, err)
					}
				})
			}
			wg.Wait()
			hash := hashOf(t, db, "bob", "")
			if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
				t.Errorf("the hash is %s", hash)
			}
			if !dated().Equal(created) {
				t.Error("the profile has another date")
			}
			if !two.isOpen(t, before) {
				t.Error("an earlier session has ended")
			}
			step, err := one.SignIn.Begin(t.Context(), here, as("bob", "password"))
			if err != nil || step.Kind != signin.Done || hashOf(t, db, "bob", "") != hash {
				t.Errorf("the next sign-in: %v, or hashed once more", err)
			}
		})
	}
}
