package service_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/awsmodel"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

const (
	userPath = "arn:aws:iam::" + account + ":user"
	rolePath = "arn:aws:iam::" + account + ":role"

	profilePath = "arn:aws:iam::" + account + ":instance-profile"
	batchRole   = rolePath + "/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
)

// trustForm is a trust policy as the value of a form: it trusts EC2.
var trustForm = url.QueryEscape(trustsEC2)

const trustsEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
	`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

const (
	groupPath  = "arn:aws:iam::" + account + ":group"
	policyPath = "arn:aws:iam::" + account + ":policy"
	readOnly   = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

// policyForm is a policy document as the value of a form: it allows all.
var policyForm = url.QueryEscape(allowsAll)

const allowsAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

const (
	oidcPath              = "arn:aws:iam::" + account + ":oidc-provider"
	samlPath              = "arn:aws:iam::" + account + ":saml-provider"
	serverCertificatePath = "arn:aws:iam::" + account + ":server-certificate"

	noJob = "00000000-0000-0000-0000-000000000000"
)

// everyAction is a good request of each action that is served, and what a
// denial says that it acts on.
var everyAction = map[string]struct{ params, resource string }{
	"CreateUser":   {"UserName=new&Path=/a/b/", userPath + "/a/b/new"},
	"GetUser":      {"UserName=bob", "user bob"},
	"ListUsers":    {"PathPrefix=/a/b", userPath + "/a/b"},
	"UpdateUser":   {"UserName=bob&NewUserName=bob2", "user bob"},
	"DeleteUser":   {"UserName=bob", "user bob"},
	"TagUser":      {"UserName=bob&Tags.member.1.Key=k&Tags.member.1.Value=v", "user bob"},
	"UntagUser":    {"UserName=bob&TagKeys.member.1=k", "user bob"},
	"ListUserTags": {"UserName=bob", "user bob"},

	"CreateLoginProfile":          {"UserName=bob&Password=" + goodPassword, "user bob"},
	"GetLoginProfile":             {"", "user Ann"},
	"UpdateLoginProfile":          {"UserName=bob&PasswordResetRequired=true", "user bob"},
	"DeleteLoginProfile":          {"UserName=bob", "user bob"},
	"ChangePassword":              {"OldPassword=a&NewPassword=b", "user Ann"},
	"UpdateAccountPasswordPolicy": {"AllowUsersToChangePassword=true", "*"},
	"GetAccountPasswordPolicy":    {"", "*"},
	"DeleteAccountPasswordPolicy": {"", "*"},

	"CreateAccessKey":      {"", "user Ann"},
	"UpdateAccessKey":      {"UserName=bob&AccessKeyId=AKIAIOSFODNN7EXAMPLE&Status=Inactive", "user bob"},
	"DeleteAccessKey":      {"AccessKeyId=AKIAIOSFODNN7EXAMPLE", "user Ann"},
	"ListAccessKeys":       {"UserName=bob", "user bob"},
	"GetAccessKeyLastUsed": {"AccessKeyId=AKIAIOSFODNN7EXAMPLE", "access key AKIAIOSFODNN7EXAMPLE"},

	"CreateVirtualMFADevice": {"VirtualMFADeviceName=d&Path=/x/", mfaARN + "x/d"},
	"EnableMFADevice": {"UserName=bob&SerialNumber=" + mfaARN +
		"d&AuthenticationCode1=000000&AuthenticationCode2=111111", "user bob"},
	"ResyncMFADevice": {"UserName=bob&SerialNumber=" + mfaARN +
		"d&AuthenticationCode1=000000&AuthenticationCode2=111111", "user bob"},
	"DeactivateMFADevice":    {"UserName=bob&SerialNumber=" + mfaARN + "d", "user bob"},
	"DeleteVirtualMFADevice": {"SerialNumber=" + mfaARN + "d", mfaARN + "d"},
	"ListMFADevices":         {"", "user Ann"},
	"ListVirtualMFADevices":  {"", mfaARN},
	"GetMFADevice":           {"SerialNumber=" + mfaARN + "d", "user Ann"},
	"TagMFADevice":           {"SerialNumber=" + mfaARN + "d&Tags.member.1.Key=k&Tags.member.1.Value=v", mfaARN + "d"},
	"UntagMFADevice":         {"SerialNumber=" + mfaARN + "d&TagKeys.member.1=k", mfaARN + "d"},
	"ListMFADeviceTags":      {"SerialNumber=" + mfaARN + "d", mfaARN + "d"},

	"UploadSigningCertificate": {"UserName=bob&CertificateBody=x", "user bob"},
	"UpdateSigningCertificate": {"UserName=bob&CertificateId=AAAAAAAAAAAAAAAAAAAAAAAA&Status=Inactive", "user bob"},
	"DeleteSigningCertificate": {"CertificateId=AAAAAAAAAAAAAAAAAAAAAAAA", "user Ann"},
	"ListSigningCertificates":  {"", "user Ann"},

	"UploadSSHPublicKey": {"UserName=bob&SSHPublicKeyBody=x", "user bob"},
	"GetSSHPublicKey":    {"UserName=bob&SSHPublicKeyId=APKAAAAAAAAAAAAAAAAA&Encoding=SSH", "user bob"},
	"ListSSHPublicKeys":  {"", "user Ann"},
	"UpdateSSHPublicKey": {"UserName=bob&SSHPublicKeyId=APKAAAAAAAAAAAAAAAAA&Status=Inactive", "user bob"},
	"DeleteSSHPublicKey": {"UserName=bob&SSHPublicKeyId=APKAAAAAAAAAAAAAAAAA", "user bob"},

	"CreateServiceSpecificCredential": {"UserName=bob&ServiceName=codecommit.amazonaws.com", "user bob"},
	"ListServiceSpecificCredentials":  {"", "user Ann"},
	"UpdateServiceSpecificCredential": {
		"UserName=bob&ServiceSpecificCredentialId=ACCAAAAAAAAAAAAAAAAAA&Status=Inactive", "user bob"},
	"ResetServiceSpecificCredential":  {"UserName=bob&ServiceSpecificCredentialId=ACCAAAAAAAAAAAAAAAAAA", "user bob"},
	"DeleteServiceSpecificCredential": {"UserName=bob&ServiceSpecificCredentialId=ACCAAAAAAAAAAAAAAAAAA", "user bob"},

	"CreateAccountAlias": {"AccountAlias=example", "*"},
	"ListAccountAliases": {"", "*"},
	"DeleteAccountAlias": {"AccountAlias=example", "*"},
	"GetAccountSummary":  {"", "*"},

	"CreateOpenIDConnectProvider": {"Url=https://idp.example.com/x", oidcPath + "/idp.example.com/x"},
	"GetOpenIDConnectProvider":    {"OpenIDConnectProviderArn=" + oidcPath + "/x", oidcPath + "/x"},
	"ListOpenIDConnectProviders":  {"", oidcPath + "/"},
	"DeleteOpenIDConnectProvider": {"OpenIDConnectProviderArn=" + oidcPath + "/x", oidcPath + "/x"},
	"AddClientIDToOpenIDConnectProvider": {"OpenIDConnectProviderArn=" + oidcPath +
		"/x&ClientID=c", oidcPath + "/x"},
	"RemoveClientIDFromOpenIDConnectProvider": {"OpenIDConnectProviderArn=" + oidcPath +
		"/x&ClientID=c", oidcPath + "/x"},
	"UpdateOpenIDConnectProviderThumbprint": {"OpenIDConnectProviderArn=" + oidcPath + "/x&ThumbprintList.member.1=" +
		strings.Repeat("a", 40), oidcPath + "/x"},
	"TagOpenIDConnectProvider": {"OpenIDConnectProviderArn=" + oidcPath +
		"/x&Tags.member.1.Key=k&Tags.member.1.Value=v", oidcPath + "/x"},
	"UntagOpenIDConnectProvider": {"OpenIDConnectProviderArn=" + oidcPath + "/x&TagKeys.member.1=k",
		oidcPath + "/x"},
	"ListOpenIDConnectProviderTags": {"OpenIDConnectProviderArn=" + oidcPath + "/x", oidcPath + "/x"},

	"CreateSAMLProvider": {"Name=x&SAMLMetadataDocument=" + strings.Repeat("x", 1000), samlPath + "/x"},
	"GetSAMLProvider":    {"SAMLProviderArn=" + samlPath + "/x", samlPath + "/x"},
	"ListSAMLProviders":  {"", samlPath + "/"},
	"UpdateSAMLProvider": {"SAMLProviderArn=" + samlPath + "/x&AssertionEncryptionMode=Allowed", samlPath + "/x"},
	"DeleteSAMLProvider": {"SAMLProviderArn=" + samlPath + "/x", samlPath + "/x"},
	"TagSAMLProvider": {"SAMLProviderArn=" + samlPath + "/x&Tags.member.1.Key=k&Tags.member.1.Value=v",
		samlPath + "/x"},
	"UntagSAMLProvider":    {"SAMLProviderArn=" + samlPath + "/x&TagKeys.member.1=k", samlPath + "/x"},
	"ListSAMLProviderTags": {"SAMLProviderArn=" + samlPath + "/x", samlPath + "/x"},

	"UploadServerCertificate": {"ServerCertificateName=x&Path=/a/&CertificateBody=x&PrivateKey=x",
		serverCertificatePath + "/a/x"},
	"GetServerCertificate":    {"ServerCertificateName=x", serverCertificatePath + "/x"},
	"ListServerCertificates":  {"PathPrefix=/a", serverCertificatePath + "/a"},
	"UpdateServerCertificate": {"ServerCertificateName=x&NewServerCertificateName=y", serverCertificatePath + "/x"},
	"DeleteServerCertificate": {"ServerCertificateName=x", serverCertificatePath + "/x"},
	"TagServerCertificate": {"ServerCertificateName=x&Tags.member.1.Key=k&Tags.member.1.Value=v",
		serverCertificatePath + "/x"},
	"UntagServerCertificate":    {"ServerCertificateName=x&TagKeys.member.1=k", serverCertificatePath + "/x"},
	"ListServerCertificateTags": {"ServerCertificateName=x", serverCertificatePath + "/x"},

	"EnableOrganizationsRootCredentialsManagement":  {"", "*"},
	"DisableOrganizationsRootCredentialsManagement": {"", "*"},
	"EnableOrganizationsRootSessions":               {"", "*"},
	"DisableOrganizationsRootSessions":              {"", "*"},
	"ListOrganizationsFeatures":                     {"", "*"},
	"SetSecurityTokenServicePreferences":            {"GlobalEndpointTokenVersion=v2Token", "*"},
	"GetAccountProperties":                          {"", "*"},
	"EnableOutboundWebIdentityFederation":           {"", "*"},
	"DisableOutboundWebIdentityFederation":          {"", "*"},
	"GetOutboundWebIdentityFederationInfo":          {"", "*"},
	"PutAccountProperties": {
		"Properties.entry.1.key=RoleManager/Enabled&Properties.entry.1.value=false", "*"},

	"SimulateCustomPolicy": {"ActionNames.member.1=iam:GetUser&PolicyInputList.member.1=" + policyForm,
		"*"},
	"SimulatePrincipalPolicy": {"ActionNames.member.1=iam:GetUser&PolicySourceArn=" + rolePath +
		"/worker", "role worker"},
	"GetContextKeysForCustomPolicy":    {"PolicyInputList.member.1=" + policyForm, "*"},
	"GetContextKeysForPrincipalPolicy": {"PolicySourceArn=" + groupPath + "/devs", "group devs"},

	"GenerateServiceLastAccessedDetails":        {"Arn=" + userPath + "/bob", "user bob"},
	"GetServiceLastAccessedDetails":             {"JobId=" + noJob, "*"},
	"GetServiceLastAccessedDetailsWithEntities": {"ServiceNamespace=iam&JobId=" + noJob, "*"},
	"ListPoliciesGrantingServiceAccess": {"Arn=" + userPath + "/bob&ServiceNamespaces.member.1=iam",
		"user bob"},

	"CreateGroup":         {"GroupName=new&Path=/a/", groupPath + "/a/new"},
	"GetGroup":            {"GroupName=devs", "group devs"},
	"ListGroups":          {"PathPrefix=/a", groupPath + "/a"},
	"UpdateGroup":         {"GroupName=devs&NewGroupName=devs2", "group devs"},
	"DeleteGroup":         {"GroupName=devs", "group devs"},
	"AddUserToGroup":      {"GroupName=devs&UserName=bob", "group devs"},
	"RemoveUserFromGroup": {"GroupName=devs&UserName=bob", "group devs"},
	"ListGroupsForUser":   {"UserName=bob", "user bob"},

	"PutUserPolicy":     {"UserName=bob&PolicyName=p&PolicyDocument=" + policyForm, "user bob"},
	"GetUserPolicy":     {"UserName=bob&PolicyName=p", "user bob"},
	"DeleteUserPolicy":  {"UserName=bob&PolicyName=p", "user bob"},
	"ListUserPolicies":  {"UserName=bob", "user bob"},
	"PutGroupPolicy":    {"GroupName=devs&PolicyName=p&PolicyDocument=" + policyForm, "group devs"},
	"GetGroupPolicy":    {"GroupName=devs&PolicyName=p", "group devs"},
	"DeleteGroupPolicy": {"GroupName=devs&PolicyName=p", "group devs"},
	"ListGroupPolicies": {"GroupName=devs", "group devs"},
	"PutRolePolicy":     {"RoleName=worker&PolicyName=p&PolicyDocument=" + policyForm, "role worker"},
	"GetRolePolicy":     {"RoleName=worker&PolicyName=p", "role worker"},
	"DeleteRolePolicy":  {"RoleName=worker&PolicyName=p", "role worker"},
	"ListRolePolicies":  {"RoleName=worker", "role worker"},

	"CreatePolicy": {"PolicyName=new&Path=/a/&PolicyDocument=" + policyForm, "policy new"},
	"GetPolicy":    {"PolicyArn=" + policyPath + "/p", "policy " + policyPath + "/p"},
	"DeletePolicy": {"PolicyArn=" + policyPath + "/p", "policy " + policyPath + "/p"},
	"ListPolicies": {"PathPrefix=/a/", "policy path /a/"},

	"CreatePolicyVersion": {"PolicyArn=" + policyPath + "/p&PolicyDocument=" + policyForm,
		"policy " + policyPath + "/p"},
	"GetPolicyVersion":        {"VersionId=v1&PolicyArn=" + readOnly, "policy " + readOnly},
	"ListPolicyVersions":      {"PolicyArn=" + readOnly, "policy " + readOnly},
	"DeletePolicyVersion":     {"VersionId=v1&PolicyArn=" + policyPath + "/p", "policy " + policyPath + "/p"},
	"SetDefaultPolicyVersion": {"VersionId=v1&PolicyArn=" + policyPath + "/p", "policy " + policyPath + "/p"},
	"TagPolicy": {"Tags.member.1.Key=k&Tags.member.1.Value=v&PolicyArn=" + policyPath + "/p",
		"policy " + policyPath + "/p"},
	"UntagPolicy":           {"TagKeys.member.1=k&PolicyArn=" + policyPath + "/p", "policy " + policyPath + "/p"},
	"ListPolicyTags":        {"PolicyArn=" + readOnly, "policy " + readOnly},
	"ListEntitiesForPolicy": {"PolicyArn=" + readOnly, "policy " + readOnly},

	"GetAccountAuthorizationDetails": {"Filter.member.1=User", "*"},

	"PutUserPermissionsBoundary":    {"UserName=bob&PermissionsBoundary=" + readOnly, "user bob"},
	"DeleteUserPermissionsBoundary": {"UserName=bob", "user bob"},
	"PutRolePermissionsBoundary":    {"RoleName=worker&PermissionsBoundary=" + readOnly, "role worker"},
	"DeleteRolePermissionsBoundary": {"RoleName=worker", "role worker"},

	"AttachUserPolicy":          {"UserName=bob&PolicyArn=" + readOnly, "user bob"},
	"DetachUserPolicy":          {"UserName=bob&PolicyArn=" + readOnly, "user bob"},
	"ListAttachedUserPolicies":  {"UserName=bob", "user bob"},
	"AttachGroupPolicy":         {"GroupName=devs&PolicyArn=" + readOnly, "group devs"},
	"DetachGroupPolicy":         {"GroupName=devs&PolicyArn=" + readOnly, "group devs"},
	"ListAttachedGroupPolicies": {"GroupName=devs", "group devs"},
	"AttachRolePolicy":          {"RoleName=worker&PolicyArn=" + readOnly, "role worker"},
	"DetachRolePolicy":          {"RoleName=worker&PolicyArn=" + readOnly, "role worker"},
	"ListAttachedRolePolicies":  {"RoleName=worker", "role worker"},

	"GenerateCredentialReport": {"", "*"},
	"GetCredentialReport":      {"", "*"},

	"CreateRole":             {"RoleName=new&Path=/a/b/&AssumeRolePolicyDocument=" + trustForm, rolePath + "/a/b/new"},
	"GetRole":                {"RoleName=worker", "role worker"},
	"ListRoles":              {"PathPrefix=/a/b", rolePath + "/a/b"},
	"UpdateRole":             {"RoleName=worker&Description=d", "role worker"},
	"UpdateRoleDescription":  {"RoleName=worker&Description=d", "role worker"},
	"UpdateAssumeRolePolicy": {"RoleName=worker&PolicyDocument=" + trustForm, "role worker"},
	"DeleteRole":             {"RoleName=worker", "role worker"},
	"TagRole":                {"RoleName=worker&Tags.member.1.Key=k&Tags.member.1.Value=v", "role worker"},
	"UntagRole":              {"RoleName=worker&TagKeys.member.1=k", "role worker"},
	"ListRoleTags":           {"RoleName=worker", "role worker"},

	"CreateInstanceProfile":         {"InstanceProfileName=new&Path=/a/", profilePath + "/a/new"},
	"GetInstanceProfile":            {"InstanceProfileName=box", "instance profile box"},
	"ListInstanceProfiles":          {"PathPrefix=/a/", profilePath + "/a/"},
	"ListInstanceProfilesForRole":   {"RoleName=worker", "role worker"},
	"AddRoleToInstanceProfile":      {"InstanceProfileName=box&RoleName=worker", "instance profile box"},
	"RemoveRoleFromInstanceProfile": {"InstanceProfileName=box&RoleName=worker", "instance profile box"},
	"DeleteInstanceProfile":         {"InstanceProfileName=box", "instance profile box"},
	"TagInstanceProfile": {"InstanceProfileName=box&Tags.member.1.Key=k&Tags.member.1.Value=v",
		"instance profile box"},
	"UntagInstanceProfile":    {"InstanceProfileName=box&TagKeys.member.1=k", "instance profile box"},
	"ListInstanceProfileTags": {"InstanceProfileName=box", "instance profile box"},

	"CreateServiceLinkedRole": {"AWSServiceName=batch.amazonaws.com", batchRole},
	"DeleteServiceLinkedRole": {"RoleName=worker", "role worker"},
	"GetServiceLinkedRoleDeletionStatus": {
		"DeletionTaskId=task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch/0e4b", batchRole},

	"GetCallerIdentity": {"", "*"},
	"GetAccessKeyInfo":  {"AccessKeyId=AKIAIOSFODNN7EXAMPLE", "*"},
	"AssumeRole":        {"RoleSessionName=session&RoleArn=" + rolePath + "/worker", rolePath + "/worker"},

	"GetSessionToken":    {"", "*"},
	"GetFederationToken": {"Name=federated", "arn:aws:sts::" + account + ":federated-user/federated"},

	"DecodeAuthorizationMessage": {"EncodedMessage=what", "*"},

	"GetWebIdentityToken": {"Audience.member.1=a&SigningAlgorithm=RS256", "arn:aws:sts::" + account + ":self"},
	"AssumeRoot": {
		"TargetPrincipal=222222222222&TaskPolicyArn.arn=arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials",
		"arn:aws:iam::222222222222:root"},

	"AssumeRoleWithSAML": {"SAMLAssertion=what&PrincipalArn=" + samlPath + "/nobody&RoleArn=" + rolePath + "/worker",
		""},

	"AssumeRoleWithWebIdentity": {"RoleSessionName=session&WebIdentityToken=token&RoleArn=" + rolePath + "/worker", ""},
}

// deniedPlainly are the actions whose denials do not say why.
var deniedPlainly = map[string]bool{"AssumeRole": true}

// free are the actions that need no permission.
var free = map[string]bool{"GetCallerIdentity": true, "GetSessionToken": true}

// unsigned are the actions that need no signature, and what they say to the
// request above, whoever signs it.
var unsigned = map[string]string{"AssumeRoleWithWebIdentity": "InvalidIdentityToken",
	"AssumeRoleWithSAML": "InvalidIdentityToken"}

// form is the request of an action, and the service it is of.
func form(action string) (text, service string) {
	op, _ := awsmodel.Lookup(action)
	return strings.TrimSuffix("Action="+action+"&Version="+op.Service.Version+"&"+everyAction[action].params, "&"),
		op.Service.Name
}

func (w *world) callAs(t testing.TB, c clients, action string) answer {
	t.Helper()
	body, service := form(action)
	r := w.post(t, "/", body)
	w.sign(r, body, c, "us-east-1", service)
	return send(t, r)
}

func TestEveryActionIsInTheTable(t *testing.T) {
	t.Parallel()
	served := slices.Sorted(maps.Keys(inMemory(t).API.Actions()))
	if listed := slices.Sorted(maps.Keys(everyAction)); !slices.Equal(served, listed) {
		t.Errorf("served %q\nlisted %q", served, listed)
	}
}

// everything is what a store holds, by its backup: the clock stands still, so
// that nothing else may differ.
func everything(t testing.TB, w *world) []byte {
	t.Helper()
	db, err := store.Open(t.Context(), w.cfg.Store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// That a call was tried is noted, allowed or not.
	if err = db.ForgetServiceUses(t.Context(), w.clock.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := db.Backup(t.Context(), &out, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Without policies a user may ask who it is, and nothing else: not even about
// itself. What is denied has changed nothing.
func TestUsersAreDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Store: storetest.SQLite(t)})
	w.user(t, "Ann")
	w.user(t, "bob")
	ann := w.asUser(t, "Ann")
	used := func() {
		// The use of a key is recorded also where the call is denied.
		w.callAs(t, ann, "GetUser")
		must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &ann.id})
	}
	used()
	before := everything(t, w)
	for action, c := range everyAction {
		t.Run(action, func(t *testing.T) {
			got := w.callAs(t, ann, action)
			if code := unsigned[action]; code != "" {
				wants(t, got, 400, code, got.message)
				return
			}
			if free[action] {
				wants(t, got, 200, "", "")
				return
			}
			_, service := form(action)
			want := fmt.Sprintf("User: %s/Ann is not authorized to perform: %s:%s on resource: %s", userPath,
				service, action, c.resource)
			if !deniedPlainly[action] {
				want += fmt.Sprintf(" because no identity-based policy allows the %s:%s action", service, action)
			}
			wants(t, got, 403, "AccessDenied", want)
		})
	}
	used()
	if !bytes.Equal(everything(t, w), before) {
		t.Error("a denied call has changed the store")
	}
}

// Root may call everything: what it gets is no denial, but for keys that
// nobody has, for roles, which root cannot take, and for the root users of
// accounts that are no members.
func TestRootIsAllowed(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "bob")
	for action := range everyAction {
		t.Run(action, func(t *testing.T) {
			got := w.callAs(t, w.root, action)
			if action != "GetAccessKeyLastUsed" && action != "AssumeRole" && action != "AssumeRoot" &&
				(got.code == "AccessDenied" || got.status >= 500) {
				t.Errorf("%+v", got.failure)
			}
		})
	}
}

// A request that nobody signed, or that someone else signed, gets nowhere.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Store: storetest.SQLite(t)})
	w.user(t, "bob")
	stranger := clients{id: "AKIAIOSFODNN7EXAMPLE", key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	forger := clients{id: w.rootKey.ID, key: stranger.key}
	must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &w.rootKey.ID})
	before := everything(t, w)
	for action := range everyAction {
		t.Run(action, func(t *testing.T) {
			body, _ := form(action)
			if code := unsigned[action]; code != "" {
				for _, r := range []*http.Request{w.post(t, "/", body), w.post(t, "/?"+body, ""),
					w.request(t, "GET", "/?"+body, nil)} {
					got := send(t, r)
					wants(t, got, 400, code, got.message)
				}
				wants(t, w.callAs(t, stranger, action), 403, "InvalidClientTokenId", invalidToken)
				return
			}
			wants(t, send(t, w.post(t, "/", body)), 403, "MissingAuthenticationToken",
				"Request is missing Authentication Token")
			wants(t, send(t, w.post(t, "/?"+body, "")), 403, "MissingAuthenticationToken",
				"Request is missing Authentication Token")
			wants(t, send(t, w.request(t, "GET", "/?"+body, nil)), 403, "MissingAuthenticationToken",
				"Request is missing Authentication Token")
			wants(t, w.callAs(t, stranger, action), 403, "InvalidClientTokenId", invalidToken)
			wants(t, w.callAs(t, forger, action), 403, "SignatureDoesNotMatch",
				"The request signature we calculated does not match the signature you provided. "+
					"Check your AWS Secret Access Key and signing method. Consult the service documentation for "+
					"details.")
		})
	}
	if !bytes.Equal(everything(t, w), before) {
		t.Error("a refused call has changed the store")
	}
}

// AWS looks at what the model says before it asks who may, and at what an
// action says after it.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	try := func(name, action, params, code string) {
		t.Run(name, func(t *testing.T) {
			body := call(action, params)
			r := w.post(t, "/", body)
			w.sign(r, body, ann, "us-east-1", "iam")
			if got := send(t, r); got.code != code {
				t.Errorf("got %+v, want %s", got.failure, code)
			}
		})
	}
	try("bad characters", "CreateUser", "UserName=%C3%A9", "ValidationError")
	try("missing", "CreateUser", "", "ValidationError")
	try("unreadable", "ListUsers", "MaxItems=many", "MalformedInput")
	try("unknown action", "CreateUsers", "", "InvalidAction")
	try("exists", "CreateUser", "UserName=Ann", "AccessDenied")
	try("reserved tag", "TagUser", "UserName=Ann&Tags.member.1.Key=aws:x&Tags.member.1.Value=", "AccessDenied")
	try("no such user", "GetUser", "UserName=nobody", "AccessDenied")
	try("forged marker", "ListUsers", "Marker=x", "AccessDenied")
	try("no report", "GetCredentialReport", "", "AccessDenied")
}

// AllowUsersToChangePassword gives every user two actions, on itself.
func TestAllowUsersToChangePassword(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	must(t, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: ptr("Ann"), Password: ptr(goodPassword)})
	allow := func(yes bool) {
		must(t, w.root.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{AllowUsersToChangePassword: yes})
	}
	denied := func() {
		t.Helper()
		for _, action := range []string{"ChangePassword", "GetAccountPasswordPolicy"} {
			if got := w.callAs(t, ann, action); got.status != 403 ||
				!strings.Contains(got.message, "is not authorized to perform: iam:"+action) {
				t.Errorf("%+v", got.failure)
			}
		}
	}
	denied()
	allow(false)
	denied()
	allow(true)
	must(t, ann.GetAccountPasswordPolicy, &iam.GetAccountPasswordPolicyInput{})
	must(t, ann.ChangePassword,
		&iam.ChangePasswordInput{OldPassword: ptr(goodPassword), NewPassword: ptr(otherPassword)})
	for action := range everyAction {
		if got := w.callAs(t, ann, action).code; !free[action] && unsigned[action] == "" &&
			action != "GetAccountPasswordPolicy" && got != "AccessDenied" {
			t.Errorf("%s: %s", action, got)
		}
	}
	allow(false)
	denied()
}

// An account knows nothing of another one's users, devices and keys.
func TestAccountsAreApart(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	other := w.newAccount(t, emptySpec)
	them := w.as(other.ID, other.Secret.Reveal())
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	phone := w.enabledDevice(t, "Ann")
	const nobody = "The user with name Ann cannot be found."
	refused(t, them.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}, 404, "NoSuchEntity", nobody)
	refused(t, them.DeleteUser, &iam.DeleteUserInput{UserName: ptr("Ann")}, 404, "NoSuchEntity", nobody)
	refused(t, them.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: &ann.id}, 404, "NoSuchEntity",
		"The Access Key with id "+ann.id+" cannot be found.")
	refused(t, them.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &phone.serial}, 404,
		"NoSuchEntity", "MFA Device with serial number "+phone.serial+" does not exist.")
	if n := len(must(t, them.ListUsers, &iam.ListUsersInput{}).Users); n != 0 {
		t.Errorf("%d users of another account", n)
	}
	must(t, them.CreateUser, &iam.CreateUserInput{UserName: ptr("ANN")})
	must(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
}

// A key that one node has switched off, or deleted, fails on the very next
// request to another.
func TestRevokedOnEveryNode(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := twoNodes(t, cfg(t), service.Config{})
			one.user(t, "Ann")
			ann := one.asUser(t, "Ann")
			annThere := two.as(ann.id, ann.key)
			for _, revoke := range []func(){
				func() {
					must(t, one.root.UpdateAccessKey,
						&iam.UpdateAccessKeyInput{UserName: ptr("Ann"), AccessKeyId: &ann.id, Status: "Inactive"})
				},
				func() {
					must(t, one.root.DeleteAccessKey,
						&iam.DeleteAccessKeyInput{UserName: ptr("Ann"), AccessKeyId: &ann.id})
				},
			} {
				must(t, annThere.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{})
				revoke()
				refused(t, annThere.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
					"InvalidClientTokenId", invalidToken)
				refused(t, ann.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}, 403,
					"InvalidClientTokenId", invalidToken)
				// Switched on by the other node: good again on both.
				_, err := two.root.UpdateAccessKey(context.Background(),
					&iam.UpdateAccessKeyInput{UserName: ptr("Ann"), AccessKeyId: &ann.id, Status: "Active"})
				if err != nil && failureOf(err).code != "NoSuchEntity" {
					t.Error(err)
				}
			}
			// A marker of one node is good on the other.
			one.user(t, "bob")
			page := must(t, one.root.ListUsers, &iam.ListUsersInput{MaxItems: ptr(int32(1))})
			if rest := must(t, two.root.ListUsers, &iam.ListUsersInput{Marker: page.Marker}); len(rest.Users) != 1 ||
				*rest.Users[0].UserName != "bob" {
				t.Errorf("%+v", rest.Users)
			}
		})
	}
}
