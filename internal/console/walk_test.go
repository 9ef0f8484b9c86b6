package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/console"
)

// maxPage limits the size of every page.
const maxPage = 150 << 10

// TestEveryPage walks all pages. It checks their size and headers. axe-core
// finds no problem, in both colour schemes and on a phone.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c, err := console.New(console.Config{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, p := range visited {
		if p.stranger && i > 0 && !visited[i-1].stranger {
			t.Errorf("%s is after pages for people who signed in", p.name())
		}
		if p.again && !seen[p.path] {
			t.Errorf("%s is like no page before it", p.name())
		}
		seen[p.path] = true
	}
	for _, path := range c.Paths() {
		if !seen[path] && elsewhere[path] == "" {
			t.Errorf("nobody visits %s: name it in testpages_test.go", path)
		}
	}
	someone, nobody := w.signedIn(""), w.person()
	// Two tabs walk at the same time. Pages that are alike are in the same tab.
	for tab := range 2 {
		t.Run(fmt.Sprint("tab ", tab), func(t *testing.T) {
			t.Parallel()
			br, kind, signedIn := w.browse(t), 0, false
			for _, p := range visited {
				if !p.again {
					kind++
				}
				if kind%2 != tab {
					continue
				}
				if !p.stranger && !signedIn {
					br.signIn("", rootPassword)
					signedIn = true
				}
				who := someone
				if p.stranger {
					who = nobody
				}
				t.Run(p.name(), func(t *testing.T) { br.in(t).visit(p, who) })
			}
		})
	}
}

// visit checks the answer with a page, and then the page in the tab.
func (br *browser) visit(p visited1, who *person) {
	br.t.Helper()
	got := who.get(p.path + p.query)
	wellMade(br.t, got, max(p.status, http.StatusOK))
	if got.path != p.path+p.query {
		br.t.Errorf("came to %s", got.path)
	}
	br.look(p)
	if p.status != 0 {
		br.Expect("responded with a status of")
	}
}

// look opens a page and checks it.
func (br *browser) look(p visited1) {
	br.t.Helper()
	br.open(p.path + p.query)
	if p.again {
		br.glance(p.name())
	} else {
		br.sights(p.name())
	}
}

// screen is the size of a window.
type screen struct {
	name          string
	width, height int64
}

var desktop, phone = screen{"desktop", 1280, 800}, screen{"phone", 390, 844}

// sights checks the open page in both colour schemes and on a phone, and takes
// pictures of it.
func (br *browser) sights(name string) {
	br.t.Helper()
	br.fits(name, desktop)
	br.Accessible(name + " light desktop")
	br.Picture(name + "-desktop-light")
	br.fits(name, phone)
	br.Picture(name + "-phone-light")
	br.Scheme("dark")
	br.Accessible(name + " dark phone")
	br.Picture(name + "-phone-dark")
	br.fits(name, desktop)
	br.Contrasts(name + " dark desktop")
	br.Picture(name + "-desktop-dark")
	br.Scheme("light")
}

// glance checks the open page once. All its parts are also on another page of the
// walk, which sights checks: only the content is new.
func (br *browser) glance(name string) {
	br.t.Helper()
	br.fits(name, phone)
	br.fits(name, desktop)
	br.Accessible(name)
	br.Picture(name)
}

// fits fails the test if the page is wider than a screen.
func (br *browser) fits(name string, as screen) {
	br.t.Helper()
	br.Window(as.width, as.height)
	if got := eval[int64](br, "document.documentElement.scrollWidth"); got > as.width {
		br.t.Errorf("%s is %d pixels wide on a %s", name, got, as.name)
	}
}

// wellMade checks the common properties of every answer.
func wellMade(t *testing.T, got answer, status int) {
	t.Helper()
	if got.status != status {
		t.Errorf("status %d, want %d", got.status, status)
	}
	if len(got.body) > maxPage {
		t.Errorf("the page has %d bytes", len(got.body))
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
	} {
		if got.header.Get(name) != want {
			t.Errorf("header %s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	for _, never := range []string{" style=", "<style", " on", "javascript:"} {
		// The templates escape all names.
		if strings.Contains(got.body, "<script>") || never != " on" && strings.Contains(got.body, never) {
			t.Errorf("the page has %q", never)
		}
	}
}

// furnished returns the world of the demonstration with something of every
// kind. Root signs in with only its password.
func furnished(t *testing.T) *world {
	t.Helper()
	w, _ := newDemo(t)
	_, err := w.iam.DeactivateMFADevice(t.Context(), &iam.DeactivateMFADeviceInput{
		UserName: aws.String("root"), SerialNumber: aws.String("arn:aws:iam::" + account + ":mfa/root-account-mfa-device"),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.furnish()
	return w
}

// furnish creates something of every kind in the account.
func (w *world) furnish() {
	w.t.Helper()
	ctx, alice := w.t.Context(), aws.String("alice")
	w.user("alice", everything)
	w.signedIn("").makeReport()
	made := time.Now()
	w.device("alice")
	hostile := "/<img/src=x/onerror=alert(1)>/"
	_, err := w.iam.UpdateUser(ctx, &iam.UpdateUserInput{UserName: alice, NewPath: &hostile})
	for _, status := range []types.StatusType{types.StatusTypeActive, types.StatusTypeInactive} {
		key, failed := w.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: alice})
		if err = errors.Join(err, failed); err != nil {
			w.t.Fatal(err)
		}
		_, failed = w.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
			UserName: alice, AccessKeyId: key.AccessKey.AccessKeyId, Status: status,
		})
		err = errors.Join(err, failed)
	}
	for _, group := range []string{"Admins", "Readers"} {
		_, failed := w.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group, Path: &hostile})
		_, joined := w.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: alice})
		err = errors.Join(err, failed, joined)
	}
	_, e1 := w.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{
		UserName: alice, PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess"),
	})
	_, e2 := w.iam.CreateServiceSpecificCredential(ctx, &iam.CreateServiceSpecificCredentialInput{
		UserName: alice, ServiceName: aws.String("codecommit.amazonaws.com"),
	})
	_, e3 := w.iam.TagUser(ctx, &iam.TagUserInput{
		UserName: alice, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("x @ y : z = +1")}},
	})
	if err := errors.Join(err, e1, e2, e3); err != nil {
		w.t.Fatal(err)
	}
	w.furnishAccess()
	time.Sleep(time.Until(made.Add(time.Second))) // addresses identify reports by their second
	w.signedIn("").makeReport()
}
