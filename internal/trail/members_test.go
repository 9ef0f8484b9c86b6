package trail

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/awsmodel"
)

// ofEvery keeps the members that are kept for every action.
func ofEvery(_, member string) bool { return MayRecord(member) }

func TestMembersRequest(t *testing.T) {
	m := NewMembers(ofEvery)
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"CreateUser", &iam.CreateUserInput{UserName: aws.String("=1+1"), Path: aws.String("/a/"),
			Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("\"\n")}, {Key: aws.String("l")}}},
			`{"userName":"=1+1","path":"/a/","tags":[{"key":"k","value":"\"\n"},{"key":"l"}]}`},
		{"nothing set", &iam.GetUserInput{}, ``},
		{"no members", &sts.GetCallerIdentityInput{}, ``},
		{"empty text is not nothing", &iam.GetUserInput{UserName: aws.String("")}, `{"userName":""}`},
		{"empty list", &iam.UntagUserInput{UserName: aws.String("a"), TagKeys: []string{}},
			`{"tagKeys":[],"userName":"a"}`},
		{"texts", &iam.UntagUserInput{TagKeys: []string{"a", "b"}}, `{"tagKeys":["a","b"]}`},
		{"numbers and enums",
			&iam.ListVirtualMFADevicesInput{MaxItems: aws.Int32(5), AssignmentStatus: types.AssignmentStatusTypeAny},
			`{"assignmentStatus":"Any","maxItems":5}`},
		{"password", &iam.CreateLoginProfileInput{UserName: aws.String("a"), Password: aws.String("canary"),
			PasswordResetRequired: true},
			`{"passwordResetRequired":true,"userName":"a"}`},
		{"only passwords",
			&iam.ChangePasswordInput{OldPassword: aws.String("canary"), NewPassword: aws.String("canary")}, ``},
		{"MFA codes", &iam.EnableMFADeviceInput{SerialNumber: aws.String("s"), UserName: aws.String("a"),
			AuthenticationCode1: aws.String("canary"), AuthenticationCode2: aws.String("canary")},
			`{"serialNumber":"s","userName":"a"}`},
		{"SSH key", &iam.UpdateSSHPublicKeyInput{SSHPublicKeyId: aws.String("APKA"), Status: types.StatusTypeInactive},
			`{"sSHPublicKeyId":"APKA","status":"Inactive"}`},
		{"password policy",
			&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(12), HardExpiry: aws.Bool(false)},
			`{"allowUsersToChangePassword":false,"hardExpiry":false,"minimumPasswordLength":12,` +
				`"requireLowercaseCharacters":false,` +
				`"requireNumbers":false,"requireSymbols":false,"requireUppercaseCharacters":false}`},
		{"nil", (*iam.GetUserInput)(nil), ``},
		{"untyped nil", nil, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the second time with the cached plan
				if d := cmp.Diff(c.want, string(m.Request(c.in))); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestMembersResponse(t *testing.T) {
	m := NewMembers(ofEvery)
	at := aws.Time(time.Date(2026, 11, 23, 15, 20, 0, 0, time.FixedZone("", 3600)))
	for _, c := range []struct {
		name string
		out  any
		want string
	}{
		{"CreateAccessKey", &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
			AccessKeyId: aws.String("AKIA"), SecretAccessKey: aws.String("canary"), Status: "Active",
			UserName: aws.String("Bob"), CreateDate: at}},
			`{"accessKey":{"accessKeyId":"AKIA","status":"Active","userName":"Bob","createDate":"Nov 23, 2026 ` +
				`2:20:00 PM"}}`},
		{"CreateVirtualMFADevice", &iam.CreateVirtualMFADeviceOutput{VirtualMFADevice: &types.VirtualMFADevice{
			SerialNumber: aws.String("s"), Base32StringSeed: []byte("canary"), QRCodePNG: []byte("canary")}},
			`{"virtualMFADevice":{"serialNumber":"s"}}`},
		{"CreateServiceSpecificCredential",
			&iam.CreateServiceSpecificCredentialOutput{ServiceSpecificCredential: &types.ServiceSpecificCredential{
				CreateDate: at, ServiceName: aws.String("n"), ServiceSpecificCredentialId: aws.String("ACCA"),
				Status: "Active", UserName: aws.String("Bob"),
				ServicePassword: aws.String("canary"), ServiceCredentialSecret: aws.String("canary"),
				ServiceUserName: aws.String("Bob-at-1")}},
			`{"serviceSpecificCredential":{"createDate":"Nov 23, 2026 2:20:00 ` +
				`PM","serviceName":"n","serviceSpecificCredentialId":"ACCA",` +
				`"status":"Active","userName":"Bob","serviceUserName":"Bob-at-1"}}`},
		{"GenerateCredentialReport", &iam.GenerateCredentialReportOutput{State: "STARTED"}, `{"state":"STARTED"}`},
		{"report content", &iam.GetCredentialReportOutput{Content: []byte("canary")}, ``},
		{"empty answer", &iam.DeleteUserOutput{}, ``},
	} {
		if d := cmp.Diff(c.want, string(m.Response(c.out))); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// fill sets every field of a struct, texts to the path of their names.
func fill(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path)
	case reflect.Struct:
		if v.Type() == timeType {
			v.Set(reflect.ValueOf(noon))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
				fill(v.Field(i), path+"."+f.Name)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte("canary" + path))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), path)
	case reflect.String:
		v.SetString("canary" + path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	}
}

