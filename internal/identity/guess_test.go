package identity_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/seal/sealtest"
)

// The holder of a user's key cannot guess the user's password by trying many
// times at once, on another node or after a restart.
func TestGuessingOldPasswords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withPassword(t, "alice")
		alice := w.asUser(t, "alice")
		other, err := identity.New(t.Context(), identity.Config{DB: w.db, Master: w.master, Derive: sealtest.Derive})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(other.Close)
		nodes := []*identity.Service{w.Service, other}
		const next = "Password-99"
		guess := func(node int, old string) string {
			_, err := nodes[node].ChangePassword(alice,
				&iam.ChangePasswordInput{OldPassword: &old, NewPassword: ptr(next)})
			var refused *awsmodel.Error
			if err != nil && !errors.As(err, &refused) {
				t.Error(err)
			}
			if refused == nil {
				return ""
			}
			return refused.Code
		}
		const wrong, tooMany = "AccessDenied", "EntityTemporarilyUnmodifiable"
		var mu sync.Mutex
		codes := map[string]int{}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				code := guess(i%2, "not it")
				mu.Lock()
				codes[code]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if codes[wrong] != 5 || codes[tooMany] != 7 {
			t.Errorf("answers %v", codes)
		}
		if got := guess(1, good); got != tooMany {
			t.Errorf("the right password after five wrong ones: %q", got)
		}
		w.clock.advance(15 * time.Minute)
		for range 4 {
			guess(0, "not it")
		}
		// The password is right but the change fails. The count still starts
		// again.
		same := &iam.ChangePasswordInput{OldPassword: ptr(good), NewPassword: ptr(good)}
		refused(t, alice, w.ChangePassword, same, 403, wrong, "The new password is the same as the old one.")
		for range 4 {
			if got := guess(0, "not it"); got != wrong {
				t.Errorf("after a right one: %q", got)
			}
		}
		if got := guess(1, good); got != "" {
			t.Errorf("the right password: %q", got)
		}
	})
}
