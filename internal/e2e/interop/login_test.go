//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

const (
	davePassword = "Correct-horse-1"
	daveARN      = "user/Dave"
)

// tools are clients of Dave, who has signed in with aws login.
type tools struct {
	account
	home string
	aws  string // the AWS CLI 2
}

func newTools(t *testing.T) tools {
	cli := filepath.Join(client(t, "awscli-login"), "bin", "aws")
	a := newAccount(t)
	a.people(t)
	_, err := a.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{
		UserName: aws.String("Dave"), PolicyArn: aws.String("arn:aws:iam::aws:policy/SignInLocalDevelopmentAccess"),
	})
	if err == nil {
		_, err = a.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{
			UserName: aws.String("Dave"), PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMFullAccess"),
		})
	}
	e2etest.Must(t, err)
	home := t.TempDir()
	// Only the endpoint is configured.
	a.env = []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "AWS_ENDPOINT_URL=" + a.url, "AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1", // boto3 knows no other
		"BROWSER=true", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
	}
	return tools{account: a, home: home, aws: cli}
}

// person is a browser without a screen, in which Dave signs in.
type person struct {
	t      *testing.T
	client *http.Client
}

func newPerson(t *testing.T) person {
	jar, err := cookiejar.New(nil)
	e2etest.Must(t, err)
	return person{t, &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (p person) read(resp *http.Response, err error) (at *url.URL, body string) {
	p.t.Helper()
	e2etest.Must(p.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	e2etest.Must(p.t, err)
	return resp.Request.URL, string(text)
}

func (p person) post(to string, form url.Values) (at *url.URL, body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	e2etest.Must(p.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return p.read(p.client.Do(r))
}

// allow opens the address that the tool asks for, signs in Dave and consents.
func (p person) allow(account, address string) (body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	e2etest.Must(p.t, err)
	at, body := p.read(p.client.Do(r))
	if to := at.Query().Get("to"); to != "" {
		at, body = p.post(at.String(), url.Values{
			"do": {"sign-in"}, "account": {account}, "user": {"Dave"}, "password": {davePassword}, "to": {to},
		})
	}
	if at.Path != "/v1/authorize" || !strings.Contains(body, daveARN) {
		p.t.Fatalf("no page of consent at %s: %s", at, body)
	}
	_, body = p.post(at.String(), url.Values{"do": {"allow"}})
	return body
}

var shownCode = regexp.MustCompile(`<code id="code">([^<]*)</code>`)

// login runs aws login with a person who allows the request. change may change
// the code before it is typed.
func (c tools) login(t *testing.T, change func(string) string, args ...string) (said string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.aws, append([]string{"login"}, args...)...)
	cmd.Dir, cmd.Env = c.dir, append(c.env, "PYTHONUNBUFFERED=1")
	in, err := cmd.StdinPipe()
	e2etest.Must(t, err)
	out, err := cmd.StdoutPipe()
	e2etest.Must(t, err)
	var all, trouble bytes.Buffer
	cmd.Stderr = &trouble
	e2etest.Must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		fmt.Fprintln(&all, line)
		if !strings.HasPrefix(line, c.url+"/v1/authorize?") {
			continue
		}
		body := newPerson(t).allow(c.AccountID, line)
		if code := shownCode.FindStringSubmatch(body); code != nil {
			fmt.Fprintln(in, change(strings.ReplaceAll(code[1], "&#43;", "+")))
		}
	}
	err = cmd.Wait()
	return all.String() + trouble.String(), err
}

func same(code string) string { return code }

// expire makes the cached credentials an hour old, and returns their key.
func (c tools) expire(t *testing.T) (keyID string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.home, ".aws/login/cache/*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	e2etest.Must(t, err)
	var kept map[string]any
	e2etest.Must(t, json.Unmarshal(text, &kept))
	token := kept["accessToken"].(map[string]any)
	token["expiresAt"] = time.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	text, err = json.Marshal(kept)
	e2etest.Must(t, err)
	e2etest.Must(t, os.WriteFile(files[0], text, 0o600))
	return token["accessKeyId"].(string)
}

// TestAWSLogin runs aws login of the real AWS CLI 2, and the following calls.
func TestAWSLogin(t *testing.T) {
	c := newTools(t)
	said, err := c.login(t, same)
	if err != nil || !strings.Contains(said, daveARN) {
		t.Fatalf("aws login: %v\n%s", err, said)
	}
	t.Log(said)
	works := func(name string, args ...string) {
		t.Helper()
		before := c.expire(t)
		out := c.run(t, name, args...)
		if !strings.Contains(out, "Dave") {
			t.Errorf("%s says %s", name, out)
		}
		if c.expire(t) == before {
			t.Errorf("%s did not refresh", name)
		}
	}
	works(c.aws, "sts", "get-caller-identity")
	works(c.aws, "iam", "get-user")
	out := c.run(t, c.aws, "iam", "generate-credential-report")
	if !strings.Contains(out, "STARTED") && !strings.Contains(out, "COMPLETE") {
		t.Error(out)
	}
	python := filepath.Join(client(t, "boto3-login"), "bin", "python")
	works(python, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])")
	works(e2etest.Binary, "report")

	// Another password ends it, and the CLI reports that.
	_, err = c.iam.UpdateLoginProfile(t.Context(), &iam.UpdateLoginProfileInput{
		UserName: aws.String("Dave"), Password: aws.String("Correct-horse-2"),
	})
	e2etest.Must(t, err)
	c.expire(t)
	cmd := exec.Command(c.aws, "sts", "get-caller-identity")
	cmd.Dir, cmd.Env = c.dir, c.env
	text, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "password") || !strings.Contains(string(text), "aws login") {
		t.Errorf("after the password changed: %v %s", err, text)
	}
	t.Logf("%s", text)
}

// TestAWSLoginRemote does the same with a code that a person copies, and with
// one that was used before.
func TestAWSLoginRemote(t *testing.T) {
	c := newTools(t)
	var used string
	said, err := c.login(t, func(code string) string { used = code; return code }, "--remote")
	if err != nil || !strings.Contains(said, daveARN) {
		t.Fatalf("aws login --remote: %v\n%s", err, said)
	}
	before := c.expire(t)
	out := c.run(t, c.aws, "sts", "get-caller-identity")
	if !strings.Contains(out, "Dave") || c.expire(t) == before {
		t.Error(out)
	}
	said, err = c.login(t, func(string) string { return used }, "--remote")
	if err == nil || !strings.Contains(said, "does not match") {
		t.Errorf("a code of another login: %v %s", err, said)
	}
}
