package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Passwords that meet the default policy.
const goodPassword, otherPassword = "Correct-horse-1", "Battery-staple-2"

func TestLoginProfile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		get := func() *types.LoginProfile {
			return must(t, w.root.GetLoginProfile, &iam.GetLoginProfileInput{UserName: ptr("ann")}).LoginProfile
		}
		none := func(t *testing.T) {
			const message = "Login Profile for User Ann cannot be found."
			refused(t, w.root.GetLoginProfile, &iam.GetLoginProfileInput{UserName: ptr("ann")},
				404, "NoSuchEntity", message)
			refused(t, w.root.UpdateLoginProfile,
				&iam.UpdateLoginProfileInput{UserName: ptr("ann"), Password: ptr(goodPassword)},
				404, "NoSuchEntity", message)
			refused(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("ann")},
				404, "NoSuchEntity", message)
			refused(t, w.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("ann")},
				404, "NoSuchEntity", message)
		}
		t.Run("none", none)
		create := &iam.CreateLoginProfileInput{UserName: ptr("ann"), Password: ptr(goodPassword),
			PasswordResetRequired: true}
		want := types.LoginProfile{UserName: ptr("Ann"), CreateDate: ptr(began), PasswordResetRequired: true}
		same(t, *must(t, w.root.CreateLoginProfile, create).LoginProfile, want)
		same(t, *get(), want)
		refused(t, w.root.CreateLoginProfile, create, 409, "EntityAlreadyExists",
			"Login Profile for user Ann already exists.")

		w.clock.advance(time.Hour)
		must(t, w.root.UpdateLoginProfile,
			&iam.UpdateLoginProfileInput{UserName: ptr("ann"), Password: ptr(otherPassword)})
		same(t, *get(), want) // neither the flag nor the date changes
		must(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("ann")})
		must(t, w.root.UpdateLoginProfile,
			&iam.UpdateLoginProfileInput{UserName: ptr("ann"), PasswordResetRequired: ptr(false)})
		want.PasswordResetRequired = false
		same(t, *get(), want)

		must(t, w.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: ptr("ann")})
		t.Run("deleted", none)
	})
}

func TestLoginProfileOfRoot(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	const message = "Must specify userName when calling with non-User credentials"
	refused(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{Password: ptr(goodPassword)}, 400,
		"ValidationError", message)
	refused(t, w.root.GetLoginProfile, &iam.GetLoginProfileInput{}, 400, "ValidationError", message)
	refused(t, w.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{}, 400, "ValidationError", message)
	refused(t, w.root.ChangePassword, &iam.ChangePasswordInput{OldPassword: ptr("a"), NewPassword: ptr("b")},
		400, "InvalidUserType", "The password of the root user cannot be changed by this operation.")
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "u")
	must(t, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("example-corp-1")})
	try := func(t *testing.T, password, code, message string) {
		t.Helper()
		refused(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: ptr("u"), Password: &password},
			400, code, message)
	}
	const violation = "PasswordPolicyViolation"
	const fewClasses = "Password should meet 1 more of the following requirements: Password should have at least one " +
		"uppercase letter, Password should have at least one symbol"
	t.Run("default policy", func(t *testing.T) {
		try(t, "Short-1", violation, "Password should have a minimum length of 8")
		try(t, "lowercase1", violation, fewClasses)
		try(t, "low1", violation, "Password should have a minimum length of 8, "+fewClasses)
		try(t, "Example-Corp-1", violation, "Password should not be the name of the account")
	})
	t.Run("model", func(t *testing.T) {
		try(t, strings.Repeat("Aa1-", 33), "ValidationError",
			"1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length "+
				"less than or equal to 128")
		_, err := w.root.CreateLoginProfile(t.Context(),
			&iam.CreateLoginProfileInput{UserName: ptr("u"), Password: ptr("Passw0rd-ш")})
		if f := failureOf(err); f.status != 400 || f.code != "ValidationError" ||
			strings.Contains(f.message, "Passw0rd") {
			t.Errorf("got %+v", f)
		}
		refused(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: ptr("u")}, 400, "ValidationError",
			"1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null")
	})
	t.Run("own policy", func(t *testing.T) {
		must(t, w.root.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: ptr(int32(12)), RequireSymbols: true,
				PasswordReusePrevention: ptr(int32(2))})
		try(t, "short", violation,
			"Password should have a minimum length of 12, Password should have at least one symbol")
		must(t, w.root.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("u"), Password: ptr("lowercase-only")})
		update := func(p string) *iam.UpdateLoginProfileInput {
			return &iam.UpdateLoginProfileInput{UserName: ptr("u"), Password: &p}
		}
		const reuse = "Policy constraint violation with password reuse prevention during password change."
		refused(t, w.root.UpdateLoginProfile, update("lowercase-only"), 400, violation, reuse)
		must(t, w.root.UpdateLoginProfile, update("another-password"))
		refused(t, w.root.UpdateLoginProfile, update("lowercase-only"), 400, violation, reuse)
		must(t, w.root.UpdateLoginProfile, update("the-third-password"))
		must(t, w.root.UpdateLoginProfile, update("lowercase-only"))
	})
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		ann := w.asUser(t, "ann")
		must(t, w.root.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: true,
				MinimumPasswordLength: ptr(int32(8))})
		change := func(from, to string) *iam.ChangePasswordInput {
			return &iam.ChangePasswordInput{OldPassword: &from, NewPassword: &to}
		}
		refused(t, ann.ChangePassword, change(goodPassword, otherPassword), 404, "NoSuchEntity",
			"Login Profile for User Ann cannot be found.")
		must(t, w.root.CreateLoginProfile,
			&iam.CreateLoginProfileInput{UserName: ptr("ann"), Password: ptr(goodPassword),
				PasswordResetRequired: true})
		refused(t, ann.ChangePassword, change("wrong", otherPassword), 403, "AccessDenied",
			"The old password is not correct.")
		refused(t, ann.ChangePassword, change(goodPassword, goodPassword), 403, "AccessDenied",
			"The new password is the same as the old one.")
		refused(t, ann.ChangePassword, change(goodPassword, "short"), 400, "PasswordPolicyViolation",
			"Password should have a minimum length of 8")
		must(t, ann.ChangePassword, change(goodPassword, otherPassword))
		refused(t, ann.ChangePassword, change(goodPassword, "Third-time-3"), 403, "AccessDenied",
			"The old password is not correct.")
		if must(t, w.root.GetLoginProfile,
			&iam.GetLoginProfileInput{UserName: ptr("ann")}).LoginProfile.PasswordResetRequired {
			t.Error("the password still has to be changed")
		}
	})
}

