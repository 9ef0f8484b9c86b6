package service_test

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// parameter is what a member of an input does to what a call touches.
type parameter struct {
	// thing is what of things it names; "" for none.
	thing string
	// values are others that a caller may try, where they widen or move what is
	// touched.
	values []string
	// at is where the values stand in a form, if not under the member's name.
	at string
}

// parameters are all members of all inputs. Those without a thing or values
// say what is done to a thing, or show less of it, and touch no other.
var parameters = map[string]parameter{
	"UserName": {thing: "name"}, "GroupName": {thing: "name"}, "RoleName": {thing: "name"},
	"InstanceProfileName":   {thing: "name"},
	"ServerCertificateName": {thing: "name"}, "VirtualMFADeviceName": {thing: "name"},
	"PolicyName": {thing: "name"}, "Name": {thing: "name"},
	"PolicyArn": {thing: "policy"}, "OpenIDConnectProviderArn": {thing: "oidc"}, "SAMLProviderArn": {thing: "saml"},
	"PrincipalArn": {thing: "saml"},
	"SerialNumber": {thing: "device"}, "RoleArn": {thing: "role"}, "AccessKeyId": {thing: "key"},
	"CertificateId":  {thing: "signing"},
	"SSHPublicKeyId": {thing: "ssh"}, "ServiceSpecificCredentialId": {thing: "credential"}, "JobId": {thing: "job"},
	"DeletionTaskId":      {thing: "task"},
	"PermissionsBoundary": {thing: "policy"}, "CallerArn": {thing: "user"},
	"PolicyArns": {thing: "policy", at: "PolicyArns.member.1.arn"},
	"Arn":        {thing: "user", values: entities}, "PolicySourceArn": {thing: "user", values: entities},
	"EncodedMessage": {thing: "message"}, "AccountAlias": {thing: "alias"},
	"TargetPrincipal": {thing: "account"}, "ResourceOwner": {thing: "account"},
	"Url":  {values: []string{"https://" + stranger + ".example.com", "https://own.example.com/" + stranger}},
	"Path": {values: paths}, "PathPrefix": {values: paths}, "NewPath": {values: paths},
	"NewUserName": {values: newNames}, "NewGroupName": {values: newNames},
	"NewServerCertificateName": {values: newNames}, "CustomSuffix": {values: newNames},
	"AllUsers": {values: yes}, "OnlyAttached": {values: yes}, "SetAsDefault": {values: yes},
	"Scope":             {values: []string{"All", "AWS", "Local"}},
	"AssignmentStatus":  {values: []string{"Any", "Assigned", "Unassigned"}},
	"EntityFilter":      {values: []string{"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}},
	"PolicyUsageFilter": {values: []string{"PermissionsPolicy", "PermissionsBoundary"}},
	"Filter":            {values: []string{"User", "Role", "Group", "LocalManagedPolicy"}, at: "Filter.member.1"},
	"Marker":            {values: []string{"x"}},
	"AWSServiceName":    {values: []string{"batch.amazonaws.com", "autoscaling.amazonaws.com"}},
	"ServiceName":       {values: []string{codeCommit}},
	"VersionId":         {values: []string{"v1", "v2"}},
	"ResourceArns":      {thing: "user", at: "ResourceArns.member.1"},

	// Of the call itself, or of what is made or changed by it.
	"ActionNames": {}, "AddPrivateKey": {}, "AllowUsersToChangePassword": {}, "AssertionEncryptionMode": {},
	"AssumeRolePolicyDocument": {},
	"Audience":                 {}, "Properties": {}, "SigningAlgorithm": {},
	"AuthenticationCode1": {}, "AuthenticationCode2": {}, "CertificateBody": {}, "CertificateChain": {},
	"ClientID": {}, "ClientIDList": {},
	"ContextEntries": {}, "CredentialAgeDays": {}, "Description": {}, "DurationSeconds": {},
	"Encoding": {}, "ExternalId": {},
	"GlobalEndpointTokenVersion": {}, "Granularity": {}, "HardExpiry": {}, "MaxItems": {},
	"MaxPasswordAge": {}, "MaxSessionDuration": {},
	"MinimumPasswordLength": {}, "MinimumSessionTokenSize": {}, "NewPassword": {}, "OldPassword": {},
	"OrderedOrganizationPolicyInputList": {},
	"Password":                           {}, "PasswordResetRequired": {}, "PasswordReusePrevention": {},
	"PermissionsBoundaryPolicyInputList": {}, "Policy": {},
	"PolicyDocument": {}, "PolicyExclusionList": {}, "PolicyInputList": {}, "PrivateKey": {},
	"ProvidedContexts": {}, "ProviderId": {},
	"RemovePrivateKey": {}, "RequireLowercaseCharacters": {}, "RequireNumbers": {}, "RequireSymbols": {},
	"RequireUppercaseCharacters": {},
	"ResourceHandlingOption":     {}, "ResourcePolicy": {}, "RoleSessionName": {}, "Rollcall": {},
	"SAMLAssertion": {}, "SAMLMetadataDocument": {},
	"SSHPublicKeyBody": {}, "ServiceNamespace": {}, "ServiceNamespaces": {}, "SourceIdentity": {},
	"Status": {}, "TagKeys": {}, "Tags": {},
	"TaskPolicyArn": {}, "ThumbprintList": {}, "TokenCode": {}, "TransitiveTagKeys": {}, "WebIdentityToken": {},
}

// own is the name of what a caller of these tests may act on, and stranger is
// part of all names of what it may not.
const own, stranger = "own", "zstranger"

var (
	yes      = []string{"true"}
	newNames = []string{stranger, "new", "own2", "OWN"}
	paths    = []string{"/", "/own", "/own/", "/ow", "/own/" + stranger, "/" + stranger + "/", "/own" + stranger + "/"}
	entities = []string{
		groupPath + "/" + stranger, rolePath + "/" + stranger, policyPath + "/" + stranger,
		userPath + "/own/" + stranger,
		userPath + "/" + strings.ToUpper(stranger), groupPath + "/own/" + stranger, rolePath + "/own/" + stranger,
	}
)

// members are the members of an action's input.
func members(t testing.TB, w *world, action string) (all []string) {
	t.Helper()
	_, service := form(action)
	a, ok := w.API.Find(service, action)
	if !ok {
		t.Fatalf("%s is not served", action)
	}
	for in, i := reflect.TypeOf(a.NewInput()).Elem(), 0; i < in.NumField(); i++ {
		if f := in.Field(i); f.IsExported() {
			all = append(all, f.Name)
		}
	}
	return all
}

// A parameter that nobody thought about is in no table: what it touches must be
// said here, and is then held to it by the tests below.
func TestEveryParameterIsInTheTable(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	unseen := maps.Clone(parameters)
	for action := range everyAction {
		for _, member := range members(t, w, action) {
			if _, ok := parameters[member]; !ok {
				t.Errorf("%s has a member %s: what does it touch?", action, member)
			}
			delete(unseen, member)
		}
	}
	if len(unseen) > 0 {
		t.Errorf("no action has %q", slices.Sorted(maps.Keys(unseen)))
	}
}

// request is the good request of an action, about what has has.
func request(action string, has things) url.Values {
	text, _ := form(action)
	values, err := url.ParseQuery(text)
	if err != nil {
		panic(err)
	}
	for key := range values {
		member, _, _ := strings.Cut(key, ".")
		if thing := has[parameters[member].thing]; thing != "" {
			values.Set(key, thing)
		}
	}
	return values
}

// try is one request with one parameter that is not as it should be.
type try struct {
	action, member, value string
	form                  url.Values
}

func (x try) String() string { return x.action + " " + x.member + "=" + x.value }

// with is the request of an action with another value of one member.
func with(action, member, value string, has things) try {
	values := request(action, has)
	at := parameters[member].at
	if at == "" {
		at = member
	}
	values.Set(at, value)
	return try{action, member, value, values}
}

// send sends the request of a try.
func (w *world) try(t testing.TB, c clients, x try) answer {
	t.Helper()
	_, service := form(x.action)
	body := x.form.Encode()
	r := w.post(t, "/", body)
	w.sign(r, body, c, "us-east-1", service)
	return send(t, r)
}
