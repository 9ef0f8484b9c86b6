package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// browser is a tab of Debian's Chromium.
type browser struct {
	w   *world
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	messages []string
}

// browse opens a browser. What it complains about, and every request to another
// host, fails the test.
func (w *world) browse(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // containers have none, and the pages are our own
		chromedp.ExecPath("chromium"), chromedp.WindowSize(1280, 800))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	br := &browser{w: w, t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, br.listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { br.quiet(t) })
	call(br, network.Enable, network.EnableParams{})
	call(br, log.Enable, cdp.Empty{})
	call(br, runtime.Enable, cdp.Empty{})
	br.window(1280, 800)
	return br
}

func (br *browser) listen(event any) {
	var complaint string
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		complaint = fmt.Sprintf("console.%s: %v", e.Type, e.Args)
	case *runtime.EventExceptionThrown:
		complaint = fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		complaint = fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, br.w.url+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			complaint = "request: " + e.Request.URL
		}
	case *page.EventJavascriptDialogOpening:
		complaint = "dialog: " + e.Message
	}
	if complaint != "" {
		br.mu.Lock()
		defer br.mu.Unlock()
		br.messages = append(br.messages, complaint)
	}
}

// quiet fails the test for whatever the browser complained about.
func (br *browser) quiet(t *testing.T) {
	br.mu.Lock()
	defer br.mu.Unlock()
	for _, m := range br.messages {
		t.Errorf("browser: %s", m)
	}
	br.messages = nil
}

// expect takes one complaint with a text back: the browser logs each answer
// that is no success.
func (br *browser) expect(text string) {
	br.t.Helper()
	br.mu.Lock()
	defer br.mu.Unlock()
	for i, m := range br.messages {
		if strings.Contains(m, text) {
			br.messages = append(br.messages[:i], br.messages[i+1:]...)
			return
		}
	}
	br.t.Errorf("the browser did not complain of %q", text)
}

func run[T any](br *browser, action chromedp.Action[T]) T {
	br.t.Helper()
	ctx, cancel := context.WithTimeout(br.ctx, 30*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		br.screenshot("failed")
		br.t.Fatal(err)
	}
	return value
}

func call[P, R any](br *browser, command cdp.Command[P, R], parameters P) R {
	br.t.Helper()
	result, err := chromedp.Call(br.ctx, command, parameters)
	if err != nil {
		br.t.Fatal(err)
	}
	return result
}

// eval is the value of an expression of JavaScript, or of its promise.
func eval[T any](br *browser, expression string) T {
	br.t.Helper()
	return run(br, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// open goes to an address of the console.
func (br *browser) open(address string) {
	br.t.Helper()
	run(br, chromedp.Navigate(br.w.url+address))
}

// fill fills a field in.
func (br *browser) fill(name, value string) {
	br.t.Helper()
	selector := chromedp.CSS(fmt.Sprintf("[name=%q]:not([type=hidden])", name))
	run(br, chromedp.WaitVisible(selector))
	run(br, chromedp.Clear(selector))
	run(br, chromedp.SendKeys(selector, value))
}

// press clicks on the button that has a value, and waits for the page that comes.
func (br *browser) press(do string) {
	br.t.Helper()
	br.click(fmt.Sprintf("button[name=do][value=%q]", do))
}

// unfold opens what is behind a name.
func (br *browser) unfold(selector string) {
	br.t.Helper()
	run(br, chromedp.Click(chromedp.CSS(selector)))
}

// click clicks on an element that leads to another page.
func (br *browser) click(selector string) {
	br.t.Helper()
	eval[bool](br, "window.before = true")
	run(br, chromedp.Click(chromedp.CSS(selector)))
	br.arrive()
}

// arrive waits for the next page.
func (br *browser) arrive() {
	br.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(br.ctx, 5*time.Second)
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!window.before && document.readyState === "complete"`))
		cancel()
		if err == nil && there { // between two pages there is nothing to ask
			return
		}
	}
	br.screenshot("failed")
	br.t.Fatalf("no page came: %s", eval[string](br, "document.body.innerText"))
}

// says fails the test unless the page has a text.
func (br *browser) says(texts ...string) {
	br.t.Helper()
	all := eval[string](br, "document.body.innerText")
	for _, text := range texts {
		if !strings.Contains(all, text) {
			br.t.Errorf("%s does not say %q:\n%s", eval[string](br, "location.href"), text, all)
		}
	}
}

func (br *browser) window(width, height int64) {
	br.t.Helper()
	call(
		br,
		emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1},
	)
}

// scheme sets the colours the system asks for.
func (br *browser) scheme(name string) {
	br.t.Helper()
	call(
		br,
		emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		},
	)
}

// screenshot keeps a picture where go test -artifacts leaves it to be looked at.
func (br *browser) screenshot(name string) {
	br.t.Helper()
	ctx, cancel := context.WithTimeout(br.ctx, 10*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		br.t.Logf("no picture: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(br.t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		br.t.Fatal(err)
	}
}

// authenticator plugs a security key in, which says yes at once.
func (br *browser) authenticator() {
	br.t.Helper()
	call(br, webauthn.Enable, webauthn.EnableParams{})
	call(
		br,
		webauthn.AddVirtualAuthenticator,
		webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}},
	)
}

var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("testdata/axe.min.js")
	return string(text), err
})

// accessible fails the test for what axe-core finds wrong with the page.
func (br *browser) accessible(what string) {
	br.t.Helper()
	source, err := axe()
	if err != nil {
		br.t.Fatal(err)
	}
	run(br, chromedp.Evaluate[json.RawMessage](source+";true"))
	type violation struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	for _, v := range eval[[]violation](br,
		`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations)`) {
		for _, n := range v.Nodes {
			br.t.Errorf("%s: %s: %s\n%s\n%s", what, v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
}

// signIn signs a user in, root where user is "".
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