// served are the inputs and outputs of the actions for which this list was
// written.
var served = []any{
	iam.CreateUserInput{}, iam.CreateUserOutput{}, iam.GetUserInput{}, iam.ListUsersInput{}, iam.UpdateUserInput{},
	iam.DeleteUserInput{}, iam.TagUserInput{}, iam.UntagUserInput{}, iam.ListUserTagsInput{},
	iam.CreateLoginProfileInput{}, iam.CreateLoginProfileOutput{}, iam.GetLoginProfileInput{},
	iam.UpdateLoginProfileInput{},
	iam.DeleteLoginProfileInput{}, iam.ChangePasswordInput{},
	iam.UpdateAccountPasswordPolicyInput{}, iam.GetAccountPasswordPolicyInput{}, iam.DeleteAccountPasswordPolicyInput{},
	iam.CreateAccessKeyInput{}, iam.CreateAccessKeyOutput{}, iam.UpdateAccessKeyInput{}, iam.DeleteAccessKeyInput{},
	iam.ListAccessKeysInput{}, iam.GetAccessKeyLastUsedInput{},
	iam.CreateVirtualMFADeviceInput{}, iam.CreateVirtualMFADeviceOutput{}, iam.EnableMFADeviceInput{},
	iam.ResyncMFADeviceInput{},
	iam.DeactivateMFADeviceInput{}, iam.DeleteVirtualMFADeviceInput{}, iam.ListMFADevicesInput{},
	iam.ListVirtualMFADevicesInput{},
	iam.GetMFADeviceInput{}, iam.TagMFADeviceInput{}, iam.UntagMFADeviceInput{}, iam.ListMFADeviceTagsInput{},
	iam.UploadSigningCertificateInput{}, iam.UploadSigningCertificateOutput{}, iam.UpdateSigningCertificateInput{},
	iam.DeleteSigningCertificateInput{}, iam.ListSigningCertificatesInput{},
	iam.UploadSSHPublicKeyInput{}, iam.UploadSSHPublicKeyOutput{}, iam.GetSSHPublicKeyInput{},
	iam.ListSSHPublicKeysInput{},
	iam.UpdateSSHPublicKeyInput{}, iam.DeleteSSHPublicKeyInput{},
	iam.CreateServiceSpecificCredentialInput{}, iam.CreateServiceSpecificCredentialOutput{},
	iam.ListServiceSpecificCredentialsInput{},
	iam.UpdateServiceSpecificCredentialInput{}, iam.ResetServiceSpecificCredentialInput{},
	iam.ResetServiceSpecificCredentialOutput{},
	iam.DeleteServiceSpecificCredentialInput{},
	iam.CreateAccountAliasInput{}, iam.ListAccountAliasesInput{}, iam.DeleteAccountAliasInput{},
	iam.GetAccountSummaryInput{}, iam.GenerateCredentialReportInput{}, iam.GenerateCredentialReportOutput{},
	iam.CreateRoleInput{}, iam.CreateRoleOutput{}, iam.GetRoleInput{}, iam.ListRolesInput{}, iam.UpdateRoleInput{},
	iam.UpdateRoleDescriptionInput{}, iam.UpdateRoleDescriptionOutput{}, iam.UpdateAssumeRolePolicyInput{},
	iam.DeleteRoleInput{},
	iam.TagRoleInput{}, iam.UntagRoleInput{}, iam.ListRoleTagsInput{},
	iam.CreateGroupInput{}, iam.CreateGroupOutput{}, iam.GetGroupInput{}, iam.ListGroupsInput{}, iam.UpdateGroupInput{},
	iam.DeleteGroupInput{},
	iam.AddUserToGroupInput{}, iam.RemoveUserFromGroupInput{}, iam.ListGroupsForUserInput{},
	iam.PutUserPolicyInput{}, iam.GetUserPolicyInput{}, iam.DeleteUserPolicyInput{}, iam.ListUserPoliciesInput{},
	iam.PutGroupPolicyInput{}, iam.GetGroupPolicyInput{}, iam.DeleteGroupPolicyInput{}, iam.ListGroupPoliciesInput{},
	iam.PutRolePolicyInput{}, iam.GetRolePolicyInput{}, iam.DeleteRolePolicyInput{}, iam.ListRolePoliciesInput{},
	iam.CreatePolicyInput{}, iam.CreatePolicyOutput{}, iam.GetPolicyInput{}, iam.ListPoliciesInput{},
	iam.DeletePolicyInput{},
	iam.CreatePolicyVersionInput{}, iam.CreatePolicyVersionOutput{}, iam.GetPolicyVersionInput{},
	iam.ListPolicyVersionsInput{},
	iam.DeletePolicyVersionInput{}, iam.SetDefaultPolicyVersionInput{},
	iam.TagPolicyInput{}, iam.UntagPolicyInput{}, iam.ListPolicyTagsInput{},
	iam.AttachUserPolicyInput{}, iam.DetachUserPolicyInput{}, iam.ListAttachedUserPoliciesInput{},
	iam.AttachGroupPolicyInput{}, iam.DetachGroupPolicyInput{}, iam.ListAttachedGroupPoliciesInput{},
	iam.AttachRolePolicyInput{}, iam.DetachRolePolicyInput{}, iam.ListAttachedRolePoliciesInput{},
	iam.PutUserPermissionsBoundaryInput{}, iam.DeleteUserPermissionsBoundaryInput{},
	iam.PutRolePermissionsBoundaryInput{}, iam.DeleteRolePermissionsBoundaryInput{},
	iam.ListEntitiesForPolicyInput{}, iam.GetAccountAuthorizationDetailsInput{},
	iam.GetCredentialReportInput{}, sts.GetCallerIdentityInput{}, sts.GetAccessKeyInfoInput{},
	iam.CreateInstanceProfileInput{}, iam.CreateInstanceProfileOutput{}, iam.GetInstanceProfileInput{},
	iam.ListInstanceProfilesInput{},
	iam.ListInstanceProfilesForRoleInput{}, iam.AddRoleToInstanceProfileInput{},
	iam.RemoveRoleFromInstanceProfileInput{},
	iam.DeleteInstanceProfileInput{}, iam.TagInstanceProfileInput{}, iam.UntagInstanceProfileInput{},
	iam.ListInstanceProfileTagsInput{},
	iam.CreateServiceLinkedRoleInput{}, iam.CreateServiceLinkedRoleOutput{}, iam.DeleteServiceLinkedRoleInput{},
	iam.DeleteServiceLinkedRoleOutput{},
	iam.GetServiceLinkedRoleDeletionStatusInput{},
	sts.AssumeRoleInput{}, sts.AssumeRoleOutput{}, sts.GetSessionTokenInput{}, sts.GetSessionTokenOutput{},
	sts.GetFederationTokenInput{}, sts.GetFederationTokenOutput{},
	sts.AssumeRoleWithSAMLInput{}, sts.AssumeRoleWithSAMLOutput{},
	sts.AssumeRootInput{}, sts.AssumeRootOutput{}, sts.DecodeAuthorizationMessageInput{},
	sts.AssumeRoleWithWebIdentityInput{}, sts.AssumeRoleWithWebIdentityOutput{},
	iam.CreateOpenIDConnectProviderInput{}, iam.CreateOpenIDConnectProviderOutput{},
	iam.GetOpenIDConnectProviderInput{},
	iam.ListOpenIDConnectProvidersInput{}, iam.DeleteOpenIDConnectProviderInput{},
	iam.AddClientIDToOpenIDConnectProviderInput{},
	iam.RemoveClientIDFromOpenIDConnectProviderInput{}, iam.UpdateOpenIDConnectProviderThumbprintInput{},
	iam.TagOpenIDConnectProviderInput{}, iam.UntagOpenIDConnectProviderInput{},
	iam.ListOpenIDConnectProviderTagsInput{},
	iam.CreateSAMLProviderInput{}, iam.CreateSAMLProviderOutput{}, iam.GetSAMLProviderInput{},
	iam.ListSAMLProvidersInput{},
	iam.UpdateSAMLProviderInput{}, iam.UpdateSAMLProviderOutput{}, iam.DeleteSAMLProviderInput{},
	iam.TagSAMLProviderInput{}, iam.UntagSAMLProviderInput{}, iam.ListSAMLProviderTagsInput{},
	iam.UploadServerCertificateInput{}, iam.UploadServerCertificateOutput{}, iam.GetServerCertificateInput{},
	iam.ListServerCertificatesInput{}, iam.UpdateServerCertificateInput{}, iam.DeleteServerCertificateInput{},
	iam.TagServerCertificateInput{}, iam.UntagServerCertificateInput{}, iam.ListServerCertificateTagsInput{},
	iam.EnableOrganizationsRootCredentialsManagementInput{}, iam.EnableOrganizationsRootCredentialsManagementOutput{},
	iam.DisableOrganizationsRootCredentialsManagementInput{}, iam.DisableOrganizationsRootCredentialsManagementOutput{},
	iam.EnableOrganizationsRootSessionsInput{}, iam.EnableOrganizationsRootSessionsOutput{},
	iam.DisableOrganizationsRootSessionsInput{}, iam.DisableOrganizationsRootSessionsOutput{},
	iam.ListOrganizationsFeaturesInput{},
	iam.SetSecurityTokenServicePreferencesInput{}, iam.PutAccountPropertiesInput{},
	iam.EnableOutboundWebIdentityFederationOutput{}, sts.GetWebIdentityTokenInput{}, sts.GetWebIdentityTokenOutput{},
	iam.GenerateServiceLastAccessedDetailsInput{}, iam.GenerateServiceLastAccessedDetailsOutput{},
	iam.GetServiceLastAccessedDetailsInput{},
	iam.GetServiceLastAccessedDetailsWithEntitiesInput{}, iam.ListPoliciesGrantingServiceAccessInput{},
	iam.SimulateCustomPolicyInput{}, iam.SimulatePrincipalPolicyInput{}, iam.GetContextKeysForCustomPolicyInput{},
	iam.GetContextKeysForPrincipalPolicyInput{},
}