func TestAccountPasswordPolicy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		none := func() {
			refused(t, w.root.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{}, 404, "NoSuchEntity",
				"The Password Policy with domain name 123456789012 cannot be found.")
			refused(t, w.root.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{}, 404, "NoSuchEntity",
				"The account policy with name PasswordPolicy cannot be found.")
		}
		get := func() *types.PasswordPolicy {
			return must(t, w.root.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{}).PasswordPolicy
		}
		none()
		must(t, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{})
		same(t, *get(), types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6))})
		must(t, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{
			MinimumPasswordLength: ptr(int32(128)), RequireSymbols: true, RequireNumbers: true,
			RequireUppercaseCharacters: true,
			RequireLowercaseCharacters: true, AllowUsersToChangePassword: true, MaxPasswordAge: ptr(int32(1095)),
			PasswordReusePrevention: ptr(int32(24)), HardExpiry: ptr(true),
		})
		same(t, *get(), types.PasswordPolicy{
			MinimumPasswordLength: ptr(int32(128)), RequireSymbols: true, RequireNumbers: true,
			RequireUppercaseCharacters: true,
			RequireLowercaseCharacters: true, AllowUsersToChangePassword: true, MaxPasswordAge: ptr(int32(1095)),
			PasswordReusePrevention: ptr(int32(24)), HardExpiry: ptr(true), ExpirePasswords: true,
		})
		// There is no partial update: missing values get their defaults.
		must(t, w.root.UpdateAccountPasswordPolicy, &iam.UpdateAccountPasswordPolicyInput{HardExpiry: ptr(false)})
		same(t, *get(), types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), HardExpiry: ptr(false)})
		refused(t, w.root.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: ptr(int32(5)), MaxPasswordAge: ptr(int32(0)),
				PasswordReusePrevention: ptr(int32(0))},
			400, "ValidationError",
			"3 validation errors detected: Value at 'minimumPasswordLength' failed to satisfy constraint: Member "+
				"must have value greater than or equal to 6; "+
				"Value at 'passwordReusePrevention' failed to satisfy constraint: Member must have value greater "+
				"than or equal to 1; "+
				"Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value greater than or "+
				"equal to 1")
		same(t, *get(), types.PasswordPolicy{MinimumPasswordLength: ptr(int32(6)), HardExpiry: ptr(false)})
		must(t, w.root.DeleteAccountPasswordPolicy, &iam.DeleteAccountPasswordPolicyInput{})
		none()
	})
}
