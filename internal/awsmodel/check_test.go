package awsmodel_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"rollcall/internal/awsmodel"
)

func tags(n int) []types.Tag {
	all := make([]types.Tag, n)
	for i := range all {
		all[i] = types.Tag{Key: aws.String("k"), Value: aws.String("")}
	}
	return all
}

func tag(key, value string) []types.Tag {
	return []types.Tag{{Key: &key, Value: &value}}
}

func properties(key, value string) *iam.PutAccountPropertiesInput {
	return &iam.PutAccountPropertiesInput{Properties: map[string]string{"C/D": "x", key: value}}
}

func granting(namespaces ...string) *iam.ListPoliciesGrantingServiceAccessInput {
	arn := "arn:aws:iam::111111111111:user/u"
	return &iam.ListPoliciesGrantingServiceAccessInput{Arn: &arn, ServiceNamespaces: append([]string{}, namespaces...)}
}

const one = "1 validation error detected: "

var checks = []struct {
	name, op string
	in       any
	want     string // empty if the input is valid
}{
	{"passes", "CreateUser", &iam.CreateUserInput{UserName: aws.String("a,b=1@x-y._+"), Path: aws.String("/a//b/"),
		Tags: tag("é/x y", "")}, ""},
	{"required", "CreateUser", &iam.CreateUserInput{},
		one + "Value at 'userName' failed to satisfy constraint: Member must not be null"},
	{"required enum", "UpdateAccessKey", &iam.UpdateAccessKeyInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE")},
		one + "Value at 'status' failed to satisfy constraint: Member must not be null"},
	{"longest name", "CreateUser", &iam.CreateUserInput{UserName: aws.String(strings.Repeat("a", 64))}, ""},
	{"name too long", "CreateUser", &iam.CreateUserInput{UserName: aws.String(strings.Repeat("a", 65))},
		one + "Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64"},
	{"name too long for a look-up", "GetUser", &iam.GetUserInput{UserName: aws.String(strings.Repeat("a", 129))},
		one + "Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 128"},
	{"name empty", "CreateUser", &iam.CreateUserInput{UserName: aws.String("")},
		one + "Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1"},
	{"name with newline", "CreateUser", &iam.CreateUserInput{UserName: aws.String("a\n")},
		"The specified value for userName is invalid. It must contain only alphanumeric characters and/or the " +
			"following: +=,.@_-"},
	{"name not ASCII", "CreateUser", &iam.CreateUserInput{UserName: aws.String("é")},
		"The specified value for userName is invalid. It must contain only alphanumeric characters and/or the " +
			"following: +=,.@_-"},
	{"path without end", "CreateVirtualMFADevice",
		&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("d"), Path: aws.String("/test")},
		"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric " +
			"characters and/or / characters."},
	{"path of two slashes", "CreateUser", &iam.CreateUserInput{UserName: aws.String("u"), Path: aws.String("//")},
		"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric " +
			"characters and/or / characters."},
	{"path with DEL", "CreateUser", &iam.CreateUserInput{UserName: aws.String("u"), Path: aws.String("/a\x7f/")},
		"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric " +
			"characters and/or / characters."},
	{"path too long, and malformed", "CreateVirtualMFADevice",
		&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("d"),
			Path: aws.String("/" + strings.Repeat("a", 512))},
		one + "Value at 'path' failed to satisfy constraint: Member must have length less than or equal to 512"},
	{"path prefix", "ListUsers", &iam.ListUsersInput{PathPrefix: aws.String("a/")},
		"The specified value for pathPrefix is invalid. It must begin with the / character and contain only " +
			"alphanumeric characters and/or / characters."},
	{"path prefix of part of a segment", "ListUsers", &iam.ListUsersInput{PathPrefix: aws.String("/di\x7f")}, ""},
	{"too many tags", "CreateRole",
		&iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String("{}"), Tags: tags(51)},
		one + "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"},
	{"tag key too long", "TagRole",
		&iam.TagRoleInput{RoleName: aws.String("r"), Tags: tag(strings.Repeat("é", 129), "")},
		one + "Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or " +
			"equal to 128"},
	{"tag key of the longest, in characters", "TagRole",
		&iam.TagRoleInput{RoleName: aws.String("r"), Tags: tag(strings.Repeat("é", 128), "")}, ""},
	{"tag key pattern", "TagRole", &iam.TagRoleInput{RoleName: aws.String("r"), Tags: tag("a?", "")},
		one + `Value at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression ` +
			`pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
	{"tag value too long", "TagRole",
		&iam.TagRoleInput{RoleName: aws.String("r"), Tags: tag("a", strings.Repeat("v", 257))},
		one + "Value at 'tags.1.member.value' failed to satisfy constraint: Member must have length less than or " +
			"equal to 256"},
	{"tag missing", "TagUser", &iam.TagUserInput{UserName: aws.String("u"), Tags: make([]types.Tag, 1)},
		"2 validation errors detected: Value at 'tags.1.member.value' failed to satisfy constraint: Member must not " +
			"be null; Value at 'tags.1.member.key' failed to satisfy constraint: Member must not be null"},
	{"too many tag keys", "UntagRole", &iam.UntagRoleInput{RoleName: aws.String("r"), TagKeys: make([]string, 51)},
		one + "Value at 'tagKeys' failed to satisfy constraint: Member must have length less than or equal to 50"},
	{"tag keys", "UntagPolicy",
		&iam.UntagPolicyInput{PolicyArn: aws.String("arn:aws:iam::111111111111:policy/p"),
			TagKeys: []string{"fine", "a?"}},
		one + `Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have ` +
			`length less than or equal to 128, Member must have length greater than or equal to 1, Member must ` +
			`satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]`},
	{"map", "PutAccountProperties", properties("A/B", "v"), ""},
	{"map key not allowed", "PutAccountProperties", properties("1/B", "v"),
		one + "Value at 'properties' failed to satisfy constraint: Map keys must satisfy constraint: [Member must " +
			"have length less than or equal to 50, " +
			"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: " +
			"^[A-Za-z][A-Za-z0-9/_-]*$]"},
	{"map value too long", "PutAccountProperties", properties("A/B", strings.Repeat("v", 1025)),
		one + "Value at 'properties' failed to satisfy constraint: " +
			"Map value must satisfy constraint: [Member must have length less than or equal to 1024, Member must " +
			"have length greater than or equal to 1]"},
	{"map missing", "PutAccountProperties", &iam.PutAccountPropertiesInput{},
		one + "Value at 'properties' failed to satisfy constraint: Member must not be null"},
	{"identifier", "DeleteServiceSpecificCredential",
		&iam.DeleteServiceSpecificCredentialInput{ServiceSpecificCredentialId: aws.String("an-id-with-a-hyphen-in-it")},
		one + `Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must satisfy regular ` +
			`expression pattern: [\w]+`},
	{"version", "GetPolicyVersion",
		&iam.GetPolicyVersionInput{PolicyArn: aws.String("arn:aws:iam::111111111111:policy/p"),
			VersionId: aws.String("1")},
		one + `Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: ` +
			`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`},
	{"enum", "UpdateAccessKey", &iam.UpdateAccessKeyInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE"),
		Status: "on"}, one + "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"},
	{"order of enum values", "SetSecurityTokenServicePreferences",
		&iam.SetSecurityTokenServicePreferencesInput{GlobalEndpointTokenVersion: "v3Token"},
		one + "Value at 'globalEndpointTokenVersion' failed to satisfy constraint: Member must satisfy enum value " +
			"set: [v2Token, v1Token]"},
	{"empty enum", "UpdateAccessKey",
		&iam.UpdateAccessKeyInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE"), Status: awsmodel.EmptyEnum},
		one + "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"},
	{"enum value that the service refuses later", "UpdateAccessKey",
		&iam.UpdateAccessKeyInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE"), Status: "Expired"}, ""},
	{"encoding", "GetSSHPublicKey",
		&iam.GetSSHPublicKeyInput{UserName: aws.String("u"), SSHPublicKeyId: aws.String(strings.Repeat("A", 20)),
			Encoding: "DER"},
		one + "Value at 'encoding' failed to satisfy constraint: Member must satisfy enum value set: [SSH, PEM]"},
	{"capital letters in a member", "GetSSHPublicKey",
		&iam.GetSSHPublicKeyInput{UserName: aws.String("u"), SSHPublicKeyId: aws.String("A"), Encoding: "PEM"},
		one + "Value at 'sSHPublicKeyId' failed to satisfy constraint: Member must have length greater than or " +
			"equal to 20"},
	{"list of enums", "GetAccountAuthorizationDetails",
		&iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{"User", "x"}},
		one + "Value at 'filter' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy " +
			"enum value set: [LocalManagedPolicy, User, AWSManagedPolicy, Role, Group]]"},
	{"password policy", "UpdateAccountPasswordPolicy",
		&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(129), MaxPasswordAge: aws.Int32(1096),
			PasswordReusePrevention: aws.Int32(25)},
		"3 validation errors detected: Value at 'minimumPasswordLength' failed to satisfy constraint: Member must " +
			"have value less than or equal to 128; Value at 'passwordReusePrevention' failed to satisfy constraint: " +
			"Member must have value less than or equal to 24; Value at 'maxPasswordAge' failed to satisfy " +
			"constraint: Member must have value less than or equal to 1095"},
	{"password policy too small", "UpdateAccountPasswordPolicy",
		&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(5)},
		one + "Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have value greater than or " +
			"equal to 6"},
	{"provider", "CreateOpenIDConnectProvider",
		&iam.CreateOpenIDConnectProviderInput{Url: aws.String(strings.Repeat("u", 256)),
			ClientIDList: []string{strings.Repeat("c", 256)}, ThumbprintList: []string{"t"}},
		"3 validation errors detected: Value at 'clientIDList' failed to satisfy constraint: Member must satisfy " +
			"constraint: [Member must have length less than or equal to 255, Member must have length greater than or " +
			"equal to 1]; Value at 'thumbprintList' failed to satisfy constraint: Member must satisfy constraint: " +
			"[Member must have length less than or equal to 40, Member must have length greater than or equal to " +
			"40]; Value at 'url' failed to satisfy constraint: Member must have length less than or equal to 255"},
	{"alias", "CreateAccountAlias", &iam.CreateAccountAliasInput{AccountAlias: aws.String("a-b-c")}, ""},
	{"alias with two hyphens", "CreateAccountAlias", &iam.CreateAccountAliasInput{AccountAlias: aws.String("a--c")},
		one + "Value at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
			"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"},
	{"alias ending in a hyphen", "CreateAccountAlias", &iam.CreateAccountAliasInput{AccountAlias: aws.String("abc-")},
		one + "Value at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
			"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"},
	{"password with a control character", "ChangePassword",
		&iam.ChangePasswordInput{OldPassword: aws.String("a\x01"), NewPassword: aws.String("ÿ\t\r\n")},
		one + `Value at 'oldPassword' failed to satisfy constraint: Member must satisfy regular expression pattern: ` +
			`[\u0009\u000A\u000D\u0020-\u00FF]+`},
	{"text that XML cannot carry", "CreateServiceSpecificCredential",
		&iam.CreateServiceSpecificCredentialInput{UserName: aws.String("u"), ServiceName: aws.String("a\x00")},
		one + `Value at 'serviceName' failed to satisfy constraint: Member must satisfy regular expression pattern: ` +
			`[\u0009\u000A\u000D\u0020-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]*`},
	{"operation without input", "GetCredentialReport", &iam.GetCredentialReportInput{}, ""},
	// The following cases about markers and namespaces are recorded.
	{"empty marker", "ListUsers", &iam.ListUsersInput{Marker: aws.String("")},
		"The specified value for marker is invalid. It must contain only printable ASCII characters."},
	{"marker with a control character", "ListUsers", &iam.ListUsersInput{Marker: aws.String("a\n")},
		"The specified value for marker is invalid. It must contain only printable ASCII characters."},
	{"long marker", "ListUsers", &iam.ListUsersInput{Marker: aws.String(strings.Repeat("m", 321))},
		one + "Value at 'marker' failed to satisfy constraint: Member must have length less than or equal to 320"},
	{"namespaces", "ListPoliciesGrantingServiceAccess", granting("s3", ""),
		one + `Value at 'serviceNamespaces' failed to satisfy constraint: Member must satisfy constraint: [Member ` +
			`must have length less than or equal to 64, Member must have length greater than or equal to 1, Member ` +
			`must satisfy regular expression pattern: [\w-]*, Member must not be null]`},
	{"no namespaces", "ListPoliciesGrantingServiceAccess", granting(),
		one + "Value at 'serviceNamespaces' failed to satisfy constraint: Member must not be null"},
	{"union", "SimulatePrincipalPolicy",
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/u"),
			ActionNames:         []string{"iam:GetUser"},
			PolicyExclusionList: []types.PolicyIdentifier{&types.PolicyIdentifierMemberPolicyType{Value: "x"}}},
		one + "Value 'x' at 'policyExclusionList.1.member.policyType' failed to satisfy constraint: Member must " +
			"satisfy enum value set: [scp, permission-boundary, aws-managed, inline, user-managed, rcp]"},
	{"union without a member", "SimulatePrincipalPolicy",
		&iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/u"),
			ActionNames: []string{"iam:GetUser"}, PolicyExclusionList: make([]types.PolicyIdentifier, 1)},
		one + "Value null at 'policyExclusionList.1.member' failed to satisfy constraint: Member must not be null"},
	{"session name", "AssumeRole", &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111111111111:role/é"),
		RoleSessionName: aws.String("a")},
		one + "Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or " +
			"equal to 2"},
	{"characters beyond the basic plane", "AssumeRole",
		&sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111111111111:role/🙂"),
			RoleSessionName: aws.String("a?")},
		one + `Value 'a?' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression ` +
			`pattern: [\w+=,.@-]*`},
}

func TestCheck(t *testing.T) {
	for _, test := range checks {
		t.Run(test.name, func(t *testing.T) {
			got := awsmodel.Check(test.op, test.in)
			switch {
			case test.want == "" && got != nil:
				t.Fatalf("refused: %v", got)
			case test.want == "":
			case got == nil:
				t.Fatalf("passed; want %s", test.want)
			case got.Code != "ValidationError" || got.Message != test.want:
				t.Errorf("got %s\n %s\nwant\n %s", got.Code, got.Message, test.want)
			}
		})
	}
}

func TestCheckEndsItsList(t *testing.T) {
	entries := make([]types.ContextEntry, 5000)
	for i := range entries {
		entries[i].ContextKeyName = aws.String("")
	}
	err := awsmodel.Check("SimulateCustomPolicy", &iam.SimulateCustomPolicyInput{
		ActionNames: []string{"iam:GetUser"}, PolicyInputList: []string{"{}"}, ContextEntries: entries,
	})
	if err == nil || len(err.Message) > 20_000 || !strings.HasPrefix(err.Message, "10 validation errors detected: ") ||
		strings.Count(err.Message, "; ") != 9 {
		t.Errorf("got %.100v", err)
	}
}

// STS repeats values, but never a secret. IAM repeats none (recorded-2026 R4.4,
// and answers reported by users of AWS).
func TestCheckQuotesValuesOfSTS(t *testing.T) {
	const tooSmall = " failed to satisfy constraint: Member must have value greater than or equal to 900"
	const tooShort = " failed to satisfy constraint: Member must have length greater than or equal to "
	const missing = " failed to satisfy constraint: Member must not be null"
	seconds := func(n int32) any { return &sts.GetSessionTokenInput{DurationSeconds: &n} }
	web := func(token *string) any {
		return &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::111111111111:role/r"), RoleSessionName: aws.String("session"),
			WebIdentityToken: token,
		}
	}
	token := func(audience []string, tags ...ststypes.Tag) any {
		return &sts.GetWebIdentityTokenInput{Audience: audience, SigningAlgorithm: aws.String("RS256"), Tags: tags}
	}
	tags, tagsShown := make([]ststypes.Tag, 51), make([]string, 51)
	for i := range tags {
		tags[i], tagsShown[i] = ststypes.Tag{Key: aws.String("k"), Value: aws.String("v")}, "Tag(key=k, value=v)"
	}
	tags[50].Value, tagsShown[50] = nil, "Tag(key=k, value=null)"
	for _, test := range []struct {
		name, op string
		in       any
		want     string
	}{
		{"empty list", "GetWebIdentityToken", token([]string{}), "Value null at 'audience'" + missing},
		{"structures", "GetWebIdentityToken", token([]string{"a"}, tags...),
			"Value '[" + strings.Join(tagsShown, ", ") +
				"]' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"},
		{"number", "GetSessionToken", seconds(899), "Value '899' at 'durationSeconds'" + tooSmall},
		{"nothing", "GetAccessKeyInfo", &sts.GetAccessKeyInfoInput{}, "Value null at 'accessKeyId'" + missing},
		{"empty text", "GetAccessKeyInfo", &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String("")},
			"Value '' at 'accessKeyId'" + tooShort + "16"},
		{"one-time code", "GetSessionToken", &sts.GetSessionTokenInput{TokenCode: aws.String("12345")},
			"Value at 'tokenCode'" + tooShort + "6"},
		{"secret", "AssumeRoleWithWebIdentity", web(aws.String("abc")), "Value at 'webIdentityToken'" + tooShort + "4"},
		{"no secret", "AssumeRoleWithWebIdentity", web(nil), "Value at 'webIdentityToken'" + missing},
		{"texts", "AssumeRole", &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::111111111111:role/r"), RoleSessionName: aws.String("session"),
			TransitiveTagKeys: []string{"a", "?"},
		}, `Value '[a, ?]' at 'transitiveTagKeys' failed to satisfy constraint: Member must satisfy constraint: ` +
			`[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, ` +
			`Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := awsmodel.Check(test.op, test.in); got == nil || got.Message != one+test.want {
				t.Errorf("got %v\nwant %s", got, one+test.want)
			}
		})
	}
	long := strings.Repeat("é", 5000)
	got := awsmodel.Check("GetAccessKeyInfo", &sts.GetAccessKeyInfoInput{AccessKeyId: &long})
	if got == nil || len(got.Message) > 2*5000 || !utf8.ValidString(got.Message) {
		t.Errorf("a long value makes %d bytes", len(got.Message))
	}
}

// An empty list counts as absent if it may be absent.
func TestCheckOptionalEmptyList(t *testing.T) {
	in := &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::111111111111:role/r"), RoleSessionName: aws.String("session"),
		ProvidedContexts: []ststypes.ProvidedContext{},
	}
	if err := awsmodel.Check("AssumeRole", in); err != nil {
		t.Error(err)
	}
}

func BenchmarkCheckCreateUser(b *testing.B) {
	in := &iam.CreateUserInput{UserName: aws.String("Administrator"), Path: aws.String("/division/"),
		Tags: tag("team", "blue")}
	for b.Loop() {
		if err := awsmodel.Check("CreateUser", in); err != nil {
			b.Fatal(err)
		}
	}
}
