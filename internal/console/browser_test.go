package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"rollcall/internal/browsertest"
)

// browser is a browser tab that shows pages of a world.
type browser struct {
	*browsertest.Tab
	w *world
	t *testing.T
}

// browse opens a browser. Every request to another host fails the test.
func (w *world) browse(t *testing.T) *browser {
	t.Helper()
	tab := browsertest.Open(t, func(url string) bool {
		return strings.HasPrefix(url, w.url+"/") || strings.HasPrefix(url, "data:")
	})
	return &browser{Tab: tab, w: w, t: t}
}

// in returns the same tab for a subtest.
func (br *browser) in(t *testing.T) *browser { return &browser{Tab: br.In(t), w: br.w, t: t} }

// eval returns the value of a JavaScript expression, or the result of its
// promise.
func eval[T any](br *browser, expression string) T {
	br.t.Helper()
	return browsertest.Eval[T](br.Tab, expression)
}

// open opens an address of the console.
func (br *browser) open(address string) {
	br.t.Helper()
	br.Navigate(br.w.url + address)
}

// fill fills in a field.
func (br *browser) fill(name, value string) {
	br.t.Helper()
	selector := chromedp.CSS(fmt.Sprintf("[name=%q]:not([type=hidden])", name))
	browsertest.Run(br.Tab, chromedp.WaitVisible(selector))
	browsertest.Run(br.Tab, chromedp.Clear(selector))
	browsertest.Run(br.Tab, chromedp.SendKeys(selector, value))
}

// press clicks the button with a value and waits for the next page.
func (br *browser) press(do string) {
	br.t.Helper()
	br.click(fmt.Sprintf("button[name=do][value=%q]", do))
}

// click clicks an element that leads to another page.
func (br *browser) click(selector string) {
	br.t.Helper()
	eval[bool](br, "window.before = true")
	br.Click(selector)
	br.arrive()
}

// arrive waits for the next page.
func (br *browser) arrive() {
	br.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		there, err := browsertest.Try(br.Tab, 5*time.Second,
			chromedp.Evaluate[bool](`!window.before && document.readyState === "complete"`))
		if err == nil && there { // between two pages the script cannot run
			return
		}
	}
	br.Fatalf("no page came: %s", eval[string](br, "document.body.innerText"))
}

// says fails the test unless the page contains all texts.
func (br *browser) says(texts ...string) {
	br.t.Helper()
	all := eval[string](br, "document.body.innerText")
	for _, text := range texts {
		if !strings.Contains(all, text) {
			br.t.Errorf("%s does not say %q:\n%s", eval[string](br, "location.href"), text, all)
		}
	}
}

// authenticator plugs in a security key that approves at once.
func (br *browser) authenticator() {
	br.t.Helper()
	browsertest.Call(br.Tab, webauthn.Enable, webauthn.EnableParams{})
	browsertest.Call(
		br.Tab,
		webauthn.AddVirtualAuthenticator,
		webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}},
	)
}

// signIn signs in a user, or root if user is "".
func (br *browser) signIn(user, password string) {
	br.t.Helper()
	if user == "" {
		br.open("/console/sign-in?as=root")
	} else {
		br.open("/console/sign-in")
	}
	br.fill("account", account)
	if user != "" {
		br.fill("user", user)
	}
	br.fill("password", password)
	br.press("sign-in")
}
