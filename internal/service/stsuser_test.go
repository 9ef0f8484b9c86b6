package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	badMFACode   = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
	badMFASerial = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial " +
		"number is valid and associated with this user."
)

// A user's session acts as the user. It may only call IAM if a device was
// proved when it was created.
func TestGetSessionToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		w.user(t, "bob")
		ann := w.asUser(t, "Ann")
		w.putUserPolicy(t, "Ann", statement("Allow", `["iam:ListUsers","sts:*"]`, ""))
		mine, bobs := w.enabledDevice(t, "Ann"), w.enabledDevice(t, "bob")
		w.clock.advance(2 * step)

		out := must(t, ann.sts.GetSessionToken, &sts.GetSessionTokenInput{})
		if want := w.clock.Now().Add(12 * time.Hour); !out.Credentials.Expiration.Equal(want) {
			t.Errorf("expires %v, want %v", out.Credentials.Expiration, want)
		}
		plain := w.asSession(out.Credentials)
		if who := must(t, plain.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}); *who.Arn != userPath+"/Ann" ||
			!strings.HasPrefix(*who.UserId, "AIDA") {
			t.Errorf("%s %s", *who.Arn, *who.UserId)
		}
		refused(t, plain.ListUsers, &iam.ListUsersInput{}, 403, "InvalidClientTokenId",
			"The security token included in the request is invalid")
		refused(t, plain.sts.GetSessionToken, &sts.GetSessionTokenInput{}, 403, "AccessDenied",
			"Cannot call GetSessionToken with session credentials")
		refused(t, plain.sts.GetFederationToken, &sts.GetFederationTokenInput{Name: ptr("guest")}, 403, "AccessDenied",
			"Cannot call GetFederationToken with session credentials")
		refused(t, plain.sts.GetAccessKeyInfo, &sts.GetAccessKeyInfoInput{AccessKeyId: &ann.id}, 403, "AccessDenied",
			"Cannot call GetAccessKeyInfo with session credentials")

		now := w.clock.Now()
		code := mine.code(t, now)
		proof := &sts.GetSessionTokenInput{SerialNumber: &mine.serial, TokenCode: code,
			DurationSeconds: ptr(int32(900))}
		withMFA := w.asSession(must(t, ann.sts.GetSessionToken, proof).Credentials)
		must(t, withMFA.ListUsers, &iam.ListUsersInput{})
		// No code works twice.
		refused(t, ann.sts.GetSessionToken, proof, 403, "AccessDenied", badMFACode)
		for want, in := range map[string]*sts.GetSessionTokenInput{
			"MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.": {
				SerialNumber: &mine.serial},
			badMFACode:   {SerialNumber: &mine.serial, TokenCode: mine.code(t, now.Add(-10*step))},
			badMFASerial: {SerialNumber: &bobs.serial, TokenCode: bobs.code(t, now)},
		} {
			refused(t, ann.sts.GetSessionToken, in, 403, "AccessDenied", want)
		}
		refused(t, ann.sts.GetSessionToken, &sts.GetSessionTokenInput{TokenCode: code}, 403, "AccessDenied",
			"MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
		refused(t, ann.sts.GetSessionToken,
			&sts.GetSessionTokenInput{SerialNumber: ptr(mfaARN + "nothing"), TokenCode: code}, 403,
			"AccessDenied", badMFASerial)

		// Policies may use the proof and its age.
		w.putUserPolicy(t, "Ann",
			statement("Allow", `"iam:ListUsers"`,
				`,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},`+
					`"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}`))
		must(t, withMFA.ListUsers, &iam.ListUsersInput{})
		if _, err := ann.ListUsers(t.Context(), &iam.ListUsersInput{}); failureOf(err).code != "AccessDenied" {
			t.Errorf("without MFA: %v", err)
		}
		w.clock.advance(5 * time.Minute)
		if _, err := withMFA.ListUsers(t.Context(), &iam.ListUsersInput{}); failureOf(err).code != "AccessDenied" {
			t.Errorf("five minutes later: %v", err)
		}
	})
}