// Exactly these members of the served actions are omitted, except those in the
// registration of an action: ExternalId, PrincipalArn, ProvidedContexts,
// ProviderId, TargetPrincipal, TaskPolicyArn. This test fails first if a new
// SDK has a new member.
func TestMembersLeftOut(t *testing.T) {
	want := []string{
		"AddPrivateKey", "AuthenticationCode1", "AuthenticationCode2", "Base32StringSeed", "CertificateBody",
		"CertificateChain", "EncodedMessage", "ExternalId", "NewPassword", "OldPassword", "Password",
		"PolicyExclusionList", "PrincipalArn", "PrivateKey", "ProvidedContexts", "ProviderId", "QRCodePNG",
		"SAMLAssertion", "SAMLMetadataDocument", "SSHPublicKeyBody", "SecretAccessKey", "ServiceCredentialSecret",
		"ServicePassword", "SessionToken", "TargetPrincipal", "TaskPolicyArn", "TokenCode", "WebIdentityToken",
	}
	var out []string
	var walk func(t reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ == timeType {
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() || f.Name == "ResultMetadata" {
				continue
			}
			if !MayRecord(f.Name) {
				out = append(out, f.Name)
				continue
			}
			walk(f.Type)
		}
	}
	m := NewMembers(ofEvery)
	for _, v := range served {
		typ := reflect.TypeOf(v)
		walk(typ)
		p := reflect.New(typ)
		fill(p.Elem(), "")
		for _, got := range []json.RawMessage{m.Request(p.Interface()), m.Response(p.Interface())} {
			if got != nil && !json.Valid(got) {
				t.Errorf("%s: not JSON: %s", typ.Name(), got)
			}
			for _, name := range want {
				if strings.Contains(string(got), "."+name+`"`) {
					t.Errorf("%s: %s is in %s", typ.Name(), name, got)
				}
			}
		}
	}
	slices.Sort(out)
	if d := cmp.Diff(want, slices.Compact(out)); d != "" {
		t.Error(d)
	}
}

