package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/fleet"
	"rollcall/internal/service"
)

// userCount counts the users of the account.
func (w *world) userCount() int {
	w.t.Helper()
	out, err := w.iam.ListUsers(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(out.Users)
}

// TestForeignForms sends a form that would create a user from every place
// except a page of the console.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signedIn("")
	for _, c := range []struct{ name, origin, site string }{
		{"cross-site form", "https://evil.example", "cross-site"},
		{"another port", "http://localhost:1", "same-site"},
		{"fetch without CORS", "https://evil.example", "cross-site"},
		{"sandboxed frame", "null", "cross-site"},
		{"old browser", "https://evil.example", ""},
		{"old browser, sandboxed frame", "null", ""},
		{"no headers", "", ""},
		{"typed address", "", "none"},
	} {
		r := p.form("/console/users/new", "do", "create", "name", "mallory")
		r.Header.Del("Origin")
		r.Header.Del("Sec-Fetch-Site")
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		got, want := p.do(r), http.StatusForbidden
		if c.site == "none" {
			want = http.StatusOK // the request does not come from a page
			w.iam.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("mallory")})
		}
		if got.status != want {
			t.Errorf("%s: status %d, want %d", c.name, got.status, want)
		}
		if n := w.userCount(); n != 0 {
			t.Errorf("%s created a user", c.name)
		}
	}
	r := p.form("/console/users/new", "do", "create", "name", "mallory")
	r.Method = http.MethodPut
	if got := p.do(r); got.status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: status %d", got.status)
	}
}

// TestNothingByGET sends the fields of every form by GET.
func TestNothingByGET(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", "")
	p := w.signedIn("")
	for _, do := range []string{
		"/console/users/new?do=create&name=mallory", "/console/user?name=alice&do=delete&typed=alice",
		"/console/user?name=alice&do=create-key", "/console/user?name=alice&do=delete-password&typed=alice",
		"/console/sign-out?do=sign-out", "/console/my-credentials?do=create-key",
	} {
		p.get(do)
	}
	if n := w.userCount(); n != 1 {
		t.Errorf("there are %d users", n)
	}
	keys, err := w.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("alice")})
	if err != nil || len(keys.AccessKeyMetadata) != 0 {
		t.Errorf("alice has keys %v, %v", keys, err)
	}
	p.get("/console/users").want(t, http.StatusOK, "alice")
	w.signedIn("alice")
}

// TestForeignHosts sends requests to host names that resolve to this service
// but are not its own.
func TestForeignHosts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url  string
		host string
		want int
	}{
		{"http://localhost:8585", "localhost:8585", 200},
		{"http://localhost:8585", "127.0.0.1:9000", 200},
		{"http://localhost:8585", "[::1]:8585", 200},
		{"http://localhost:8585", "evil.example:8585", 421},
		{"http://localhost:8585", "localhost.evil.example", 421},
		{"", "127.0.0.1", 200},
		{"", "iam.example", 421},
		{"https://iam.example", "iam.example", 200},
		{"https://iam.example", "IAM.EXAMPLE", 200},
		{"https://iam.example", "localhost:8585", 421},
		{"https://iam.example", "evil.example", 421},
		{"https://iam.example", "iam.example:444", 421},
		{"https://iam.example:8443", "iam.example:8443", 200},
		{"https://iam.example:8443", "iam.example", 421},
	} {
		w := newWorld(t, func(cfg *service.Config) { cfg.ConsoleURL, cfg.ConsoleHosts = c.url, []string{"allowed"} })
		for host, want := range map[string]int{c.host: c.want, "allowed:1": 200} {
			p := w.person()
			r := p.form("/console/sign-in")
			r.Method, r.Body, r.ContentLength, r.Host = http.MethodGet, nil, 0, host
			if got := p.do(r); got.status != want {
				t.Errorf("%q at %q: status %d, want %d", host, c.url, got.status, want)
			}
		}
	}
}

// TestFixation signs in with a browser in which somebody else has set a cookie.
func TestFixation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.user("mallory", everything)
	mallory := w.signedIn("mallory")
	planted := mallory.cookie("rollcall")
	at, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	victim := w.person()
	victim.jar.SetCookies(at, []*http.Cookie{{Name: "rollcall", Value: planted, Path: "/"}})
	victim.post("/console/sign-in", "do", "sign-in", "account", account, "user", "alice", "password", userPassword).
		want(t, http.StatusOK, "alice")
	if got := victim.cookie("rollcall"); got == planted || got == "" {
		t.Error("the old cookie is still the session's")
	}
	if got := mallory.get("/console/users"); !strings.HasPrefix(got.path, "/console/sign-in") {
		t.Errorf("the session that was planted sees %s", got.path)
	}

	// Two cookies with one name count as none.
	both := w.person()
	r := both.form("/console/users")
	r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0
	r.Header.Set("Cookie", "rollcall="+victim.cookie("rollcall")+"; rollcall="+planted)
	if got := both.do(r); !strings.HasPrefix(got.path, "/console/sign-in") {
		t.Errorf("two cookies see %s", got.path)
	}
}