// Root's sessions last at most an hour, whatever the request says.
func TestRootSessions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	for _, seconds := range []*int32{nil, ptr(int32(900)), ptr(int32(3600)), ptr(int32(129600))} {
		want := time.Hour
		if seconds != nil && *seconds == 900 {
			want = 15 * time.Minute
		}
		session := must(t, w.root.sts.GetSessionToken, &sts.GetSessionTokenInput{DurationSeconds: seconds})
		federated := must(t, w.root.sts.GetFederationToken,
			&sts.GetFederationTokenInput{Name: ptr("guest"), DurationSeconds: seconds})
		if !session.Credentials.Expiration.Equal(began.Add(want)) ||
			!federated.Credentials.Expiration.Equal(began.Add(want)) {
			t.Errorf("%v: %v and %v", seconds, session.Credentials.Expiration, federated.Credentials.Expiration)
		}
		if who := must(t, w.asSession(session.Credentials).sts.GetCallerIdentity,
			&sts.GetCallerIdentityInput{}); *who.Arn != rootARN {
			t.Error(*who.Arn)
		}
		refused(t, w.asSession(session.Credentials).sts.AssumeRole,
			&sts.AssumeRoleInput{RoleArn: ptr(rolePath + "/worker"), RoleSessionName: ptr("night")},
			403, "AccessDenied", "Roles may not be assumed by root accounts.")
	}
}

// A role can require MFA of the user who assumes it: by a code in the request,
// or by the session of the user.
func TestAssumeRoleWithMFA(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		ann := w.asUser(t, "Ann")
		phone := w.enabledDevice(t, "Ann")
		arn := w.role(t, "worker",
			conditionally("Ann", `"sts:AssumeRole"`,
				`{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}`))
		w.putRolePolicy(t, "worker", ptr(allowAll))
		w.clock.advance(2 * step)
		in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}
		denied := notAuthorized(userPath+"/Ann", "sts:AssumeRole", arn)
		refused(t, ann.sts.AssumeRole, in, 403, "AccessDenied", denied)
		in.SerialNumber, in.TokenCode = &phone.serial, phone.code(t, w.clock.Now())
		worker := w.asSession(must(t, ann.sts.AssumeRole, in).Credentials)
		refused(t, ann.sts.AssumeRole, in, 403, "AccessDenied", badMFACode)
		refused(t, worker.sts.AssumeRole, in, 403, "AccessDenied", badMFASerial) // roles have no devices
		// The role's session does not inherit that MFA was proved.
		w.putRolePolicy(t, "worker",
			statement("Allow", `"*"`, `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`))
		if _, err := worker.ListUsers(t.Context(), &iam.ListUsersInput{}); failureOf(err).code != "AccessDenied" {
			t.Errorf("%v", err)
		}

		w.clock.advance(step)
		in.SerialNumber, in.TokenCode = nil, nil
		session := func(proof *sts.GetSessionTokenInput) clients {
			return w.asSession(must(t, ann.sts.GetSessionToken, proof).Credentials)
		}
		withMFA := session(
			&sts.GetSessionTokenInput{SerialNumber: &phone.serial, TokenCode: phone.code(t, w.clock.Now())})
		must(t, withMFA.sts.AssumeRole, in)
		without := session(&sts.GetSessionTokenInput{})
		refused(t, without.sts.AssumeRole, in, 403, "AccessDenied", denied)
		// A session without MFA can prove it now.
		w.clock.advance(step)
		in.SerialNumber, in.TokenCode = &phone.serial, phone.code(t, w.clock.Now())
		must(t, without.sts.AssumeRole, in)
		in.SerialNumber, in.TokenCode = nil, nil
		w.clock.advance(time.Minute)
		refused(t, withMFA.sts.AssumeRole, in, 403, "AccessDenied", denied)
	})
}

