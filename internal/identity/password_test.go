package identity_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/store"
)

const (
	upper  = "Password should have at least one uppercase letter"
	lower  = "Password should have at least one lowercase letter"
	digit  = "Password should have at least one number"
	symbol = "Password should have at least one symbol"
)

// The rules are the same on every engine, so one engine is enough.
func TestPasswordRules(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	w.user(t, "alice")
	must(t, w.root, w.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("my-account-1")})
	more := func(n int, what ...string) string {
		return fmt.Sprintf("Password should meet %d more of the following requirements: %s",
			n, strings.Join(what, ", "))
	}
	try := func(t *testing.T, password, want string) {
		t.Helper()
		_, err := call(w.root, w.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: &password})
		if want != "" {
			wantRefusal(t, err, 400, "PasswordPolicyViolation", want)
			return
		}
		if err != nil {
			t.Errorf("%q: %v", password, err)
			return
		}
		must(t, w.root, w.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("alice")})
	}
	t.Run("default", func(t *testing.T) {
		for _, c := range []struct{ password, want string }{
			{"Abcdef1!", ""},
			{"abcdef1!", ""},
			{"ABCDEF1!", ""},
			{"Abcdefg1", ""},
			{"Abcdefg!", ""},
			{"Abcdef1", "Password should have a minimum length of 8"},
			{"abcdefg1", more(1, upper, symbol)},
			{"abcdefgh", more(2, upper, digit, symbol)},
			{"ABCDEFG1", more(1, lower, symbol)},
			{"12345678", more(2, upper, lower, symbol)},
			// Letters beyond Latin, spaces and other signs belong to no class.
			{"äöüßéèà ", more(3, upper, lower, digit, symbol)},
			{"abcdefg1,.;:~", more(1, upper, symbol)},
			// Characters count, not bytes.
			{"Aä1ööö", "Password should have a minimum length of 8, " + more(1, lower, symbol)},
			{"Aä1ööö!ü", ""},
			{strings.Repeat("Aa1!", 32), ""},
			{"my-account-1", "Password should not be the name of the account"},
			{"MY-account-1", "Password should not be the name of the account"},
			{"my-account-12", ""},
		} {
			try(t, c.password, c.want)
		}
		for _, sign := range "!@#$%^&*()_+-=[]{}|'" {
			try(t, "abcdefg1"+string(sign), "")
		}
	})
	t.Run("longer than the model", func(t *testing.T) {
		refused(t, w.root, w.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(strings.Repeat("Aa1!", 32) + "x")}, 400,
			"ValidationError",
			"1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length "+
				"less than or equal to 128")
	})
	t.Run("custom", func(t *testing.T) {
		must(t, w.root, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{})
		try(t, "abcdef", "")
		try(t, "abcde", "Password should have a minimum length of 6")
		try(t, "my-account-1", "")
		must(t, w.root, w.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: ptr(int32(12))})
		try(t, "abcdefghijk", "Password should have a minimum length of 12")
		try(t, "abcdefghijkl", "")
		must(t, w.root, w.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{RequireUppercaseCharacters: true})
		try(t, "abcdef", upper)
		must(t, w.root, w.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{RequireLowercaseCharacters: true})
		try(t, "ABCDEF", lower)
		must(t, w.root, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{RequireNumbers: true})
		try(t, "abcdef", digit)
		must(t, w.root, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{RequireSymbols: true})
		try(t, "abcdef", symbol)
		must(t, w.root, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{
			RequireSymbols: true, RequireNumbers: true, RequireLowercaseCharacters: true,
			RequireUppercaseCharacters: true,
		})
		try(t, "     ", "Password should have a minimum length of 6, "+
			strings.Join([]string{upper, lower, digit, symbol}, ", "))
		try(t, "Abcd1!", "")
	})
	t.Run("default again", func(t *testing.T) {
		must(t, w.root, w.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{})
		try(t, "Abcd1!", "Password should have a minimum length of 8")
	})
}

const reused = "Policy constraint violation with password reuse prevention during password change."

