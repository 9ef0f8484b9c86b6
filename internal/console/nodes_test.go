package console_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// installation is a store that several consoles share.
type installation struct {
	t      *testing.T
	change func(*service.Config)
	first  *world
	skew   atomic.Int64 // offset of the clock, in nanoseconds
}

func newInstallation(t *testing.T, at store.Config) *installation {
	t.Helper()
	in := &installation{t: t}
	master := seal.InMemoryMasterKeys()
	at.Now = func() time.Time { return time.Now().Add(time.Duration(in.skew.Load())) }
	in.change = func(cfg *service.Config) { cfg.Store, cfg.Master = at, master }
	in.first = newWorld(t, in.change)
	return in
}

// node starts another console.
func (in *installation) node() *world {
	w := start(in.t, in.change)
	w.root, w.iam = in.first.root, in.first.iam
	return w
}

// at returns the same browser at another node.
func (p *person) at(w *world) *person { return &person{w: w, client: p.client, jar: p.jar} }

// open says whether the browser is signed in.
func (p *person) open() bool {
	p.w.t.Helper()
	got := p.get("/console/my-credentials")
	if got.status != http.StatusOK {
		p.w.t.Fatalf("status %d", got.status)
	}
	return got.path == "/console/my-credentials"
}

// signIn sends the password of a user and returns the answer.
func (p *person) signIn(user, password string) answer {
	p.w.t.Helper()
	return p.post("/console/sign-in", "do", "sign-in", "account", account, "user", user, "password", password)
}

// TestNodes uses one browser with two nodes. Each step of signing in works at
// either node. A session that ends at one node ends at both.
func TestNodes(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, storetest.Postgres(t))
	one, two := in.first, in.node()
	one.user("alice", everything)
	seed, serial := one.device("alice"), "arn:aws:iam::"+account+":mfa/alice"
	here := one.person()
	there := here.at(two)
	if got := here.signIn("alice", userPassword); !strings.HasPrefix(got.path, "/console/sign-in/mfa") {
		t.Fatalf("came to %s: %s", got.path, trouble(got.body))
	}
	step := here.cookie("rollcall-step")
	code := one.code(seed, 0)
	there.post("/console/sign-in/mfa", "do", "code", "serial", serial, "code", code).want(t, http.StatusOK, "Sign out")
	if !here.open() || !there.open() {
		t.Error("the session is not open at both nodes")
	}
	// The step and the code do not work a second time on any node.
	for _, w := range []*world{one, two} {
		r := w.person().form("/console/sign-in/mfa", "do", "code", "serial", serial, "code", code)
		r.Header.Set("Cookie", "rollcall-step="+step)
		if got := w.person().do(r); strings.Contains(got.body, "Sign out") {
			t.Error("one step lets two in")
		}
	}
	there.post("/console/users/new", "do", "create", "name", "bob").want(t, http.StatusOK, "bob")
	here.get("/console/user?name=bob").want(t, http.StatusOK, "bob")
	cookie := here.cookie("rollcall")
	here.post("/console/sign-out", "do", "sign-out").want(t, http.StatusOK, "You are signed out.")
	r := there.form("/console/my-credentials")
	r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0
	r.Header.Set("Cookie", "rollcall="+cookie)
	if got := two.person().do(r); !strings.HasPrefix(got.path, "/console/sign-in") {
		t.Errorf("after signing out at one node the other one shows %s", got.path)
	}
}

// TestSessionEndsAtTheOtherNode ends sessions at one node in every possible way,
// and then asks the other node.
func TestSessionEndsAtTheOtherNode(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, storetest.Postgres(t))
	one, two := in.first, in.node()
	const next = "another Horse 8 battery"
	for what, end := range map[string]func(t *testing.T, name string) error{
		"password-set": func(t *testing.T, name string) error {
			_, err := one.iam.UpdateLoginProfile(t.Context(),
				&iam.UpdateLoginProfileInput{UserName: &name, Password: aws.String(next)})
			return err
		},
		"password-changed": func(t *testing.T, name string) error {
			own := one.signedIn(name)
			own.post("/console/my-credentials", "do", "change-password", "old", userPassword, "new", next, "again", next).
				want(t, http.StatusOK, "Your password is changed.")
			if !own.at(two).open() {
				t.Error("the session that changed the password ended too")
			}
			return nil
		},
		"profile-deleted": func(t *testing.T, name string) error {
			_, err := one.iam.DeleteLoginProfile(t.Context(), &iam.DeleteLoginProfileInput{UserName: &name})
			return err
		},
		"user-deleted": func(t *testing.T, name string) error {
			one.signedIn("").post("/console/user?name="+name, "do", "delete", "typed", name).want(t, http.StatusOK)
			return nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			one.user(what, everything)
			p := two.signedIn(what)
			if !p.at(one).open() || !p.open() {
				t.Fatal("not signed in")
			}
			if err := end(t, what); err != nil {
				t.Fatal(err)
			}
			if p.open() || p.at(one).open() {
				t.Error("the session continues")
			}
		})
	}
}

// TestRestartAmidSignIn ends the service between the password and the code. The
// next service accepts the code.
func TestRestartAmidSignIn(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]store.Config{"sqlite": storetest.SQLite(t), "postgres": storetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			in := newInstallation(t, at)
			in.first.user("alice", everything)
			seed := in.first.device("alice")
			p := in.first.person()
			p.signIn("alice", userPassword).want(t, http.StatusOK, "Code of an authenticator app")
			in.first.stop()
			p = p.at(in.node())
			p.post("/console/sign-in/mfa", "do", "code", "serial", "arn:aws:iam::"+account+":mfa/alice",
				"code", in.first.code(seed, 0)).want(t, http.StatusOK, "Sign out")
			p.w.stop()
			if p = p.at(in.node()); !p.open() {
				t.Error("the session ended with the service")
			}
		})
	}
}

// TestClockSteps moves the clock back and forth during a session. The session
// may end, but a user with the password can sign in again.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, storetest.Postgres(t))
	one, two := in.first, in.node()
	one.user("alice", everything)
	p := one.signedIn("alice")
	for _, step := range []struct {
		by   time.Duration
		open bool
	}{{-time.Second, true}, {30 * time.Minute, true}, {-2 * time.Hour, false}, {24 * time.Hour, false}} {
		in.skew.Add(int64(step.by))
		if got := p.at(two).open(); got != step.open {
			t.Errorf("after a step of %v the session is open: %v", step.by, got)
		}
		if !step.open {
			p = two.signedIn("alice")
		}
		if !p.at(one).open() {
			t.Errorf("after a step of %v nobody can sign in", step.by)
		}
	}
}
