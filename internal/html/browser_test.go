package html_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// browser is a tab of Debian's Chromium with a page in it.
type browser struct {
	t    *testing.T
	ctx  context.Context
	url  string
	size int // of the page, in bytes

	mu       sync.Mutex
	messages []string
}

// open opens a page in a new browser. What the browser complains about, and
// every request but that for the page itself, fails the test.
func open(t *testing.T, b *html.Builder, s *audit.Summary) *browser {
	t.Helper()
	var content bytes.Buffer
	if err := b.Write(&content, s); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.ArtifactDir(), "page.html")
	if err := os.WriteFile(file, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // containers have none, and the page is our own
		chromedp.ExecPath("chromium"), chromedp.WindowSize(1280, 800))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	br := &browser{t: t, ctx: ctx, url: "file://" + file, size: content.Len()}
	if err := chromedp.Listen(ctx, br.listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { br.quiet(t) })
	call(br, network.Enable, network.EnableParams{})
	call(br, log.Enable, cdp.Empty{})
	call(br, runtime.Enable, cdp.Empty{})
	br.window(1280, 800)
	br.visit("")
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
		if url, _, _ := strings.Cut(e.Request.URL, "#"); url != br.url {
			complaint = "request: " + url
		}
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

// in returns the same tab for a subtest.
func (br *browser) in(t *testing.T) *browser {
	t.Cleanup(func() { br.quiet(t) })
	return &browser{t: t, ctx: br.ctx, url: br.url, size: br.size}
}

func run[T any](br *browser, action chromedp.Action[T]) T {
	br.t.Helper()
	ctx, cancel := context.WithTimeout(br.ctx, 30*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
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

// visit opens the page at a fragment, as somebody does who was sent it.
func (br *browser) visit(fragment string) {
	br.t.Helper()
	run(br, chromedp.Navigate("about:blank"))
	run(br, chromedp.Navigate(br.url+fragment))
	run(br, chromedp.WaitReady(chromedp.CSS(`html[data-ready="yes"]`)))
	br.settle()
}

// settle waits until what was changed is on the screen.
func (br *browser) settle() {
	br.t.Helper()
	eval[bool](br, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// show goes to another fragment, as a link does.
func (br *browser) show(fragment string) {
	br.t.Helper()
	eval[string](br, fmt.Sprintf(`location.hash = %q`, fragment))
	br.settle()
}

// click clicks on the first element of a CSS selector.
func (br *browser) click(selector string) {
	br.t.Helper()
	run(br, chromedp.Click(chromedp.CSS(selector)))
	br.settle()
}

// press types keys.
func (br *browser) press(keys string) {
	br.t.Helper()
	run(br, chromedp.KeyEvent(keys))
	br.settle()
}

// shortcut presses the key of a character, which is typed unless the page
// takes it.
func (br *browser) shortcut(key string) {
	br.t.Helper()
	call(br, input.DispatchKeyEvent,
		input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
	br.settle()
}

func (br *browser) want(expression, want string) {
	br.t.Helper()
	if got := eval[string](br, "String("+expression+")"); got != want {
		br.t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

func (br *browser) window(width, height int64) {
	br.t.Helper()
	call(br, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// scheme sets the colours the system asks for.
func (br *browser) scheme(name string) {
	br.t.Helper()
	call(br, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

func (br *browser) screenshot(name string) []byte {
	br.t.Helper()
	br.settle()
	png := run(br, chromedp.CaptureScreenshot())
	br.save(name+".png", png)
	return png
}

// save keeps a file where go test -artifacts leaves it to be looked at.
func (br *browser) save(name string, content []byte) {
	br.t.Helper()
	if err := os.WriteFile(filepath.Join(br.t.ArtifactDir(), name), content, 0o600); err != nil {
		br.t.Fatal(err)
	}
}
