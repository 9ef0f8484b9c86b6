package console_test

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestShownOnce creates things whose secret is shown once. The form redirects
// to another page, so reloading that page creates nothing. The page shows the
// secret once, and only to this browser.
func TestShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p, other := w.signedIn("alice"), w.signedIn("alice")
	const user = "/console/user?name=alice"
	for what, c := range map[string]struct{ form, secret string }{
		"access key": {"create-key", `id="key-secret"[^>]*>([^<]{40,})<`},
		"password":   {"set-password", `id="password"[^>]*>([^<]{20,})<`},
		"credential": {"create-service", `id="password"[^>]*>([^<]{20,})<`},
	} {
		t.Run(strings.ReplaceAll(what, " ", "-"), func(t *testing.T) {
			form := p.form(user, "do", c.form, "service", "codecommit.amazonaws.com")
			if c.form == "set-password" { // alice's own sessions would end
				w.user("bob", "")
				form = p.form("/console/user?name=bob", "do", c.form)
			}
			sent := p.once(form)
			if sent.status != http.StatusSeeOther || sent.header.Get("Location") != "/console/created" {
				t.Fatalf("status %d, to %s: %s", sent.status, sent.header.Get("Location"), trouble(sent.body))
			}
			at, err := url.Parse(w.url)
			if err != nil {
				t.Fatal(err)
			}
			token := p.cookie("rollcall-shown")
			other.jar.SetCookies(at, []*http.Cookie{{Name: "rollcall-shown", Value: token + "x", Path: "/"}})
			other.get("/console/created").want(t, http.StatusNotFound)
			// Another page that shows something once does not take it, and
			// neither does a HEAD request.
			p.get("/console/mfa/new?name=alice").want(t, http.StatusOK)
			head, err := http.NewRequestWithContext(t.Context(), http.MethodHead, w.url+"/console/created", nil)
			if err != nil {
				t.Fatal(err)
			}
			p.do(head)
			got := p.get("/console/created")
			wellMade(t, got, http.StatusOK)
			secret := regexp.MustCompile(c.secret).FindStringSubmatch(got.body)
			if secret == nil {
				t.Fatalf("no secret: %s", got.body)
			}
			secret[1] = html.UnescapeString(secret[1])
			for name, text := range map[string]string{"cookie": token, "answer to the form": sent.body} {
				if strings.Contains(text, secret[1]) {
					t.Errorf("the %s has the secret", name)
				}
			}
			p.get("/console/created").want(t, http.StatusNotFound, "A secret is shown once")
			other.jar.SetCookies(at, []*http.Cookie{{Name: "rollcall-shown", Value: token, Path: "/"}})
			other.get("/console/created").want(t, http.StatusNotFound)
			if trail, err := os.ReadFile(w.trail); err != nil || strings.Contains(string(trail), secret[1]) {
				t.Errorf("the trail has the secret, or %v", err)
			}
		})
	}
	// Another session of the same person sees nothing, but the secret is
	// removed.
	p.once(p.form(user, "do", "create-key"))
	at, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	other.jar.SetCookies(at, []*http.Cookie{{Name: "rollcall-shown", Value: p.cookie("rollcall-shown"), Path: "/"}})
	other.get("/console/created").want(t, http.StatusNotFound)
	p.get("/console/created").want(t, http.StatusNotFound)
	keys, err := w.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("alice")})
	if err != nil || len(keys.AccessKeyMetadata) != 2 {
		t.Errorf("%d keys, %v", len(keys.AccessKeyMetadata), err)
	}
}

// TestAbandonedDevice abandons the enrolment of a device and begins again with
// the same name. An enabled device stays.
func TestAbandonedDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p := w.signedIn("alice")
	const page = "/console/mfa/new"
	seed := func() string {
		t.Helper()
		sent := p.once(p.form(page, "do", "create-totp", "device", "alice"))
		if sent.status != http.StatusSeeOther || sent.header.Get("Location") != page {
			t.Fatalf("status %d, to %s: %s", sent.status, sent.header.Get("Location"), trouble(sent.body))
		}
		got := p.get(page)
		found := regexp.MustCompile(`name="seed" value="([A-Z2-7]+)"`).FindStringSubmatch(got.body)
		if found == nil {
			t.Fatalf("no seed: %s", got.body)
		}
		if again := p.get(page); strings.Contains(again.body, found[1]) {
			t.Error("the seed is shown again")
		}
		return found[1]
	}
	first, second := seed(), seed()
	serial := "arn:aws:iam::" + account + ":mfa/alice"
	enable := func(seed string) answer {
		return p.post(page, "do", "enable-totp", "serial", serial, "seed", seed,
			"code1", w.code(seed, -1), "code2", w.code(seed, 0))
	}
	enable(first).want(t, http.StatusForbidden)
	enable(second).want(t, http.StatusOK, "The device is enabled.")
	p.post(page, "do", "create-totp", "device", "alice").want(t, http.StatusConflict, "already exists")
	out, err := w.iam.ListVirtualMFADevices(t.Context(), &iam.ListVirtualMFADevicesInput{})
	if err != nil || len(out.VirtualMFADevices) != 1 || out.VirtualMFADevices[0].EnableDate == nil {
		t.Errorf("%+v, %v", out, err)
	}
}
