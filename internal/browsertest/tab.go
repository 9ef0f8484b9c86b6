package browsertest

import (
	"context"
	"flag"
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
	"github.com/chromedp/chromedp"
)

// Tab is a tab with a profile of its own.
type Tab struct {
	t          *testing.T
	ctx        context.Context
	complaints *complaints
}

// complaints holds what a browser complained about.
type complaints struct {
	mu   sync.Mutex
	said []string
}

func (c *complaints) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, text)
}

// take returns the complaints and forgets them.
func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := c.said
	c.said = nil
	return said
}

// Open opens a tab that shares no cookies, no storage and no cache with any
// other. Whatever the browser complains about, and every request to an address
// that ours denies, fails the test.
func Open(t *testing.T, ours func(url string) bool) *Tab {
	t.Helper()
	if err := shared.start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(shared.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	tab := &Tab{t: t, ctx: ctx, complaints: &complaints{}}
	err := chromedp.Listen(ctx, func(event any) {
		if text := complaint(event, ours); text != "" {
			tab.complaints.add(text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.Quiet)
	Call(tab, network.Enable, network.EnableParams{})
	Call(tab, log.Enable, cdp.Empty{})
	Call(tab, runtime.Enable, cdp.Empty{})
	// Several tabs are open at the same time, and only one window has the focus.
	Call(tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	tab.Window(1280, 800)
	return tab
}

// lateFocus holds the browser's complaint that a test has put the focus into a
// field before the page's own autofocus came to it.
const lateFocus = "Autofocus processing was blocked because a document already has a focused element."

// complaint returns what an event complains of, "" for nothing.
func complaint(event any, ours func(url string) bool) string {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		return fmt.Sprintf("console.%s: %v", e.Type, e.Args)
	case *runtime.EventExceptionThrown:
		return fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		if e.Entry.Text != lateFocus {
			return fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if !ours(e.Request.URL) {
			return "request: " + e.Request.URL
		}
	case *page.EventJavascriptDialogOpening:
		return "dialog: " + e.Message
	}
	return ""
}

// In returns the same tab for a subtest, which fails for what the browser
// complains about meanwhile.
func (tab *Tab) In(t *testing.T) *Tab {
	sub := &Tab{t: t, ctx: tab.ctx, complaints: tab.complaints}
	t.Cleanup(sub.Quiet)
	return sub
}

// Quiet fails the test for what the browser has complained about.
func (tab *Tab) Quiet() {
	tab.t.Helper()
	for _, text := range tab.complaints.take() {
		tab.t.Errorf("browser: %s", text)
	}
}

// Expect takes back one complaint that contains a text: the browser complains of
// each answer that is no success.
func (tab *Tab) Expect(text string) {
	tab.t.Helper()
	expected := false
	for _, said := range tab.complaints.take() {
		if !expected && strings.Contains(said, text) {
			expected = true
			continue
		}
		tab.complaints.add(said)
	}
	if !expected {
		tab.t.Errorf("the browser did not complain of %q", text)
	}
}

// Run lets the tab do something. It fails the test, with a picture of the page,
// if that takes two minutes.
func Run[T any](tab *Tab, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, 2*time.Minute)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.Fatalf("%v", err)
	}
	return value
}

// Try is Run for what may fail, within a time.
func Try[T any](tab *Tab, within time.Duration, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(tab.ctx, within)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// Call calls a command of the DevTools protocol.
func Call[P, R any](tab *Tab, command cdp.Command[P, R], parameters P) R {
	tab.t.Helper()
	result, err := chromedp.Call(tab.ctx, command, parameters)
	if err != nil {
		tab.t.Fatal(err)
	}
	return result
}

// Eval returns the value of an expression of JavaScript, or of its promise.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	return Run(tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Fatalf ends the test, and keeps a picture of the page.
func (tab *Tab) Fatalf(format string, args ...any) {
	tab.t.Helper()
	if png, err := Try(tab, 10*time.Second, chromedp.FullScreenshot(100)); err == nil {
		tab.Save("failed.png", png)
	}
	tab.t.Fatalf(format, args...)
}

// Navigate goes to an address.
func (tab *Tab) Navigate(url string) {
	tab.t.Helper()
	Run(tab, chromedp.Navigate(url))
}

// Click clicks on the first element of a CSS selector.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	Run(tab, chromedp.Click(chromedp.CSS(selector)))
}

// Window sets the size of the window.
func (tab *Tab) Window(width, height int64) {
	tab.t.Helper()
	Call(tab, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// Scheme sets the colours that the system asks for: light or dark.
func (tab *Tab) Scheme(name string) {
	tab.t.Helper()
	Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
}

// Picture keeps a picture of the whole page if the tests run with -artifacts. For
// nobody to look at, it would cost more than most checks of the page.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	if f := flag.Lookup("test.artifacts"); f == nil || f.Value.String() != "true" {
		return
	}
	png, err := Try(tab, 10*time.Second, chromedp.FullScreenshot(100))
	if err != nil {
		tab.t.Logf("no picture: %v", err)
		return
	}
	tab.Save(name+".png", png)
}

// Save writes a file to the folder of go test -artifacts, for people to view.
func (tab *Tab) Save(name string, content []byte) {
	tab.t.Helper()
	if err := os.WriteFile(filepath.Join(tab.t.ArtifactDir(), name), content, 0o600); err != nil {
		tab.t.Fatal(err)
	}
}
