package enrich

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/audit"
	"rollcall/internal/history"
)

// TestDenied checks that a denied action only costs its own kind of facts, and one
// call.
func TestDenied(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	people(t, c)
	for action, want := range map[string][]Kind{
		"ListUsers": Kinds, "ListVirtualMFADevices": {MFA}, "ListMFADevices": {MFA}, "ListAccessKeys": {Keys},
		"ListUserTags": {Tags}, "ListSSHPublicKeys": {ServiceCredentials},
		"ListServiceSpecificCredentials": {ServiceCredentials},
	} {
		seen.deny = map[string]string{action: "AccessDenied"}
		seen.n = 0
		got := mustRead(t, Reading{Kinds: Kinds, Concurrency: 1}, c)
		if len(got.Missing) != len(want) || !strings.Contains(Missing(got), "AccessDenied") {
			t.Errorf("%s: %s", action, Missing(got))
		}
		for _, k := range want {
			if got.Missing[string(k)] == "" || k.known(ptr(got.Users["Bob"])) && action != "ListVirtualMFADevices" {
				t.Errorf("%s: %s: %+v", action, k, got.Users["Bob"])
			}
		}
		if got.RootVirtualMFA != audit.Unknown && got.Missing[string(MFA)] != "" {
			t.Errorf("%s: root's MFA is %v", action, got.RootVirtualMFA)
		}
		if users := 25; seen.n > 2+5*users-(users-1) && action != "ListUsers" && action != "ListVirtualMFADevices" {
			t.Errorf("%s: %d calls", action, seen.n)
		}
	}
}

// TestGone checks that a user who was deleted after the list is not an error.
func TestGone(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	people(t, c)
	seen.deny = map[string]string{"ListAccessKeys": "NoSuchEntity"}
	if got := mustRead(t, Reading{Kinds: Kinds}, c); len(got.Users) != 0 || Missing(got) != "" {
		t.Errorf("%+v", got)
	}
}

// TestFailures checks that the calls of a few users may fail without a loss for the
// others, and that many failures end the reading.
func TestFailures(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	people(t, c)
	seen.deny = map[string]string{"ListAccessKeys user-b": "InvalidInput"}
	got := mustRead(t, Reading{Kinds: []Kind{Keys, Tags}}, c)
	if !strings.HasPrefix(got.Missing["keys"], "1 of 25 users: ") ||
		!strings.HasPrefix(got.Missing["tags"], "1 of 25 users: ") || got.Users["user-c"].Keys == nil {
		t.Errorf("%+v", got)
	}
	seen.n, seen.deny = 0, map[string]string{"ListAccessKeys": "InvalidInput"}
	got = mustRead(t, Reading{Kinds: []Kind{Keys}, Concurrency: 1}, c)
	if got.Missing["keys"] == "" || seen.n != 1+mostFailures {
		t.Errorf("%d calls, %+v", seen.n, got.Missing)
	}
}

// TestContinue ends a reading halfway, and checks that the next one reads only the
// rest.
func TestContinue(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	people(t, c)
	ctx, end := context.WithCancelCause(t.Context())
	seen.each = func(_, user string) {
		if user == "user-m" {
			end(errors.New("enough"))
		}
	}
	r := Reading{Kinds: []Kind{Keys, MFA}, Concurrency: 1}
	first := must[*audit.Enrichment](t)(r.Read(ctx, c))
	if first.Missing["keys"] != "12 of 25 users: enough" || first.RootVirtualMFA != audit.Unknown ||
		first.Users["user-l"].Keys == nil || first.Users["user-m"].Keys != nil {
		t.Fatalf("%+v", first)
	}
	// In the meantime one user is replaced by another of the same name, one is
	// deleted, and one is created.
	seen.each = nil
	for _, name := range []string{"user-a", "user-c"} {
		must[*iam.DeleteUserOutput](t)(c.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: &name}))
	}
	for _, name := range []string{"user-a", "zoe"} {
		must[*iam.CreateUserOutput](t)(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}))
	}
	seen.n = 0
	r.Before = first
	second := mustRead(t, r, c)
	if _, there := second.Users["user-c"]; there || Missing(second) != "" || second.RootVirtualMFA != audit.No ||
		len(second.Users) != 25 || second.Users["user-a"].UserID == first.Users["user-a"].UserID {
		t.Errorf("%+v", second)
	}
	if want := 2 + 2*(12+2); seen.n != want { // 12 were missing, two are new
		t.Errorf("%d calls, want %d", seen.n, want)
	}
}

