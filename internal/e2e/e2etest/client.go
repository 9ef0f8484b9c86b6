package e2etest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"rollcall/internal/sdkhttp"
	"rollcall/internal/sigv4/sigv4test"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Account is the output of 'rollcall account create'.
type Account struct {
	AccountID       string `json:"AccountId"`
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	// SessionToken is that of temporary credentials.
	SessionToken string `json:"-"`
}

// Key is an access key that a client signs with.
type Key struct{ ID, Secret string }

func (a Account) Root() Key { return Key{a.AccessKeyID, a.SecretAccessKey} }

// Transport returns a separate HTTP client, so that killed nodes leave no
// connections behind that could break another test.
func Transport(t testing.TB) *http.Client {
	tr := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: sdkhttp.Transport(tr), Timeout: 2 * time.Minute}
}

// SharedClient serves calls of many keys.
var SharedClient = &http.Client{Transport: sdkhttp.Transport(&http.Transport{MaxIdleConnsPerHost: 16}),
	Timeout: 60 * time.Second}

// Config returns the configuration of the AWS SDK for a service at url. The
// client tries only once, so a result belongs to one request.
func Config(url string, k Key, client *http.Client) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func (p *Process) IAM(k Key) *iam.Client {
	return iam.NewFromConfig(Config(p.URL, k, Transport(p.t)))
}

func (p *Process) STS(k Key) *sts.Client {
	return sts.NewFromConfig(Config(p.URL, k, Transport(p.t)))
}

// Signs reports whether a key is accepted.
func Signs(ctx context.Context, url string, k Key, client *http.Client) error {
	return SignsWith(ctx, Config(url, k, client))
}

func SignsWith(ctx context.Context, cfg aws.Config) error {
	_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

// Get reads a page of the admin listener.
func Get(t testing.TB, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// Answered reports whether an error is the service's own, and not that of a
// connection that broke when the service was killed.
func Answered(err error) bool {
	_, ok := ErrorCode(err)
	return ok
}

func ErrorCode(err error) (string, bool) {
	var api interface{ ErrorCode() string }
	if errors.As(err, &api) {
		return api.ErrorCode(), true
	}
	return "", false
}

// CreateKey creates a user with an access key.
func CreateKey(t *testing.T, node *Process, a Account, name string) Key {
	t.Helper()
	client := node.IAM(a.Root())
	if _, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	out, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return Key{ID: *out.AccessKey.AccessKeyId, Secret: *out.AccessKey.SecretAccessKey}
}

// IdentityOf returns the ARN that a key belongs to.
func IdentityOf(t *testing.T, client *sts.Client) string {
	t.Helper()
	out, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Arn
}

func CodeOf(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := ErrorCode(err); ok {
		return api
	}
	return err.Error()
}

// Report waits until the report is complete and returns it.
func Report(t *testing.T, node *Process, acc Account) *iam.GetCredentialReportOutput {
	t.Helper()
	client := node.IAM(acc.Root())
	for end := time.Now().Add(10 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		generated, err := client.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
		if err != nil {
			t.Fatal(err)
		}
		if generated.State == types.ReportStateTypeComplete {
			break
		}
		if time.Now().After(end) {
			node.dump()
			t.Fatalf("the report is still %s", generated.State)
		}
	}
	out, err := client.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// SendHalf sends a request up to the middle of its body.
func SendHalf(t *testing.T, node *Process, k Key, body string) (c net.Conn, rest string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, node.URL+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sigv4test.Sign(r, []byte(body), sigv4test.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret}, "us-east-1",
		"iam", time.Now())
	c, err = net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n", r.URL.Host,
		len(body))
	_ = r.Header.Write(c)
	if _, err := io.WriteString(c, "\r\n"); err != nil {
		t.Fatal(err)
	}
	// The service requests the body when it is about to read it.
	const asked = "HTTP/1.1 100 Continue\r\n\r\n"
	got := make([]byte, len(asked))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != asked {
		t.Fatalf("before the body the service said %q, %v", got, err)
	}
	if _, err := io.WriteString(c, body[:10]); err != nil {
		t.Fatal(err)
	}
	return c, body[10:]
}

// ClientEnvironment returns the environment of an AWS client: an account's root
// key, a region, and nothing of the person who runs the tests.
func ClientEnvironment(home string, acc Account) map[string]string {
	env := map[string]string{
		"HOME": home, "AWS_ACCESS_KEY_ID": acc.AccessKeyID, "AWS_SECRET_ACCESS_KEY": acc.SecretAccessKey,
		"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
		"TZ": "UTC", "LC_ALL": "C.UTF-8",
		"COLUMNS": "200",
	}
	// Pythons that pyenv manages need to know its directory.
	if root := os.Getenv("PYENV_ROOT"); root != "" {
		env["PYENV_ROOT"] = root
	}
	return env
}