func TestPasswordReuse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withPassword(t, "alice") // good
		alice := w.asUser(t, "alice")
		set := func(password string) *iam.UpdateLoginProfileInput {
			return &iam.UpdateLoginProfileInput{UserName: ptr("alice"), Password: &password}
		}
		must(t, w.root, w.UpdateLoginProfile, set(good2))
		// Passwords from before the policy count.
		must(t, w.root, w.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{PasswordReusePrevention: ptr(int32(2))})
		refused(t, w.root, w.UpdateLoginProfile, set(good2), 400, "PasswordPolicyViolation", reused)
		refused(t, w.root, w.UpdateLoginProfile, set(good), 400, "PasswordPolicyViolation", reused)
		refused(t, alice, w.ChangePassword, &iam.ChangePasswordInput{OldPassword: ptr(good2), NewPassword: ptr(good)},
			400, "PasswordPolicyViolation", reused)
		// Deleting the profile does not bypass the rule.
		must(t, w.root, w.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("alice")})
		refused(t, w.root, w.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good)}, 400,
			"PasswordPolicyViolation", reused)
		// Neither does another name.
		must(t, w.root, w.UpdateUser, &iam.UpdateUserInput{UserName: ptr("alice"), NewUserName: ptr("alicia")})
		refused(t, w.root, w.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("alicia"), Password: ptr(good2)}, 400,
			"PasswordPolicyViolation", reused)
		must(t, w.root, w.UpdateUser, &iam.UpdateUserInput{UserName: ptr("alicia"), NewUserName: ptr("alice")})
		// The last two are good3 and good2 from here on.
		must(t, w.root, w.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good3)})
		must(t, alice, w.ChangePassword, &iam.ChangePasswordInput{OldPassword: ptr(good3), NewPassword: ptr(good)})
	})
}

// The store keeps the hashes of as many passwords of a user as a policy can ask
// for.
func TestPasswordHistory(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	w.withPassword(t, "alice")
	password := func(i int) *string { return ptr(fmt.Sprintf("Password-%02d", i)) }
	for i := range 24 {
		must(t, w.root, w.UpdateLoginProfile,
			&iam.UpdateLoginProfileInput{UserName: ptr("alice"), Password: password(i)})
	}
	var history []string
	err := w.db.View(t.Context(), func(tx *store.Tx) (err error) {
		history, err = tx.PasswordHistory(account, "alice")
		return err
	})
	if err != nil || len(history) != 24 {
		t.Fatalf("%d hashes, %v", len(history), err)
	}
	must(t, w.root, w.UpdateAccountPasswordPolicy,
		&iam.UpdateAccountPasswordPolicyInput{PasswordReusePrevention: ptr(int32(24))})
	refused(t, w.root, w.UpdateLoginProfile,
		&iam.UpdateLoginProfileInput{UserName: ptr("alice"), Password: password(0)}, 400,
		"PasswordPolicyViolation", reused)
	must(t, w.root, w.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good)})
}

// If many callers change the same password at once, one succeeds. For the
// others, the old password is no longer right.
func TestChangePasswordAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withPassword(t, "alice")
		alice := w.asUser(t, "alice")
		const n = 5 // more guesses at once are refused
		results := make([]error, n)
		done := make(chan int)
		for i := range n {
			go func() {
				_, results[i] = w.ChangePassword(alice,
					&iam.ChangePasswordInput{OldPassword: ptr(good), NewPassword: ptr(fmt.Sprintf("Password-%02d", i))})
				done <- i
			}()
		}
		for range n {
			<-done
		}
		winner := -1
		for i, err := range results {
			var refusal *awsmodel.Error
			switch {
			case err == nil && winner >= 0:
				t.Errorf("%d and %d both changed it", winner, i)
			case err == nil:
				winner = i
			case !errors.As(err, &refusal) || refusal.Code != "AccessDenied":
				t.Error(err)
			}
		}
		if winner < 0 {
			t.Fatal("nobody changed it")
		}
		w.wantPassword(t, "alice", fmt.Sprintf("Password-%02d", winner))
	})
}

// If a policy becomes stricter while a password is being hashed, the password
// meets it or is refused. No password ever breaks the policy in force.
func TestPasswordAndPolicyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withPassword(t, "alice")
		for range 5 {
			must(t, w.root, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{})
			must(t, w.root, w.UpdateLoginProfile,
				&iam.UpdateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good)})
			stricter := make(chan error)
			go func() {
				_, err := w.UpdateAccountPasswordPolicy(w.root,
					&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: ptr(int32(20))})
				stricter <- err
			}()
			_, err := w.UpdateLoginProfile(w.root,
				&iam.UpdateLoginProfileInput{UserName: ptr("alice"), Password: ptr(good2)})
			if err != nil {
				wantRefusal(t, err, 400, "PasswordPolicyViolation", "Password should have a minimum length of 20")
				w.wantPassword(t, "alice", good)
			} else {
				w.wantPassword(t, "alice", good2)
			}
			if err := <-stricter; err != nil {
				t.Fatal(err)
			}
		}
	})
}