// TestInto checks what is in the file beside a report after a reading that ended
// early, after a crash, and after a complete one.
func TestInto(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	people(t, c)
	folder := must[*history.Folder](t)(history.Create(t.TempDir()))
	now := time.Now().Truncate(time.Second)
	report := must[history.Snapshot](t)(folder.Save(history.Meta{Account: "123456789012", GeneratedAt: now}, []byte("x")))
	ctx, end := context.WithCancel(t.Context())
	seen.each = func(_, user string) {
		if user == "user-m" {
			end()
		}
	}
	open := func(context.Context) (*iam.Client, error) { return c, nil }
	r := Reading{Kinds: []Kind{Keys}, Concurrency: 1}
	missing, err := r.Into(ctx, folder, report, open, func(e *audit.Enrichment) { e.Member = audit.Yes })
	var saved Saved
	if err := errors.Join(err, report.ReadFacts(&saved)); err != nil {
		t.Fatal(err)
	}
	if missing == "" || saved.Has([]Kind{Keys}) || !saved.Has(nil) || Missing(saved.Facts) != missing ||
		saved.Facts.Users["user-l"].Keys == nil || saved.Facts.Member != audit.Yes {
		t.Errorf("%q, %+v", missing, saved)
	}
	// If the account does not answer, the known facts stay.
	no := func(context.Context) (*iam.Client, error) { return nil, errors.New("no session") }
	missing, err = r.Into(t.Context(), folder, report, no, nil)
	if err := errors.Join(err, report.ReadFacts(&saved)); err != nil {
		t.Fatal(err)
	}
	if missing != "keys: no session" || saved.Facts.Users["user-l"].Keys == nil {
		t.Errorf("%q, %+v", missing, saved)
	}
	seen.each, seen.n = nil, 0
	missing, err = r.Into(t.Context(), folder, report, open, nil)
	saved = Saved{}
	if err := errors.Join(err, report.ReadFacts(&saved)); err != nil {
		t.Fatal(err)
	}
	if missing != "" || !saved.Has([]Kind{Keys}) || len(saved.Facts.Users) != 25 || seen.n != 1+12 {
		t.Errorf("%q, %+v, %d calls", missing, saved, seen.n)
	}
}

// TestSavesMeanwhile checks that a crash loses only the last seconds.
func TestSavesMeanwhile(t *testing.T) {
	seen := newCalls()
	c := seen.client(t)
	people(t, c)
	var saved []*audit.Enrichment
	r := Reading{Kinds: []Kind{Keys}, Concurrency: 2, Save: func(e *audit.Enrichment) error {
		saved = append(saved, e)
		return nil
	}}
	in := r.begin(c)
	in.pause = 0
	users := must[[]string](t)(names25(t.Context(), in))
	if len(users) != 25 || len(saved) == 0 || len(saved[0].Users) != 25 || saved[0].Missing["keys"] == "" {
		t.Fatalf("%d users, saved %d times", len(users), len(saved))
	}
	known := func(e *audit.Enrichment) (n int) {
		for _, f := range e.Users {
			if f.Keys != nil {
				n++
			}
		}
		return n
	}
	if n := known(saved[0]); n == 0 || n > 2 { // the pause was over when the first user was done
		t.Errorf("the first time with %d users", n)
	}
	r.Save = func(*audit.Enrichment) error { return errors.New("disk full") }
	in = r.begin(c)
	in.pause = 0
	if _, err := names25(t.Context(), in); err == nil || err.Error() != "disk full" {
		t.Error(err)
	}
}

// names25 runs a reading whose first Save is due at once.
func names25(ctx context.Context, in *reader) (names []string, err error) {
	users, err := in.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		names = append(names, aws.ToString(u.UserName))
	}
	return names, in.each(ctx, users)
}

func TestMissing(t *testing.T) {
	e := &audit.Enrichment{Missing: map[string]string{"tags": "Denied.", "keys": "1 of 2 users: late", "mfa": "Denied."}}
	if got, want := Missing(e), "keys: 1 of 2 users: late; mfa, tags: Denied"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