// Codes cannot be guessed: nine tries of a device are checked in each three
// minutes of the clock, right or wrong, even if the device is created again.
func TestGuessingMFACodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		ann := w.asUser(t, "Ann")
		phone, other := w.enabledDevice(t, "Ann"), w.device(t, "spare")
		w.clock.advance(20 * step)
		w.clock.advance(w.clock.Now().Truncate(3 * time.Minute).Add(3 * time.Minute).Sub(w.clock.Now()))
		must(t, w.root.EnableMFADevice, other.enable(t, "Ann", w.clock.Now()))
		try := func(code *string) string {
			_, err := ann.sts.GetSessionToken(t.Context(),
				&sts.GetSessionTokenInput{SerialNumber: &phone.serial, TokenCode: code})
			return failureOf(err).message
		}
		wrong := phone.code(t, w.clock.Now().Add(-9*step))
		right := phone.code(t, w.clock.Now())
		if got := try(right); got != "" {
			t.Fatal(got)
		}
		for range 7 {
			if got := try(wrong); got != badMFACode {
				t.Fatal(got)
			}
		}
		if got := try(right); got != badMFACode {
			t.Errorf("a used code: %q", got)
		}
		w.clock.advance(3*time.Minute - 1)
		if got := try(phone.code(t, w.clock.Now())); got != badMFASerial {
			t.Errorf("the tenth: %q", got)
		}
		in := &sts.GetSessionTokenInput{SerialNumber: &other.serial, TokenCode: other.code(t, w.clock.Now())}
		must(t, ann.sts.GetSessionToken, in)
		w.clock.advance(1)
		if got := try(phone.code(t, w.clock.Now())); got != "" {
			t.Errorf("in the next three minutes: %q", got)
		}
	})
}

// Federated users can call GetCallerIdentity, and nothing else here.
func TestGetFederationToken(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	const guest = "arn:aws:sts::" + account + ":federated-user/guest"
	in := &sts.GetFederationTokenInput{Name: ptr("guest"), Policy: ptr(allowAll)}
	refused(t, ann.sts.GetFederationToken, in, 403, "AccessDenied",
		notAuthorized(userPath+"/Ann", "sts:GetFederationToken", guest)+
			" because no identity-based policy allows the sts:GetFederationToken action")
	w.putUserPolicy(t, "Ann",
		ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","sts:GetFederationToken"],`+
			`"Resource":"*"}]}`))
	out := must(t, ann.sts.GetFederationToken, in)
	if *out.FederatedUser.Arn != guest || *out.FederatedUser.FederatedUserId != account+":guest" ||
		*out.PackedPolicySize < 1 || !out.Credentials.Expiration.Equal(began.Add(12*time.Hour)) {
		t.Errorf("%+v", out)
	}
	session := w.asSession(out.Credentials)
	if who := must(t, session.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}); *who.Arn != guest ||
		*who.UserId != account+":guest" {
		t.Errorf("%s %s", *who.Arn, *who.UserId)
	}
	refused(t, session.ListUsers, &iam.ListUsersInput{}, 403, "InvalidClientTokenId",
		"The security token included in the request is invalid")
	refused(t, session.sts.AssumeRole,
		&sts.AssumeRoleInput{RoleArn: ptr(rolePath + "/worker"), RoleSessionName: ptr("night")}, 403, "AccessDenied",
		"Cannot call AssumeRole with session credentials")
	refused(t, session.sts.GetSessionToken, &sts.GetSessionTokenInput{}, 403, "AccessDenied",
		"Cannot call GetSessionToken with session credentials")

	in.Tags = stsTags("a=b")
	refused(t, ann.sts.GetFederationToken, in, 403, "AccessDenied",
		notAuthorized(userPath+"/Ann", "sts:TagSession", guest)+
			" because no identity-based policy allows the sts:TagSession action")
	w.putUserPolicy(t, "Ann", statement("Allow", `["sts:*"]`, `,"Condition":{"StringEquals":{"aws:RequestTag/a":"b"}}`))
	must(t, ann.sts.GetFederationToken, in)
	in.Tags = stsTags("a=c")
	refused(t, ann.sts.GetFederationToken, in, 403, "AccessDenied",
		notAuthorized(userPath+"/Ann", "sts:GetFederationToken", guest)+
			" because no identity-based policy allows the sts:GetFederationToken action")
	// A role's session cannot call it either.
	arn := w.role(t, "worker", trusting("Ann"))
	w.putRolePolicy(t, "worker", ptr(allowAll))
	worker := w.assume(t, ann, arn, "night")
	for action, call := range map[string]func() error{
		"GetFederationToken": func() error {
			_, err := worker.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: ptr("guest")})
			return err
		},
		"GetSessionToken": func() error {
			_, err := worker.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
			return err
		},
	} {
		if got := failureOf(
			call()); got != (failure{403, "AccessDenied", "Cannot call " + action + " with session credentials"}) {
			t.Errorf("%+v", got)
		}
	}
}
