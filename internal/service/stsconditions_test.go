package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/identity"
)

// conditionally is trusting, for actions and under a condition.
func conditionally(user, actions, condition string) string {
	return `"Principal":{"AWS":"` + userPath + "/" + user + `"},"Action":[` + actions + `],"Condition":` + condition
}

const assumeAndTag = `"sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"`

func stsTags(pairs ...string) []ststypes.Tag {
	var tags []ststypes.Tag
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		tags = append(tags, ststypes.Tag{Key: &key, Value: &value})
	}
	return tags
}

// A trust policy may use these properties of a request.
func TestTrustConditions(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	must(t, w.root.TagUser,
		&iam.TagUserInput{UserName: ptr("Ann"), Tags: []types.Tag{{Key: ptr("team"), Value: ptr("ops")}}})
	request := func(more func(*sts.AssumeRoleInput)) *sts.AssumeRoleInput {
		in := &sts.AssumeRoleInput{RoleSessionName: ptr("night")}
		more(in)
		return in
	}
	for i, c := range []struct {
		condition string
		good, bad func(*sts.AssumeRoleInput)
	}{
		{`{"StringEquals":{"sts:ExternalId":"secret-1"}}`,
			func(in *sts.AssumeRoleInput) { in.ExternalId = ptr("secret-1") },
			func(in *sts.AssumeRoleInput) { in.ExternalId = ptr("secret-2") }},
		{`{"StringEquals":{"sts:ExternalId":"secret-1"}}`,
			func(in *sts.AssumeRoleInput) { in.ExternalId = ptr("secret-1") }, func(*sts.AssumeRoleInput) {}},
		{`{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}`,
			func(in *sts.AssumeRoleInput) { in.RoleSessionName = ptr("Ann") }, func(*sts.AssumeRoleInput) {}},
		{`{"StringLike":{"sts:SourceIdentity":"a*"}}`,
			func(in *sts.AssumeRoleInput) { in.SourceIdentity = ptr("ann") },
			func(in *sts.AssumeRoleInput) { in.SourceIdentity = ptr("bob") }},
		{`{"StringEquals":{"aws:RequestTag/Project":"x"}}`,
			func(in *sts.AssumeRoleInput) { in.Tags = stsTags("project=x") },
			func(in *sts.AssumeRoleInput) { in.Tags = stsTags("project=y") }},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`,
			func(in *sts.AssumeRoleInput) { in.Tags = stsTags("b=", "a=") },
			func(in *sts.AssumeRoleInput) { in.Tags = stsTags("a=", "c=") }},
		{`{"ForAllValues:StringEquals":{"sts:TransitiveTagKeys":["a"]}}`,
			func(in *sts.AssumeRoleInput) { in.Tags, in.TransitiveTagKeys = stsTags("a=", "b="), []string{"a"} },
			func(in *sts.AssumeRoleInput) { in.Tags, in.TransitiveTagKeys = stsTags("a=", "b="), []string{"b"} }},
		{`{"StringEquals":{"aws:PrincipalTag/team":"ops"},"IpAddress":{"aws:SourceIp":"127.0.0.1"}}`,
			func(*sts.AssumeRoleInput) {}, nil},
		{`{"StringEquals":{"aws:PrincipalTag/team":"dev"}}`, nil, func(*sts.AssumeRoleInput) {}},
		{`{"StringEquals":{"aws:ResourceTag/kind":"robot","iam:ResourceTag/kind":"robot"}}`,
			func(*sts.AssumeRoleInput) {}, nil},
		{`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, nil, func(*sts.AssumeRoleInput) {}},
	} {
		name := fmt.Sprint("worker", i)
		arn := w.role(t, name, conditionally("Ann", assumeAndTag, c.condition))
		must(t, w.root.TagRole,
			&iam.TagRoleInput{RoleName: &name, Tags: []types.Tag{{Key: ptr("kind"), Value: ptr("robot")}}})
		if c.good != nil {
			in := request(c.good)
			in.RoleArn = &arn
			must(t, ann.sts.AssumeRole, in)
		}
		if c.bad != nil {
			in := request(c.bad)
			in.RoleArn = &arn
			refused(t, ann.sts.AssumeRole, in, 403, "AccessDenied",
				notAuthorized(userPath+"/Ann", "sts:AssumeRole", arn))
		}
	}
}

