package enrich

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/audit"
)

// told returns a client for an account with one user, Bob. results contains the
// content of the service's answer for each action.
func told(t *testing.T, results map[string]string) *iam.Client {
	t.Helper()
	bob := `<UserName>Bob</UserName><UserId>AIDABOB</UserId><Arn>arn:aws:iam::123456789012:user/Bob</Arn><Path>/</Path>`
	all := map[string]string{
		"ListUsers": `<Users><member>` + bob +
			`<CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Users>`,
		"ListAccessKeys":                 `<AccessKeyMetadata/>`,
		"ListMFADevices":                 `<MFADevices/>`,
		"ListVirtualMFADevices":          `<VirtualMFADevices/>`,
		"ListUserTags":                   `<Tags/>`,
		"ListSSHPublicKeys":              `<SSHPublicKeys/>`,
		"ListServiceSpecificCredentials": `<ServiceSpecificCredentials/>`,
	}
	for action, result := range results {
		all[action] = result
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action := r.FormValue("Action")
		io.WriteString(w, `<`+action+`Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><`+
			action+`Result>`+all[action]+
			`</`+action+`Result></`+action+`Response>`)
	}))
	t.Cleanup(s.Close)
	return iam.NewFromConfig(aws.Config{
		BaseEndpoint: &s.URL, Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIA", "s", ""),
	})
}

const (
	ofRoot   = `<User><Arn>arn:aws:iam::123456789012:root</Arn></User>`
	ofBob    = `<User><UserName>Bob</UserName><Arn>arn:aws:iam::123456789012:user/Bob</Arn></User>`
	bobsMFA  = `<SerialNumber>arn:aws:iam::123456789012:mfa/Bob</SerialNumber>`
	hardware = `<SerialNumber>GAHT12345678</SerialNumber>`
)

// TestRootVirtualMFA checks that root has no virtual device only if every device
// has an owner and none is missing.
func TestRootVirtualMFA(t *testing.T) {
	device := func(parts string) string {
		return `<VirtualMFADevices><member>` + parts + `</member></VirtualMFADevices>`
	}
	other := `<SerialNumber>arn:aws:iam::123456789012:mfa/x</SerialNumber>`
	for name, test := range map[string]struct {
		devices, bobs string
		want          audit.Known
	}{
		"none":     {`<VirtualMFADevices/>`, "", audit.No},
		"a user's": {device(bobsMFA + ofBob), bobsMFA, audit.No},
		"root's":   {device(other + ofRoot), "", audit.Yes},
		"root's by its serial number": {
			device(`<SerialNumber>arn:aws:iam::123456789012:mfa/root-account-mfa-device</SerialNumber>`), "",
			audit.Yes},
		"nobody's":                 {device(other), "", audit.Unknown},
		"of a user without an ARN": {device(other + `<User><UserName>Bob</UserName></User>`), "", audit.Unknown},
		"nobody's, and root's": {
			`<VirtualMFADevices><member>` + other + `</member><member>` + bobsMFA + ofRoot +
				`</member></VirtualMFADevices>`, "", audit.Yes,
		},
		"one that a user has is missing":           {`<VirtualMFADevices/>`, bobsMFA, audit.Unknown},
		"a user's hardware is in no such list":     {`<VirtualMFADevices/>`, hardware, audit.No},
		"the list of devices is not in the answer": {``, bobsMFA, audit.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			mine := `<MFADevices/>`
			if test.bobs != "" {
				mine = `<MFADevices><member>` + test.bobs + `<UserName>Bob</UserName></member></MFADevices>`
			}
			got := mustRead(t, Reading{Kinds: []Kind{MFA}},
				told(t, map[string]string{"ListVirtualMFADevices": test.devices, "ListMFADevices": mine}))
			if got.RootVirtualMFA != test.want {
				t.Errorf("%v, want %v", got.RootVirtualMFA, test.want)
			}
		})
	}
}

// TestExpiredSession checks that a call is repeated whose session has just expired.
func TestExpiredSession(t *testing.T) {
	expired := map[string]bool{}
	c := iam.New(told(t, nil).Options(), func(o *iam.Options) {
		next := o.HTTPClient
		o.HTTPClient = do(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			if form := string(body); !expired[form] {
				expired[form] = true
				return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(
					`<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code></Error></ErrorResponse>`))}, nil
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			return next.Do(r)
		})
	})
	if got := mustRead(t, Reading{Kinds: []Kind{Keys}, Concurrency: 1}, c); Missing(got) != "" || len(expired) != 2 {
		t.Errorf("%+v, %d calls", got, len(expired))
	}
}

// do is a function as a client.
type do func(*http.Request) (*http.Response, error)

func (f do) Do(r *http.Request) (*http.Response, error) { return f(r) }

// TestNotWhole checks that an incomplete answer yields no facts.
func TestNotWhole(t *testing.T) {
	truncated := `<IsTruncated>true</IsTruncated>`
	for name, test := range map[string]struct {
		kind           Kind
		action, result string
	}{
		"users":               {Keys, "ListUsers", `<Users/>` + truncated},
		"users without dates": {Keys, "ListUsers", `<Users><member><UserName>Bob</UserName></member></Users>`},
		"keys":                {Keys, "ListAccessKeys", `<AccessKeyMetadata/>` + truncated},
		"keys without status": {Keys, "ListAccessKeys",
			`<AccessKeyMetadata><member><AccessKeyId>AKIA</AccessKeyId><CreateDate>2026-01-01T00:00:00Z</CreateDate>` +
				`</member></AccessKeyMetadata>`},
		"keys without dates": {Keys, "ListAccessKeys",
			`<AccessKeyMetadata><member><AccessKeyId>AKIA</AccessKeyId><Status>Active</Status></member>` +
				`</AccessKeyMetadata>`},
		"devices":         {MFA, "ListMFADevices", `<MFADevices/>` + truncated},
		"virtual devices": {MFA, "ListVirtualMFADevices", `<VirtualMFADevices/>` + truncated},
		"tags":            {Tags, "ListUserTags", `<Tags/>` + truncated},
		"SSH keys":        {ServiceCredentials, "ListSSHPublicKeys", `<SSHPublicKeys/>` + truncated},
		"SSH keys, status": {ServiceCredentials, "ListSSHPublicKeys",
			`<SSHPublicKeys><member><SSHPublicKeyId>A</SSHPublicKeyId></member></SSHPublicKeys>`},
		"others": {ServiceCredentials, "ListServiceSpecificCredentials",
			`<ServiceSpecificCredentials/>` + truncated},
		"others, status": {ServiceCredentials, "ListServiceSpecificCredentials",
			`<ServiceSpecificCredentials><member><ServiceName>x</ServiceName></member></ServiceSpecificCredentials>`},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustRead(t, Reading{Kinds: []Kind{test.kind}}, told(t, map[string]string{test.action: test.result}))
			if !strings.Contains(Missing(got), errNotWhole.Error()) || test.kind.known(ptr(got.Users["Bob"])) &&
				test.action != "ListVirtualMFADevices" {
				t.Errorf("%+v", got)
			}
		})
	}
	if got := mustRead(t, Reading{Kinds: Kinds}, told(t, nil)); Missing(got) != "" {
		t.Errorf("%+v", got)
	}
}
