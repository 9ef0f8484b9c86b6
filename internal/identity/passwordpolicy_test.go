package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/internal/principal"
)

func TestAccountPasswordPolicy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		none := func(t *testing.T) {
			t.Helper()
			refused(t, w.root, w.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{},
				404, "NoSuchEntity", "The Password Policy with domain name 123456789012 cannot be found.")
			refused(t, w.root, w.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{},
				404, "NoSuchEntity", "The account policy with name PasswordPolicy cannot be found.")
		}
		t.Run("none", none)
		for _, c := range []struct {
			name string
			in   iam.UpdateAccountPasswordPolicyInput
			want types.PasswordPolicy
		}{
			{"no field", iam.UpdateAccountPasswordPolicyInput{},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6))}},
			{"every field",
				iam.UpdateAccountPasswordPolicyInput{
					MinimumPasswordLength: ptr(int32(14)), RequireSymbols: true, RequireNumbers: true,
					RequireUppercaseCharacters: true,
					RequireLowercaseCharacters: true, AllowUsersToChangePassword: true, MaxPasswordAge: ptr(int32(90)),
					PasswordReusePrevention: ptr(int32(24)), HardExpiry: ptr(true),
				},
				types.PasswordPolicy{
					MinimumPasswordLength: ptr(int32(14)), RequireSymbols: true, RequireNumbers: true,
					RequireUppercaseCharacters: true,
					RequireLowercaseCharacters: true, AllowUsersToChangePassword: true, ExpirePasswords: true,
					MaxPasswordAge:          ptr(int32(90)),
					PasswordReusePrevention: ptr(int32(24)), HardExpiry: ptr(true),
				}},
			{"the rest falls back",
				iam.UpdateAccountPasswordPolicyInput{RequireNumbers: true},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), RequireNumbers: true}},
			{"hard expiry given as false",
				iam.UpdateAccountPasswordPolicyInput{MaxPasswordAge: ptr(int32(1095)), HardExpiry: ptr(false)},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), ExpirePasswords: true,
					MaxPasswordAge: ptr(int32(1095)), HardExpiry: ptr(false)}},
			{"hard expiry alone",
				iam.UpdateAccountPasswordPolicyInput{HardExpiry: ptr(true)},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), HardExpiry: ptr(true)}},
			{"upper case alone", iam.UpdateAccountPasswordPolicyInput{RequireUppercaseCharacters: true},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), RequireUppercaseCharacters: true}},
			{"lower case alone", iam.UpdateAccountPasswordPolicyInput{RequireLowercaseCharacters: true},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), RequireLowercaseCharacters: true}},
			{"symbols alone", iam.UpdateAccountPasswordPolicyInput{RequireSymbols: true},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), RequireSymbols: true}},
			{"reuse alone", iam.UpdateAccountPasswordPolicyInput{PasswordReusePrevention: ptr(int32(1))},
				types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), PasswordReusePrevention: ptr(int32(1))}},
		} {
			t.Run(c.name, func(t *testing.T) {
				must(t, w.root, w.UpdateAccountPasswordPolicy, &c.in)
				got := must(t, w.root, w.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{}).PasswordPolicy
				if diff := cmp.Diff(&c.want, got, cmpopts.IgnoreUnexported(types.PasswordPolicy{})); diff != "" {
					t.Error(diff)
				}
			})
		}
		t.Run("out of range", func(t *testing.T) {
			refused(t, w.root, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{
				MinimumPasswordLength: ptr(int32(129)), PasswordReusePrevention: ptr(int32(25)),
				MaxPasswordAge: ptr(int32(1096)),
			}, 400, "ValidationError", "3 validation errors detected: "+
				"Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have value less than or "+
				"equal to 128; "+
				"Value at 'passwordReusePrevention' failed to satisfy constraint: Member must have value less than "+
				"or equal to 24; "+
				"Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value less than or "+
				"equal to 1095")
		})
		t.Run("account of its own", func(t *testing.T) {
			key := w.newAccount(t, "222222222222")
			refused(t, w.as(t, key.ID, key.Secret.Reveal()), w.GetAccountPasswordPolicy,
				&iam.GetAccountPasswordPolicyInput{},
				404, "NoSuchEntity", "The Password Policy with domain name 222222222222 cannot be found.")
		})
		must(t, w.root, w.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{})
		t.Run("deleted", none)
	})
}

func TestUsersMayChangePasswords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.user(t, "alice")
		alice := w.asUser(t, "alice")
		if principal.Of(alice).IsRoot() {
			t.Fatal("alice is root")
		}
		want := func(want bool) {
			t.Helper()
			if got, err := w.UsersMayChangePasswords(alice); err != nil || got != want {
				t.Errorf("%v, %v; want %v", got, err, want)
			}
		}
		want(false)
		must(t, w.root, w.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: true})
		want(true)
		must(t, w.root, w.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{})
		want(false)
	})
}
