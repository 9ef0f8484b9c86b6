package console_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"rollcall/internal/seal"
	"rollcall/internal/signin"
)

const (
	sameDevice  = "arn:aws:signin:::devtools/same-device"
	crossDevice = "arn:aws:signin:::devtools/cross-device"
	callback    = "http://127.0.0.1:53037/oauth/callback"
)

// tool is a program that signs in as the AWS CLI does, request by request.
type tool struct {
	w        *world
	endpoint string
	client   string
	redirect string
	state    string
	verifier string
	key      *ecdsa.PrivateKey
}

func (w *world) tool(client string) *tool {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	tl := &tool{w: w, endpoint: w.url, client: client, redirect: callback, state: "5f9f6b0e-2d7c-4a63-8a75-0b7b5b0f4c11",
		verifier: rand.Text() + rand.Text(), key: key}
	if client == crossDevice {
		tl.redirect = w.url + "/v1/sessions/confirmation"
	}
	return tl
}

// path returns the page that the tool opens in the browser.
func (tl *tool) path() string {
	digest := sha256.Sum256([]byte(tl.verifier))
	return "/v1/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {tl.client}, "state": {tl.state}, "code_challenge_method": {"SHA-256"},
		"scope": {"openid"}, "redirect_uri": {tl.redirect}, "code_challenge": {b64(digest[:])},
	}.Encode()
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwt returns a proof of possession after change has modified it.
func (tl *tool) jwt(change func(head, claims map[string]any)) string {
	tl.w.t.Helper()
	pad := make([]byte, 32)
	head := map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": map[string]any{
		"kty": "EC", "crv": "P-256", "x": b64(tl.key.X.FillBytes(pad)), "y": b64(tl.key.Y.FillBytes(make([]byte, 32))),
	}}
	claims := map[string]any{"htm": "POST", "htu": tl.endpoint + "/v1/token", "iat": time.Now().Unix(), "jti": rand.Text()}
	if change != nil {
		change(head, claims)
	}
	text := func(v any) string {
		j, err := json.Marshal(v)
		if err != nil {
			tl.w.t.Fatal(err)
		}
		return b64(j)
	}
	signed := text(head) + "." + text(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, tl.key, digest[:])
	if err != nil {
		tl.w.t.Fatal(err)
	}
	return signed + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// tokens holds the answer of the token endpoint, a success or an error.
type tokens struct {
	status      int
	errorType   string
	Error       string
	Message     string
	AccessToken struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	TokenType   string
	ExpiresIn   int

	RefreshToken, IDToken string
}

func (tl *tool) send(body map[string]string, proofs ...string) tokens {
	tl.w.t.Helper()
	j, err := json.Marshal(body)
	if err != nil {
		tl.w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(tl.w.t.Context(), http.MethodPost, tl.endpoint+"/v1/token", bytes.NewReader(j))
	if err != nil {
		tl.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "aws-cli/2.36.7 md/command#login")
	r.Header["Dpop"] = proofs
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		tl.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	out := tokens{status: resp.StatusCode, errorType: resp.Header.Get("X-Amzn-Errortype")}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil || resp.Header.Get("Content-Type") != "application/json" {
		tl.w.t.Fatalf("%v: %s", err, text)
	}
	return out
}

func (tl *tool) redeemBody(code string) map[string]string {
	return map[string]string{"clientId": tl.client, "grantType": "authorization_code", "code": code,
		"codeVerifier": tl.verifier, "redirectUri": tl.redirect}
}

func (tl *tool) redeem(code string) tokens {
	tl.w.t.Helper()
	return tl.send(tl.redeemBody(code), tl.jwt(nil))
}

func (tl *tool) refreshBody(token string) map[string]string {
	return map[string]string{"clientId": tl.client, "grantType": "refresh_token", "refreshToken": token}
}

func (tl *tool) refresh(token string) tokens {
	tl.w.t.Helper()
	return tl.send(tl.refreshBody(token), tl.jwt(nil))
}

// allow lets a person allow a tool's request, and returns the code.
func (p *person) allow(tl *tool) string {
	p.w.t.Helper()
	at := p.allowed(tl)
	if tl.client == crossDevice {
		body := p.get("/v1/sessions/confirmation")
		text, err := base64.StdEncoding.DecodeString(secretOf(body.body))
		if err != nil {
			p.w.t.Fatalf("%v: %s", err, body.body)
		}
		at, err = url.Parse("?" + string(text))
		if err != nil {
			p.w.t.Fatal(err)
		}
	}
	if at.Query().Get("state") != tl.state || at.Query().Get("code") == "" {
		p.w.t.Fatalf("came to %s", at)
	}
	return at.Query().Get("code")
}

var shownCodes = regexp.MustCompile(`<code id="code">([^<]*)</code>`)

func secretOf(body string) string {
	found := shownCodes.FindStringSubmatch(body)
	if found == nil {
		return ""
	}
	return strings.ReplaceAll(found[1], "&#43;", "+")
}

// allowed returns the redirect of the consent form.
func (p *person) allowed(tl *tool) *url.URL {
	p.w.t.Helper()
	stay := *p.client
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := stay.Do(p.form(tl.path(), "do", "allow"))
	if err != nil {
		p.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		p.w.t.Fatalf("consent: %d %v %s", resp.StatusCode, err, trouble(string(body)))
	}
	at, err := resp.Location()
	if err != nil {
		p.w.t.Fatal(err)
	}
	return at
}

// works returns the ARN that the credentials act as. If they do not work, it
// returns "" and the error's code.
func (tk tokens) works(w *world) (arn, code string) {
	w.t.Helper()
	out, err := tk.sts(w).GetCallerIdentity(w.t.Context(), &sts.GetCallerIdentityInput{})
	if code := failureCode(err); code != "" {
		return "", code
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.Arn, ""
}

// failureCode returns the code of an error of the API, "" for other errors.
func failureCode(err error) string {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.ErrorCode()
}

func (tk tokens) config(w *world) aws.Config {
	return aws.Config{BaseEndpoint: &w.url, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(tk.AccessToken.AccessKeyID, tk.AccessToken.SecretAccessKey,
			tk.AccessToken.SessionToken)}
}

func (tk tokens) sts(w *world) *sts.Client { return sts.NewFromConfig(tk.config(w)) }
func (tk tokens) iam(w *world) *iam.Client { return iam.NewFromConfig(tk.config(w)) }

// refused checks the error answer, and that it contains no credentials.
func (tk tokens) refused(t *testing.T, what string, status int, errorType, code string) {
	t.Helper()
	if tk.status != status || tk.errorType != errorType || tk.Error != code || tk.Message == "" ||
		tk.AccessToken.AccessKeyID != "" {
		t.Errorf("%s: %d %s %s %q, want %d %s %s", what, tk.status, tk.errorType, tk.Error, tk.Message, status,
			errorType, code)
	}
}

const (
	validation   = "ValidationException"
	accessDenied = "AccessDeniedException"
	invalid      = "INVALID_REQUEST"
)

// session opens the session of a browser's cookie.
func (w *world) session(cookie string) (*signin.Session, error) {
	return w.svc.SignIn.Open(w.t.Context(), seal.NewSecret(cookie))
}

// records returns all records of the trail, and its text.
func (w *world) records() (all []map[string]any, text string) {
	w.t.Helper()
	b, err := os.ReadFile(w.trail)
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var rec map[string]any
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all, string(b)
}
