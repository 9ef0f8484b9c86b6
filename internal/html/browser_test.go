package html_test

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"rollcall/internal/audit"
	"rollcall/internal/browsertest"
	"rollcall/internal/html"
)

// browser is a tab of a browser with a page in it.
type browser struct {
	*browsertest.Tab
	t    *testing.T
	url  string
	size int // of the page, in bytes
}

// open opens a page in a new browser. The test fails on every request except
// the one for the page itself.
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
	br := &browser{t: t, url: "file://" + file, size: content.Len()}
	br.Tab = browsertest.Open(t, func(url string) bool {
		url, _, _ = strings.Cut(url, "#")
		return url == br.url
	})
	br.visit("")
	return br
}

// in returns the same tab for a subtest.
func (br *browser) in(t *testing.T) *browser {
	return &browser{Tab: br.In(t), t: t, url: br.url, size: br.size}
}

// eval returns the value of a JavaScript expression, or of its promise.
func eval[T any](br *browser, expression string) T {
	br.t.Helper()
	return browsertest.Eval[T](br.Tab, expression)
}

// visit opens the page at a fragment, like somebody who follows a link.
func (br *browser) visit(fragment string) {
	br.t.Helper()
	br.Navigate("about:blank")
	br.Navigate(br.url + fragment)
	browsertest.Run(br.Tab, chromedp.WaitReady(chromedp.CSS(`html[data-ready="yes"]`)))
	br.settle()
}

// settle waits until the change is on the screen.
func (br *browser) settle() {
	br.t.Helper()
	eval[bool](br, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// show goes to another fragment, as a click on a link does.
func (br *browser) show(fragment string) {
	br.t.Helper()
	eval[string](br, fmt.Sprintf(`location.hash = %q`, fragment))
	br.settle()
}

// click clicks on the first element of a CSS selector.
func (br *browser) click(selector string) {
	br.t.Helper()
	br.Click(selector)
	br.settle()
}

// press types keys.
func (br *browser) press(keys string) {
	br.t.Helper()
	browsertest.Run(br.Tab, chromedp.KeyEvent(keys))
	br.settle()
}

// shortcut presses the key of a character. The browser types the character
// unless the page handles it.
func (br *browser) shortcut(key string) {
	br.t.Helper()
	browsertest.Call(br.Tab, input.DispatchKeyEvent,
		input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
	br.settle()
}

func (br *browser) want(expression, want string) {
	br.t.Helper()
	if got := eval[string](br, "String("+expression+")"); got != want {
		br.t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

// picture saves a picture of the page, for people to view.
func (br *browser) picture(name string) {
	br.t.Helper()
	br.settle()
	br.Picture(name)
}

// brightness returns the mean of a small picture of the page, from 0 to 255.
func (br *browser) brightness() int {
	br.t.Helper()
	br.settle()
	small := &page.Viewport{Width: 1280, Height: 800, Scale: 0.125}
	taken := browsertest.Call(br.Tab, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: small})
	img, err := png.Decode(bytes.NewReader(taken.Data))
	if err != nil {
		br.t.Fatal(err)
	}
	sum, n := 0, 0
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			sum += int(r+g+b) / 3 >> 8
			n++
		}
	}
	return sum / n
}