// Every operation of both services is supported, and bytes are never recorded.
func TestMembersOfAnyOutput(t *testing.T) {
	all := NewMembers(func(string, string) bool { return true })
	for _, v := range []any{
		&iam.GetCredentialReportOutput{}, &iam.CreateVirtualMFADeviceOutput{}, &iam.GetAccountSummaryOutput{},
		&iam.SimulatePrincipalPolicyOutput{}, &iam.GetAccountAuthorizationDetailsOutput{}, &sts.AssumeRoleOutput{},
	} {
		fill(reflect.ValueOf(v).Elem(), "")
		got := all.Response(v)
		if got != nil && !json.Valid(got) || strings.Contains(string(got), "Content") ||
			strings.Contains(string(got), "Seed") {
			t.Errorf("%T: %s", v, got)
		}
	}
}

func TestMembersNarrowed(t *testing.T) {
	var asked []string
	m := NewMembers(func(action, member string) bool {
		asked = append(asked, action+"."+member)
		return member == "UserName"
	})
	in := &iam.CreateUserInput{UserName: aws.String("a"), Path: aws.String("/canary/")}
	if got := string(m.Request(in)); got != `{"userName":"a"}` {
		t.Error(got)
	}
	if !slices.Contains(asked, "CreateUser.Path") {
		t.Errorf("asked for %q", asked)
	}
}

