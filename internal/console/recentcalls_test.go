package console_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"rollcall/internal/service"
	"rollcall/internal/trail"
)

var callsSection = regexp.MustCompile(`(?s)<section class="section" id="calls">.*?</section>`)

// calls returns the part of a page that shows recent calls.
func (p *person) calls(path string) string {
	p.w.t.Helper()
	return callsSection.FindString(p.get(path).body)
}

// as sets the User-Agent of a client's calls.
func as(agent string) func(*iam.Options) {
	name := middleware.FinalizeMiddlewareFunc("name", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		in.Request.(*smithyhttp.Request).Header.Set("User-Agent", agent)
		return next.HandleFinalize(ctx, in)
	})
	return iam.WithAPIOptions(func(s *middleware.Stack) error {
		return s.Finalize.Insert(name, "Signing", middleware.Before)
	})
}

// TestRecentCalls checks that the page of a user shows its calls in the trail to
// callers with permission for CloudTrail.
func TestRecentCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.user("bob", "")
	w.user("carol", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}]}`)
	key, err := w.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("bob")})
	if err != nil {
		t.Fatal(err)
	}
	bob := w.client(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
	const hostile = `"><script>alert(1)</script>`
	if _, err := bob.ListGroups(t.Context(), nil, as(hostile)); err == nil {
		t.Fatal("bob may list groups")
	}
	root := w.signedIn("")
	got := root.calls("/console/user?name=bob")
	for _, text := range []string{
		"iam:ListGroups", `<span class="state fail">AccessDenied`, "127.0.0.1", *key.AccessKey.AccessKeyId,
		"&#34;&gt;&lt;script&gt;alert(1)", "The trail begins at 20",
	} {
		if !strings.Contains(got, text) {
			t.Errorf("the calls of bob lack %q:\n%s", text, got)
		}
	}
	if strings.Contains(got, "CreateUser") || strings.Contains(got, "<script") {
		t.Errorf("the calls of bob have what is not his:\n%s", got)
	}
	if record := w.lastRecord("LookupEvents"); !strings.Contains(record, `"eventSource":"cloudtrail.amazonaws.com"`) ||
		!strings.Contains(record, `{"attributeKey":"Username","attributeValue":"bob"}`) ||
		!strings.Contains(record, `"readOnly":true`) || strings.Contains(record, "errorCode") {
		t.Errorf("the record is %s", record)
	}
	// One's own page shows the sign-in and omits reads by pages.
	alice := w.signedIn("alice")
	alice.get("/console/users")
	got = alice.calls("/console/my-credentials")
	if !strings.Contains(got, "signin:ConsoleLogin") || strings.Contains(got, "iam:ListUsers") {
		t.Errorf("the calls of alice:\n%s", got)
	}
	if !strings.Contains(root.calls("/console/my-credentials"), "iam:CreateUser") {
		t.Error("root does not see its calls")
	}
	carol := w.signedIn("carol")
	got = carol.calls("/console/user?name=bob")
	if !strings.Contains(got, "is not authorized to perform: cloudtrail:LookupEvents") ||
		strings.Contains(got, "ListGroups") {
		t.Errorf("carol sees %s", got)
	}
	if record := w.lastRecord("LookupEvents"); !strings.Contains(record, `"errorCode":"AccessDenied"`) {
		t.Errorf("the record is %s", record)
	}
	if got := w.signedIn("bob").calls("/console/user?name=bob"); strings.Contains(got, "<table") {
		t.Errorf("bob, who may not get himself, sees %s", got)
	}
}

// lastRecord returns the last record of an action.
func (w *world) lastRecord(action string) string {
	w.t.Helper()
	text, err := os.ReadFile(w.trail)
	if err != nil {
		w.t.Fatal(err)
	}
	last := ""
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"eventName":"`+action+`"`) {
			last = line
		}
	}
	return last
}

// TestNoCallsOfOtherAccounts creates a user of the same name in two accounts,
// and looks in one for the calls of the other.
func TestNoCallsOfOtherAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", "")
	w.otherAccount("210987654321", "bob")
	// A record of the other account contains the id that bob has here.
	out, err := w.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("bob")})
	if err != nil {
		t.Fatal(err)
	}
	to, err := trail.Open(w.trail)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for _, account := range []string{"210987654321", account} {
		if err := to.Write(&trail.Record{EventName: "In" + account, UserIdentity: trail.Identity{
			Type: trail.IAMUser, AccountID: account, PrincipalID: *out.User.UserId,
		}}); err != nil {
			t.Fatal(err)
		}
	}
	root := w.signedIn("")
	if got := root.calls("/console/user?name=bob"); strings.Contains(got, "210987654321") ||
		!strings.Contains(got, "In"+account) {
		t.Errorf("bob has the calls %s", got)
	}
	root.get("/console/user?name=mallory").want(t, http.StatusNotFound)
}

// TestNoTrailToRead checks the page of a service without a trail.
func TestNoTrailToRead(t *testing.T) {
	t.Parallel()
	pipe := t.TempDir() + "/pipe"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	for _, at := range []string{"off", pipe} {
		to, err := trail.Open(at)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, func(c *service.Config) { c.Trail = to })
		w.user("bob", "")
		if got := w.signedIn("").calls("/console/user?name=bob"); !strings.Contains(got, "No calls can be shown") {
			t.Errorf("%s: %s", at, got)
		}
	}
}

// TestSessionsOfTools checks that a list of sessions contains the session of a
// tool with its kind.
func TestSessionsOfTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p, tl := w.signedIn("alice"), w.tool(sameDevice)
	tl.redeem(p.allow(tl))
	got := p.get("/console/my-credentials")
	if n := strings.Count(got.body, "Tool (aws login), allowed in "); n != 1 {
		t.Errorf("%d tools are listed", n)
	}
	got.want(t, http.StatusOK, "This browser: ")
}