// Tags and a source identity need separate permissions.
func TestTagSessionPermission(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	arn := w.role(t, "worker", trusting("Ann"))
	in := func(more func(*sts.AssumeRoleInput)) *sts.AssumeRoleInput {
		in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}
		more(in)
		return in
	}
	refused(t, ann.sts.AssumeRole, in(func(in *sts.AssumeRoleInput) { in.Tags = stsTags("a=b") }), 403, "AccessDenied",
		notAuthorized(userPath+"/Ann", "sts:TagSession", arn))
	refused(t, ann.sts.AssumeRole, in(func(in *sts.AssumeRoleInput) { in.SourceIdentity = ptr("ann") }), 403,
		"AccessDenied", notAuthorized(userPath+"/Ann", "sts:SetSourceIdentity", arn))
	for want, tags := range map[string][]ststypes.Tag{
		"Duplicate tag keys found. Please note that Tag keys are case insensitive.": stsTags("a=", "A="),
		"Tag keys beginning with aws: are reserved for system use.":                 stsTags("AWS:x="),
	} {
		refused(t, ann.sts.AssumeRole, in(func(in *sts.AssumeRoleInput) { in.Tags = tags }), 400,
			"InvalidParameterValue", want)
	}
	refused(t, ann.sts.AssumeRole, in(func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"a"} }),
		400, "InvalidParameterValue",
		"The specified transitive tag key must be included in the requested tags.")
	refused(t, ann.sts.AssumeRole, in(func(in *sts.AssumeRoleInput) {
		in.ProvidedContexts = []ststypes.ProvidedContext{
			{ProviderArn: ptr("arn:aws:iam::aws:contextProvider/IdentityCenter"), ContextAssertion: ptr("x.y.z-token")}}
	}), 400, "ValidationError", "ProvidedContexts are not supported by Rollcall: it has no context providers.")
}

// The tags of a session are added to those of its role and override them. Only
// transitive ones are passed on to the next role. A source identity always is.
func TestSessionTags(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	first := w.role(t, "first", conditionally("Ann", assumeAndTag, `{}`))
	second := w.role(t, "second", `"Principal":{"AWS":"`+first+`"},"Action":[`+assumeAndTag+`]`)
	for _, name := range []string{"first", "second"} {
		must(t, w.root.TagRole,
			&iam.TagRoleInput{RoleName: &name,
				Tags: []types.Tag{{Key: ptr("Team"), Value: ptr("of the role")}, {Key: ptr("own"), Value: ptr("1")}}})
	}
	// Each user can only be read by sessions with certain tags or identities.
	for user, condition := range map[string]string{
		"team-ops":  `"StringEquals":{"aws:PrincipalTag/TEAM":"ops"}`,
		"team-role": `"StringEquals":{"aws:PrincipalTag/team":"of the role"}`,
		"own":       `"StringEquals":{"aws:PrincipalTag/own":"1"}`,
		"kept":      `"StringEquals":{"aws:PrincipalTag/kept":"yes"}`,
		"identity":  `"StringEquals":{"aws:SourceIdentity":"ann"}`,
	} {
		w.user(t, user)
		document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser"],"Resource":"` +
			userPath + "/" + user + `","Condition":{` + condition + `}}]}`
		for _, role := range []string{"first", "second"} {
			must(t, w.root.PutRolePolicy,
				&iam.PutRolePolicyInput{RoleName: &role, PolicyName: &user, PolicyDocument: &document})
		}
	}
	reads := func(c clients) string {
		var names []string
		for _, user := range []string{"team-ops", "team-role", "own", "kept", "identity"} {
			if _, err := c.GetUser(t.Context(), &iam.GetUserInput{UserName: &user}); err == nil {
				names = append(names, user)
			}
		}
		return strings.Join(names, " ")
	}
	w.putRolePolicy(t, "first", statement("Allow", `"sts:*"`, ""))
	out := must(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &first, RoleSessionName: ptr("night"),
		Tags: stsTags("team=ops", "kept=yes"), TransitiveTagKeys: []string{"Kept"}, SourceIdentity: ptr("ann")})
	if *out.SourceIdentity != "ann" {
		t.Errorf("source identity %s", *out.SourceIdentity)
	}
	session := w.asSession(out.Credentials)
	if got := reads(session); got != "team-ops own kept identity" {
		t.Errorf("first: %s", got)
	}
	chain := &sts.AssumeRoleInput{RoleArn: &second, RoleSessionName: ptr("day")}
	out = must(t, session.sts.AssumeRole, chain)
	if got := reads(w.asSession(out.Credentials)); got != "team-role own kept identity" ||
		*out.SourceIdentity != "ann" {
		t.Errorf("second: %s", got)
	}
	chain.Tags = stsTags("KEPT=no")
	refused(t, session.sts.AssumeRole, chain, 400, "InvalidParameterValue",
		"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "+
			"the calling session.")
	chain.Tags, chain.SourceIdentity = nil, ptr("bob")
	refused(t, session.sts.AssumeRole, chain, 403, "AccessDenied",
		"The source identity of the session cannot be changed.")
	chain.SourceIdentity = ptr("ann")
	must(t, session.sts.AssumeRole, chain)

	// Passing them on needs the permission to set them, too.
	third := w.role(t, "third", `"Principal":{"AWS":"`+first+`"},"Action":["sts:AssumeRole","sts:TagSession"]`)
	chain = &sts.AssumeRoleInput{RoleArn: &third, RoleSessionName: ptr("day")}
	refused(t, session.sts.AssumeRole, chain, 403, "AccessDenied",
		notAuthorized(sessionARN("first", "night"), "sts:SetSourceIdentity", third))
	must(t, w.root.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: ptr("third"),
		PolicyDocument: ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + first +
			`"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`)})
	refused(t, session.sts.AssumeRole, chain, 403, "AccessDenied",
		notAuthorized(sessionARN("first", "night"), "sts:TagSession", third))
}

