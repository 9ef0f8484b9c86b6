package fleet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"
)

// awsEnvironment sets up an AWS environment for the test: the config file, and
// the variables given as name, value.
func awsEnvironment(t *testing.T, file string, variables ...string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // restores it after the test
			os.Unsetenv(name)
		}
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for i := 0; i < len(variables); i += 2 {
		t.Setenv(variables[i], variables[i+1])
	}
}

func TestResolveEndpoints(t *testing.T) {
	const profile = `
[default]
endpoint_url = http://profile.test
services = s
[services s]
iam =
  endpoint_url = http://profile-iam.test
`
	const both = `
[profile p]
services = s
[services s]
iam =
  endpoint_url = http://profile-iam.test
sts =
  endpoint_url = http://profile-sts.test
`
	tests := []struct {
		name      string
		flag      string
		file      string
		variables []string
		want      endpoints
	}{
		{name: "nothing is AWS"},
		{name: "profile", file: "[default]\nendpoint_url = http://profile.test\n",
			want: endpoints{"http://profile.test", "http://profile.test", "http://profile.test", "http://profile.test"}},
		{name: "section before profile", file: profile,
			want: endpoints{"http://profile-iam.test", "http://profile.test", "http://profile.test", "http://profile.test"}},
		{name: "section of both", file: both, variables: []string{"AWS_PROFILE", "p"},
			want: endpoints{"http://profile-iam.test", "http://profile-sts.test", "http://profile-iam.test",
				"http://profile-iam.test"}},
		{name: "only IAM named, STS is there too", file: both,
			variables: []string{"AWS_ENDPOINT_URL_IAM", "http://iam.test"},
			want:      endpoints{"http://iam.test", "http://iam.test", "http://iam.test", "http://iam.test"}},
		{name: "variable before section", file: profile, variables: []string{"AWS_ENDPOINT_URL", "http://env.test"},
			want: endpoints{"http://env.test", "http://env.test", "http://env.test", "http://env.test"}},
		{
			name: "service's variable before variable", file: profile,
			variables: []string{"AWS_ENDPOINT_URL", "http://env.test", "AWS_ENDPOINT_URL_IAM", "http://iam.test"},
			want:      endpoints{"http://iam.test", "http://env.test", "http://env.test", "http://env.test"},
		},
		{
			name: "variable of Organizations", file: profile,
			variables: []string{"AWS_ENDPOINT_URL_ORGANIZATIONS", "http://org.test"},
			want:      endpoints{"http://profile-iam.test", "http://profile.test", "http://org.test", "http://profile.test"},
		},
		{
			name: "flag before all, for STS too", flag: "http://flag.test", file: profile,
			variables: []string{"AWS_ENDPOINT_URL_IAM", "http://iam.test", "AWS_ENDPOINT_URL_STS", "http://sts.test"},
			want:      endpoints{"http://flag.test", "http://flag.test", "http://flag.test", "http://flag.test"},
		},
		{name: "ignored by variable", file: profile,
			variables: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", "AWS_ENDPOINT_URL", "http://env.test"}},
		{name: "ignored by profile",
			file: "[default]\nignore_configured_endpoint_urls = true\nendpoint_url = http://profile.test\n"},
		{
			name:      "variable not ignored against profile",
			variables: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"},
			file:      "[default]\nignore_configured_endpoint_urls = true\nendpoint_url = http://profile.test\n",
			want:      endpoints{"http://profile.test", "http://profile.test", "http://profile.test", "http://profile.test"},
		},
		{name: "flag is not ignored", flag: "http://flag.test",
			variables: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
			want:      endpoints{"http://flag.test", "http://flag.test", "http://flag.test", "http://flag.test"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			awsEnvironment(t, test.file, test.variables...)
			env, err := config.NewEnvConfig()
			if err != nil {
				t.Fatal(err)
			}
			profile, err := loadProfile(t.Context(), "", env)
			if err != nil {
				t.Fatal(err)
			}
			if got := resolveEndpoints(t.Context(), test.flag, env, profile); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestCheckEndpoint(t *testing.T) {
	for _, good := range []string{
		"", "https://iam.example.com", "https://10.1.2.3:8443/base", "http://127.0.0.1:8585", "http://localhost:8585",
		"http://LOCALHOST", "http://localhost.:1", "http://iam.localhost", "http://[::1]:8585", "http://127.8.8.8",
	} {
		if err := checkEndpoint(good, false); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, plain := range []string{"http://10.1.2.3", "http://iam.example.com", "http://localhost.example.com",
		"http://0.0.0.0:8585", "http://127.0.0.1.example.com"} {
		var wrong *ConfigError
		if err := checkEndpoint(plain, false); !errors.As(err, &wrong) ||
			!strings.Contains(err.Error(), "--allow-http") {
			t.Errorf("%q: %v", plain, err)
		}
		if err := checkEndpoint(plain, true); err != nil {
			t.Errorf("%q, allowed: %v", plain, err)
		}
	}
	for _, bad := range []string{"iam.example.com", "localhost:8585", "ftp://localhost", "https://",
		"https://u:p@localhost", "https://localhost?x", "https://localhost#x", "http://[::1"} {
		var wrong *ConfigError
		if err := checkEndpoint(bad, true); !errors.As(err, &wrong) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// call is a request that a service received.
type call struct{ key, scope, action, role, code string }

// service answers AssumeRole, AssumeRoleWithWebIdentity and
// GetCredentialReport, and records the callers.
func service(t *testing.T) (endpoint string, calls *[]call) {
	calls = new([]call)
	mux := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		credential, _, _ = strings.Cut(credential, ",")
		key, scope, _ := strings.Cut(credential, "/")
		if scope != "" {
			_, scope, _ = strings.Cut(scope, "/")
		}
		*calls = append(*calls, call{key, scope, form.Get("Action"), form.Get("RoleArn"), form.Get("TokenCode")})
		w.Header().Set("Content-Type", "text/xml")
		switch action := form.Get("Action"); action {
		case "AssumeRole", "AssumeRoleWithWebIdentity":
			io.WriteString(w, `<`+action+`Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><`+
				action+`Result><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`</Expiration></Credentials></`+action+`Result></`+action+`Response>`)
		default:
			io.WriteString(w, reportOf(time.Now(), csv).body)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, calls
}

func TestOpen(t *testing.T) {
	const keys = "aws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n"
	role := "role_arn = arn:aws:iam::123456789012:role/Audit\nsource_profile = base\n[profile base]\n" + keys
	get := call{"AKIAENV", "us-east-1/iam/aws4_request", getting, "", ""}
	assumed := []call{
		{"AKIAPROFILE", "us-east-1/sts/aws4_request", "AssumeRole", "arn:aws:iam::123456789012:role/Audit", ""},
		{"ASIAROLE", "us-east-1/iam/aws4_request", getting, "", ""},
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("jwt"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"AWS_ACCESS_KEY_ID", "AKIAENV", "AWS_SECRET_ACCESS_KEY", "s"}
	tests := []struct {
		name      string
		settings  Settings // the endpoint in the settings below
		file      string   // ENDPOINT is replaced by the service's endpoint
		variables []string
		want      []call
	}{
		{name: "environment, default region",
			variables: append(env, "AWS_ENDPOINT_URL", "ENDPOINT"), want: []call{get}},
		{name: "endpoint of the flag", settings: Settings{Endpoint: "ENDPOINT"}, variables: env, want: []call{get}},
		{
			name:      "endpoint of the flag where configured ones are ignored",
			settings:  Settings{Endpoint: "ENDPOINT", Profile: "p"},
			variables: []string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
			file:      "[profile p]\n" + role, want: assumed,
		},
		{
			name: "region", settings: Settings{Endpoint: "ENDPOINT", Region: "eu-west-1"}, variables: env,
			want: []call{{"AKIAENV", "eu-west-1/iam/aws4_request", getting, "", ""}},
		},
		{
			name: "region of the environment", settings: Settings{Endpoint: "ENDPOINT"},
			variables: append(env, "AWS_REGION", "eu-west-3"),
			want:      []call{{"AKIAENV", "eu-west-3/iam/aws4_request", getting, "", ""}},
		},
		{name: "empty region", settings: Settings{Endpoint: "ENDPOINT"},
			variables: append(env, "AWS_DEFAULT_REGION", "", "AWS_REGION", ""), want: []call{get}},
		{
			name: "profile before the environment's keys", settings: Settings{Profile: "p"}, variables: env,
			file: "[profile p]\nendpoint_url = ENDPOINT\nregion = eu-west-2\n" + keys,
			want: []call{{"AKIAPROFILE", "eu-west-2/iam/aws4_request", getting, "", ""}},
		},
		{name: "role, endpoint of the profile", settings: Settings{Profile: "p"},
			file: "[profile p]\nendpoint_url = ENDPOINT\n" + role, want: assumed},
		{name: "role, endpoint of the flag", settings: Settings{Profile: "p", Endpoint: "ENDPOINT"},
			file: "[profile p]\n" + role, want: assumed},
		{name: "role, common variable", variables: []string{"AWS_PROFILE", "p", "AWS_ENDPOINT_URL", "ENDPOINT"},
			file: "[profile p]\n" + role, want: assumed},
		{name: "role, variable of IAM alone",
			variables: []string{"AWS_PROFILE", "p", "AWS_ENDPOINT_URL_IAM", "ENDPOINT"},
			file:      "[profile p]\n" + role, want: assumed},
		{
			name: "role, section of IAM alone", settings: Settings{Profile: "p"},
			file: "[services s]\niam =\n  endpoint_url = ENDPOINT\n[profile p]\nservices = s\n" + role, want: assumed,
		},
		{
			name: "role with MFA", file: "[profile p]\nmfa_serial = arn:aws:iam::123456789012:mfa/b\n" + role,
			settings: Settings{Profile: "p", Endpoint: "ENDPOINT", MFACode: func(serial string) (string, error) {
				if serial != "arn:aws:iam::123456789012:mfa/b" {
					return "", errors.New("wrong device " + serial)
				}
				return "123456", nil
			}},
			want: []call{{assumed[0].key, assumed[0].scope, "AssumeRole", assumed[0].role, "123456"}, assumed[1]},
		},
		{
			name: "web identity", settings: Settings{Endpoint: "ENDPOINT"},
			variables: []string{"AWS_WEB_IDENTITY_TOKEN_FILE", token, "AWS_ROLE_ARN",
				"arn:aws:iam::123456789012:role/Web"},
			want: []call{{"", "", "AssumeRoleWithWebIdentity", "arn:aws:iam::123456789012:role/Web", ""}, assumed[1]},
		},
		{
			name: "process", settings: Settings{Endpoint: "ENDPOINT"},
			file: `[default]` + "\n" +
				`credential_process = echo '{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"s"}'`,
			want: []call{{"AKIAPROCESS", "us-east-1/iam/aws4_request", getting, "", ""}},
		},
		{
			name:     "keys of the environment, a profile that signs in",
			settings: Settings{Endpoint: "ENDPOINT"}, variables: env,
			file: "[default]\nlogin_session = arn:aws:iam::123456789012:user/b\n", want: []call{get},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			endpoint, calls := service(t)
			for i := 1; i < len(test.variables); i += 2 {
				test.variables[i] = strings.ReplaceAll(test.variables[i], "ENDPOINT", endpoint)
			}
			awsEnvironment(t, strings.ReplaceAll(test.file, "ENDPOINT", endpoint), test.variables...)
			test.settings.Endpoint = strings.ReplaceAll(test.settings.Endpoint, "ENDPOINT", endpoint)
			a, err := Open(t.Context(), test.settings)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.Get(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, *calls, cmp.AllowUnexported(call{})); d != "" {
				t.Error(d)
			}
			if a.Endpoint() != endpoint {
				t.Errorf("endpoint %q", a.Endpoint())
			}
		})
	}
}

func TestOpenFails(t *testing.T) {
	role := "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/Audit\nsource_profile = base\nmfa_serial = m\n" +
		"[profile base]\naws_access_key_id = A\naws_secret_access_key = s\n"
	tests := []struct {
		name      string
		settings  Settings
		file      string
		variables []string
		want      string
	}{
		{name: "no credentials",
			want: `Unable to locate credentials. You can configure credentials by running "aws configure".`},
		{name: "unknown profile", settings: Settings{Profile: "nope"},
			want: "The config profile (nope) could not be found"},
		{name: "unknown profile of the environment", variables: []string{"AWS_PROFILE", "nope"},
			want: "The config profile (nope) could not be found"},
		{name: "plain HTTP", settings: Settings{Endpoint: "http://iam.example.com"},
			want: "the endpoint http://iam.example.com is plain HTTP to another machine"},
		{
			name: "plain HTTP to STS alone", variables: []string{"AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:1",
				"AWS_ENDPOINT_URL_STS", "http://sts.example.com"},
			want: "the endpoint http://sts.example.com is plain HTTP",
		},
		{name: "MFA and no one to ask", settings: Settings{Profile: "p"}, file: role,
			want: "this profile needs an MFA code"},
		{
			name: "no code given",
			settings: Settings{Profile: "p", MFACode: func(string) (string, error) {
				return "", errors.New("no code")
			}}, file: role,
			want: "no code",
		},
		{
			name: "Identity Center", settings: Settings{Profile: "p", Endpoint: "https://iam.example.com"},
			file: "[profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session s]\n" +
				"sso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n",
			want: "this profile signs in at AWS",
		},
		{
			name:     "Identity Center behind a role",
			settings: Settings{Profile: "p", Endpoint: "https://iam.example.com"},
			file: "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = s\n[profile s]\n" +
				"sso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n" +
				"sso_account_id = 123456789012\nsso_role_name = r\n",
			want: "this profile signs in at AWS",
		},
		{name: "no such CA bundle", settings: Settings{CABundle: "/nonexistent/ca.pem"}, want: "read the CA bundle"},
		{name: "broken file", file: "[profile p]\nrole_arn = x\nsource_profile = gone\n",
			settings: Settings{Profile: "p"}, want: "gone"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			awsEnvironment(t, test.file, test.variables...)
			_, err := Open(t.Context(), test.settings)
			var wrong *ConfigError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %T %v, want %q", err, err, test.want)
			}
		})
	}
	t.Run("role refused by the service is the service's error", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, refusal("AssumeRole", 403, "AccessDenied", "no").body)
		}))
		defer server.Close()
		awsEnvironment(t, strings.Replace(role, "mfa_serial = m\n", "", 1))
		_, err := Open(t.Context(), Settings{Profile: "p", Endpoint: server.URL})
		if text, ok := ServiceError(err); !ok ||
			text != "An error occurred (AccessDenied) when calling the AssumeRole operation: no" {
			t.Errorf("%q, %v", text, err)
		}
	})
	t.Run("cancelled is not an error of the configuration", func(t *testing.T) {
		awsEnvironment(t, strings.Replace(role, "mfa_serial = m\n", "", 1))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Open(ctx, Settings{Profile: "p", Endpoint: "http://127.0.0.1:1"})
		var wrong *ConfigError
		if !errors.Is(err, context.Canceled) || errors.As(err, &wrong) {
			t.Error(err)
		}
	})
}

// The SDK would follow a redirect to any host with the signed request: 301 to
// 303 without its body, 307 and 308 with a body that can be read again.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere, calls := service(t)
	awsEnvironment(t,
		"[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n[profile base]\n"+
			"aws_access_key_id = A\naws_secret_access_key = s\n")
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere, status))
		defer server.Close()
		for _, profile := range []string{"base", "p"} {
			a, err := Open(t.Context(), Settings{Profile: profile, Endpoint: server.URL})
			if err == nil {
				_, err = a.Get(t.Context())
			}
			if err == nil {
				t.Errorf("%d, %s: no error", status, profile)
			}
		}
		if len(*calls) > 0 {
			t.Errorf("%d was followed: %v", status, *calls)
		}
	}
}

// The error says that the service is a different one, whatever its status.
func TestAnotherService(t *testing.T) {
	awsEnvironment(t, "", "AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY", "s")
	for _, status := range []int{200, 302, 404, 405, 501} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, "<html><head><meta></head><body>Sign in</body></html>")
		}))
		defer server.Close()
		a, err := Open(t.Context(), Settings{Endpoint: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Get(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "the answer to GetCredentialReport is not one of IAM's: ") ||
			!strings.HasSuffix(err.Error(), "; see --endpoint-url") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	awsEnvironment(t, "", "AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY", "s")
	server := httptest.NewServer(nil)
	server.Close()
	a, err := Open(t.Context(), Settings{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Get(t.Context())
	want := "cannot reach " + server.URL +
		"/: connection refused; start the service, or name another with --endpoint-url"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// The SDK repeats the call after short waits.
	_, refused := net.Dial("tcp", server.Listener.Addr().String())
	for attempt := 1; attempt < 3; attempt++ {
		wait, err := a.iam.Options().Retryer.RetryDelay(attempt, refused)
		if err != nil || wait > 200*time.Millisecond {
			t.Errorf("it waits for %v, %v", wait, err)
		}
	}
}
