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
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// browser is a tab of Chromium with a page in it. What the page complains
// about, or wants from the network, fails the test.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	messages []string
}

// open opens a page in a new browser.
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
	t.Logf("%s: %d bytes", file, content.Len())
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // there is none in a container; the page is our own
		chromedp.ExecPath("chromium"), chromedp.WindowSize(1280, 800))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	br := &browser{t: t, ctx: ctx, url: "file://" + file}
	if err := chromedp.Listen(ctx, br.listen); err != nil {
		t.Fatal(err)
	}
	call(br, network.Enable, network.EnableParams{})
	call(br, log.Enable, cdp.Empty{})
	call(br, runtime.Enable, cdp.Empty{})
	br.visit("")
	t.Cleanup(br.quiet)
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
	default:
		return
	}
	if complaint == "" {
		return
	}
	br.mu.Lock()
	defer br.mu.Unlock()
	br.messages = append(br.messages, complaint)
}

// quiet fails the test for whatever the browser complained about.
func (br *browser) quiet() {
	br.mu.Lock()
	defer br.mu.Unlock()
	for _, m := range br.messages {
		br.t.Errorf("browser: %s", m)
	}
	br.messages = nil
}

func run[T any](br *browser, action chromedp.Action[T]) T {
	br.t.Helper()
	ctx, cancel := context.WithTimeout(br.ctx, 2*time.Minute)
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

// visit opens the page at a fragment, as somebody does who was sent it.
func (br *browser) visit(fragment string) {
	br.t.Helper()
	run(br, chromedp.Navigate("about:blank"))
	run(br, chromedp.Navigate(br.url+fragment))
	run(br, chromedp.WaitReady(`html[data-ready="yes"]`))
}

// eval is the value of an expression of JavaScript, or of its promise.
func eval[T any](br *browser, expression string) T {
	br.t.Helper()
	return run(br, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// painted is a promise that what was changed is on the screen.
const painted = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`

// show goes to another fragment, as a link does.
func (br *browser) show(fragment string) {
	br.t.Helper()
	eval[bool](br, `(location.hash = "`+fragment+`", `+painted+`)`)
}

func (br *browser) size(width, height int64) {
	br.t.Helper()
	call(br, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

func (br *browser) scheme(name string) {
	br.t.Helper()
	call(br, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

func (br *browser) screenshot(name string) {
	br.t.Helper()
	br.save(name+".png", run(br, chromedp.CaptureScreenshot()))
}

func (br *browser) save(name string, content []byte) {
	br.t.Helper()
	if err := os.WriteFile(filepath.Join(br.t.ArtifactDir(), name), content, 0o600); err != nil {
		br.t.Fatal(err)
	}
}

func (br *browser) pdf() []byte {
	br.t.Helper()
	return run(br, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
}

var screens = []string{"accounts", "keys", "credentials", "mfa", "changes", "controls"}

func TestLooks(t *testing.T) {
	b, s := organization(t, html.Options{Made: made, Program: "rollcall 1.0.0"}, 40, 120, 8, 0, 300, 60, 12, 90)
	for _, a := range s.Accounts[:3] {
		b.History(past(a, 12))
	}
	br := open(t, b, s)
	for _, scheme := range []string{"light", "dark"} {
		br.scheme(scheme)
		for _, width := range []int64{1280, 900} {
			br.size(width, 800)
			for _, screen := range screens {
				br.show("#" + screen)
				br.screenshot(fmt.Sprintf("%s-%s-%d", screen, scheme, width))
			}
		}
		br.size(1280, 800)
		br.show("#credentials?account=111122223301&open=20")
		br.screenshot("detail-" + scheme)
	}
	br.save("page.pdf", br.pdf())
}
