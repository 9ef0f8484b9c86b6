package console_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/requestid/requestidtest"
	"rollcall/internal/seal"
	"rollcall/internal/seal/sealtest"
	"rollcall/internal/server"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// world is a running service with one account and a console.
type world struct {
	t       *testing.T
	url     string // http://localhost:PORT
	svc     *service.Service
	iam     *iam.Client // with root's key
	account string
	trail   string
	root    identity.NewAccount
	stop    func()
}

const (
	account      = "123456789012"
	rootPassword = "root's own Secret 1!"
	userPassword = "correct Horse 7 battery"
)

// newWorld starts a service with an account.
func newWorld(t *testing.T, change ...func(*service.Config)) *world {
	t.Helper()
	w := start(t, change...)
	var err error
	w.root, err = w.svc.IAM.CreateAccount(t.Context(), identity.AccountSpec{ID: account, Alias: "example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.svc.IAM.SetRootPassword(t.Context(), account, seal.NewSecret(rootPassword)); err != nil {
		t.Fatal(err)
	}
	w.iam = w.client(w.root.RootKey.ID, w.root.RootKey.Secret.Reveal())
	return w
}

// start starts a service on a store, which may already contain the account.
func start(t *testing.T, change ...func(*service.Config)) *world {
	t.Helper()
	l, err := server.Listen("127.0.0.1:0", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t:       t,
		url:     "http://localhost:" + port,
		account: account,
		trail:   filepath.Join(t.TempDir(), "trail.jsonl"),
	}
	to, err := trail.Open(w.trail)
	if err != nil {
		t.Fatal(err)
	}
	to.LookupTime = time.Minute // also on a machine that has other work
	log, everyLineHasAnID := requestidtest.New(io.Discard)
	t.Cleanup(func() { everyLineHasAnID(t) })
	cfg := service.Config{
		Store: store.Config{Memory: true}, Master: seal.InMemoryMasterKeys(), Trail: to, Derive: sealtest.Derive,
		Report: identity.ReportConfig{
			MaxAge: time.Nanosecond,
		}, Console: true, ConsoleURL: w.url, Log: log,
	}
	for _, f := range change {
		f(&cfg)
	}
	if w.svc, err = service.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l, w.svc.Handler, slog.New(slog.DiscardHandler), time.Second) }()
	w.stop = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := w.svc.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
	return w
}

func (w *world) client(id, secret string) *iam.Client {
	return iam.NewFromConfig(aws.Config{
		BaseEndpoint: &w.url, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
}

// user creates a user with a password and a policy.
func (w *world) user(name, document string) {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
	if err == nil {
		_, err = w.iam.CreateLoginProfile(
			ctx,
			&iam.CreateLoginProfileInput{UserName: &name, Password: aws.String(userPassword)},
		)
	}
	if err == nil && document != "" {
		_, err = w.iam.PutUserPolicy(
			ctx,
			&iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("own"), PolicyDocument: &document},
		)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// person is a browser without a screen. It keeps cookies and sends the origin
// of forms.
type person struct {
	w      *world
	client *http.Client
	jar    *cookiejar.Jar
}

func (w *world) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &person{w: w, jar: jar, client: &http.Client{Jar: jar, Timeout: 2 * time.Minute}}
}

// answer is a received page.
type answer struct {
	status int
	header http.Header
	body   string
	path   string // the final address of the browser
}

func (p *person) do(r *http.Request) answer {
	p.w.t.Helper()
	resp, err := p.client.Do(r)
	if err != nil {
		p.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body), resp.Request.URL.RequestURI()}
}

func (p *person) get(path string) answer {
	p.w.t.Helper()
	r, err := http.NewRequestWithContext(p.w.t.Context(), http.MethodGet, p.w.url+path, nil)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return p.do(r)
}

// form returns the request of a form on a page of the console.
func (p *person) form(path string, fields ...string) *http.Request {
	p.w.t.Helper()
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(
		p.w.t.Context(),
		http.MethodPost,
		p.w.url+path,
		strings.NewReader(values.Encode()),
	)
	if err != nil {
		p.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", p.w.url)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (p *person) post(path string, fields ...string) answer {
	p.w.t.Helper()
	return p.do(p.form(path, fields...))
}

// signedIn returns a browser in which a user is signed in, or root if user is
// "".
func (w *world) signedIn(user string) *person {
	w.t.Helper()
	p := w.person()
	fields := []string{"do", "sign-in", "account", account, "user", user, "password", userPassword}
	if user == "" {
		fields = []string{"do", "sign-in", "account", account, "as", "root", "password", rootPassword}
	}
	if got := p.post("/console/sign-in", fields...); !strings.Contains(got.body, "Sign out") {
		w.t.Fatalf("%q is not signed in: %d %s\n%s", user, got.status, got.path, trouble(got.body))
	}
	return p
}

var troubles = regexp.MustCompile(`(?s)<p class="trouble"[^>]*>(.*?)</p>`)

// trouble returns the sentence on a page that reports an error.
func trouble(body string) string {
	if found := troubles.FindStringSubmatch(body); found != nil {
		return found[1]
	}
	return ""
}

func (a answer) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, trouble(a.body))
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("the page at %s does not say %q (%s)", a.path, text, trouble(a.body))
		}
	}
}

// cookie returns the value of a cookie of the browser, "" for none.
func (p *person) cookie(name string) string {
	p.w.t.Helper()
	at, err := url.Parse(p.w.url)
	if err != nil {
		p.w.t.Fatal(err)
	}
	for _, c := range p.jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// otherAccount creates another account with a user.
func (w *world) otherAccount(id, user string) {
	w.t.Helper()
	other, err := w.svc.IAM.CreateAccount(w.t.Context(), identity.AccountSpec{ID: id})
	if err != nil {
		w.t.Fatal(err)
	}
	client := w.client(other.RootKey.ID, other.RootKey.Secret.Reveal())
	if _, err := client.CreateUser(w.t.Context(), &iam.CreateUserInput{UserName: &user}); err != nil {
		w.t.Fatal(err)
	}
}