func TestMembersBounds(t *testing.T) {
	m := NewMembers(ofEvery)
	for name, in := range map[string]any{
		"a long text": &iam.GetUserInput{UserName: aws.String(strings.Repeat("\x01", 1<<20))},
		"many texts": &iam.UntagUserInput{TagKeys: strings.Split(strings.Repeat("k,", 1<<19), ","),
			UserName: aws.String("a")},
		"many long texts": &iam.UntagUserInput{TagKeys: slices.Repeat([]string{strings.Repeat("k", 5000)}, 200)},
		"structs in a row": &iam.TagUserInput{
			Tags: slices.Repeat([]types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}, 1<<16)},
		"empty texts in row": &iam.UntagUserInput{TagKeys: make([]string, 1<<20)},
	} {
		got := m.Request(in)
		if len(got) > 128<<10 || !json.Valid(got) {
			t.Errorf("%s: %d bytes, %.100s", name, len(got), got)
		}
		if name != "a long text" && !strings.HasSuffix(string(got), `,"truncated":true}`) {
			t.Errorf("%s: ends %s", name, got[len(got)-40:])
		}
	}
}

func ExampleMembers_Request() {
	m := NewMembers(ofEvery)
	fmt.Println(string(
		m.Request(&iam.CreateLoginProfileInput{UserName: aws.String("Bob"), Password: aws.String("hunter2")})))
	// Output: {"passwordResetRequired":false,"userName":"Bob"}
}

// Our lists contain no member that AWS's model marks as secret in any action,
// served or not.
func TestRecordedHoldsNoSecret(t *testing.T) {
	checked := 0
	var walk func(op, path string, s *awsmodel.Shape)
	walk = func(op, path string, s *awsmodel.Shape) {
		switch s.Kind {
		case awsmodel.List:
			walk(op, path, s.Elem)
		case awsmodel.Structure:
			for _, m := range s.Members {
				if !MayRecord(m.Field()) {
					continue
				}
				at := strings.TrimPrefix(path+"."+lowerFirst(m.Field()), ".")
				walk(op, at, m.Shape)
				if k := m.Shape.Kind; k == awsmodel.List || k == awsmodel.Map || k == awsmodel.Structure {
					continue // its own members decide
				}
				checked++
				if awsmodel.Sensitive(op, at) {
					t.Errorf("%s: the trail shows %s", op, at)
				}
			}
		}
	}
	for _, service := range awsmodel.Services() {
		for _, op := range awsmodel.Operations(service.Name) {
			for _, s := range []*awsmodel.Shape{op.Input, op.Output} {
				if s != nil {
					walk(op.Name, "", s)
				}
			}
		}
	}
	if checked < 300 {
		t.Errorf("only %d members checked", checked)
	}
}