// TestCookies checks the attributes of the cookies.
func TestCookies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, want string }{
		{"https://localhost:1", "__Host-rollcall=; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"http://localhost:1", "rollcall=; Path=/; HttpOnly; SameSite=Lax"},
	} {
		w := newWorld(t, func(cfg *service.Config) { cfg.ConsoleURL = c.url })
		p := w.person()
		p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		got := p.post("/console/sign-in", "do", "sign-in", "account", account, "as", "root", "password", rootPassword)
		said := ""
		for _, cookie := range got.header.Values("Set-Cookie") {
			name, rest, _ := strings.Cut(cookie, "=")
			value, attributes, _ := strings.Cut(rest, ";")
			if strings.HasSuffix(name, "rollcall") && len(value) >= 32 {
				said = name + "=;" + attributes
			}
		}
		if said != c.want {
			t.Errorf("under %s the cookie is %q, want %q", c.url, said, c.want)
		}
	}
}

// TestOtherAccounts uses a cookie of one account to read and change another.
func TestOtherAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.otherAccount("210987654321", "bob")
	p := w.signedIn("")
	p.get("/console/user?name=bob").want(t, http.StatusNotFound)
	p.post("/console/user?name=bob", "do", "delete", "typed", "bob").want(t, http.StatusNotFound)
	if got := p.get("/console/users"); strings.Contains(got.body, "bob") {
		t.Error("a user of another account is listed")
	}
}

// TestDestinations signs in with return addresses that are not pages of the
// console.
func TestDestinations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for to, want := range map[string]string{
		"/console/users/new":    "/console/users/new",
		"https://evil.example/": "/console/overview", "//evil.example": "/console/overview",
		"/\\evil.example": "/console/overview", "javascript:alert(1)": "/console/overview",
		"/console/../evil":                  "/console/overview",
		"/console/users\r\nSet-Cookie: a=b": "/console/overview", "https://evil.example/console/users": "/console/overview",
		"/console/sign-out": "/console/overview", "": "/console/overview", "/?Action=ListUsers": "/console/overview",
	} {
		p := w.person()
		got := p.post("/console/sign-in", "do", "sign-in", "account", account, "as", "root",
			"password", rootPassword, "to", to)
		if got.path != want {
			t.Errorf("%q leads to %s, want %s", to, got.path, want)
		}
	}
}

// TestRoleDestinations switches to a role with addresses to show next that are
// not pages of the console.
func TestRoleDestinations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.accessRole(w.iam, "iam:*")
	for to, want := range map[string]string{
		"/console/users": "/console/users", "https://evil.example/": "/console/overview", "": "/console/overview",
		"//evil.example": "/console/overview", "/console/sign-out": "/console/overview",
	} {
		got := w.signedIn("alice").post("/console/role?to="+url.QueryEscape(to), "do", "switch", "account", account,
			"role", fleet.DefaultRole)
		if got.path != want {
			t.Errorf("%q leads to %s, want %s", to, got.path, want)
		}
	}
}

// TestOddPasswords signs in with characters that no keyboard has.
func TestOddPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", "")
	for _, password := range []string{
		"", strings.Repeat("x", 4096), "\xff\xfe\x00", "p\u0000w", strings.Repeat("é", 128),
	} {
		p := w.person()
		got := p.post("/console/sign-in", "do", "sign-in", "account", account, "user", "alice", "password", password)
		got.want(t, http.StatusForbidden, "Your authentication information is incorrect. Please try again.")
		wellMade(t, got, http.StatusForbidden)
	}
	p := w.person()
	got := p.post("/console/sign-in", "do", "sign-in", "password", strings.Repeat("x", 1<<20))
	if got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of a megabyte: status %d", got.status)
	}
}

// TestStoredMarkup creates names, paths and tags that contain markup, and checks
// every page that shows them.
func TestStoredMarkup(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	br := w.browse(t)
	br.signIn("", rootPassword)
	addresses := []string{
		"/console/user?name=" + url.QueryEscape(markup),
		"/console/sign-in?to=" + url.QueryEscape(markup) + "&account=" + url.QueryEscape(markup),
		"/console/role?account=" + url.QueryEscape(markup) + "&name=" + url.QueryEscape(markup),
		"/console/users?marker=" + url.QueryEscape(markup), "/console/groups?path=" + url.QueryEscape(markup),
		"/console/may?name=" + url.QueryEscape(markup) + "&action=" + url.QueryEscape(markup) + "&key=" +
			url.QueryEscape(markup) + "&type=string&value=" + url.QueryEscape(markup),
	}
	for _, p := range visited {
		if !p.stranger && p.status == 0 {
			addresses = append(addresses, p.path+p.query)
		}
	}
	for _, address := range addresses {
		br.open(address)
		if n := eval[int](br, `document.querySelectorAll("img, script:not([src])").length`); n != 0 {
			t.Errorf("%s has %d elements that nobody wrote", address, n)
		}
	}
	br.Expect("status of 404") // there is no such name
}