// Across accounts the role must trust the caller, and the caller's own account
// must allow the call.
func TestAssumeRoleAcrossAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		key := w.newAccount(t, identity.AccountSpec{ID: "222222222222"})
		other := w.as(key.ID, key.Secret.Reveal())
		w.user(t, "Ann")
		ann := w.asUser(t, "Ann")
		guest := *must(t, other.CreateRole, &iam.CreateRoleInput{RoleName: ptr("guest"), AssumeRolePolicyDocument: ptr(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + userPath +
				`/Ann"},"Action":"sts:AssumeRole"}]}`)}).Role.Arn
		in := &sts.AssumeRoleInput{RoleArn: &guest, RoleSessionName: ptr("visit")}
		denied := notAuthorized(userPath+"/Ann", "sts:AssumeRole", guest)
		refused(t, ann.sts.AssumeRole, in, 403, "AccessDenied", denied)
		w.putUserPolicy(t, "Ann",
			ptr(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+guest+
				`"}]}`))
		out := must(t, ann.sts.AssumeRole, in)
		visit := w.asSession(out.Credentials)
		who := must(t, visit.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
		if *who.Account != "222222222222" || *who.Arn != "arn:aws:sts::222222222222:assumed-role/guest/visit" {
			t.Errorf("%s %s", *who.Account, *who.Arn)
		}
		if got := must(t, w.root.sts.GetAccessKeyInfo,
			&sts.GetAccessKeyInfoInput{AccessKeyId: out.Credentials.AccessKeyId}); *got.Account != "222222222222" {
			t.Errorf("key of account %s", *got.Account)
		}
		// It acts in the role's account.
		must(t, other.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: ptr("guest"), PolicyName: ptr("p"),
			PolicyDocument: statement("Allow", `"iam:ListUsers"`, "")})
		if users := must(t, visit.ListUsers, &iam.ListUsersInput{}).Users; len(users) != 0 {
			t.Errorf("sees %d users", len(users))
		}
		must(t, other.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("guest"), PolicyDocument: ptr(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},` +
					`"Action":"sts:AssumeRole"}]}`)})
		refused(t, ann.sts.AssumeRole, in, 403, "AccessDenied", denied)
		// Trusting an account means trusting everybody whom that account
		// allows.
		must(t, other.UpdateAssumeRolePolicy,
			&iam.UpdateAssumeRolePolicyInput{RoleName: ptr("guest"), PolicyDocument: ptr(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account +
					`"},"Action":"sts:AssumeRole"}]}`)})
		must(t, ann.sts.AssumeRole, in)
		w.user(t, "bob")
		refused(t, w.asUser(t, "bob").sts.AssumeRole, in, 403, "AccessDenied",
			notAuthorized(userPath+"/bob", "sts:AssumeRole", guest))
	})
}

// Names of roles ignore case, ARNs do not. A text that is not a role's ARN is
// refused.
func TestAssumeRoleARN(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	arn := *must(t, w.root.CreateRole,
		&iam.CreateRoleInput{RoleName: ptr("Worker"), Path: ptr("/a/"), AssumeRolePolicyDocument: ptr(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},` +
				`"Action":"sts:AssumeRole"}]}`)}).Role.Arn
	w.putUserPolicy(t, "Ann", ptr(allowAll))
	must(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")})
	for _, arn := range []string{rolePath + "/a/worker", rolePath + "/Worker", rolePath + "/b/Worker",
		strings.Replace(arn, "arn:aws:", "arn:aws-cn:", 1), strings.Replace(arn, account, "999999999999", 1)} {
		refused(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}, 403,
			"AccessDenied", notAuthorized(userPath+"/Ann", "sts:AssumeRole", arn))
	}
	for _, arn := range []string{"Worker-role-of-the-night", userPath + "/Ann/Ann/Ann",
		"arn:aws:sts::" + account + ":role/Worker"} {
		refused(t, ann.sts.AssumeRole, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: ptr("night")}, 400,
			"ValidationError", arn+" is invalid")
	}
}
