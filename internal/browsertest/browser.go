// Package browsertest drives Debian's Chromium for the tests of our pages.
package browsertest

import (
	"context"
	"errors"
	"os/exec"
	"sync"

	"github.com/chromedp/chromedp"

	"rollcall/internal/testrun"
)

// Main runs the tests of a package, and ends the browser that they share. The
// TestMain of every package that opens tabs calls it.
func Main(m testrun.Tests) int {
	shared.ends = true
	defer shared.end()
	return m.Run()
}

// shared holds the browser of the test program. To start one takes longer than
// most tests of a page.
var shared browser

// noFeatures names what the browser does without: the bubble with offers to
// translate, and the pages below the field for addresses, which each window would
// load before it is used. They take half the processor time of opening a window.
const noFeatures = "Translate,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"

type browser struct {
	ends bool // Main ends it

	mu     sync.Mutex
	ctx    context.Context // nil before it is started
	cancel context.CancelFunc
}

// program returns the name of the browser: the shell without windows if it is
// installed, which takes less processor time.
func program() string {
	const shell = "chromium-headless-shell"
	if _, err := exec.LookPath(shell); err == nil {
		return shell
	}
	return "chromium"
}

// start starts the browser unless it runs.
func (b *browser) start() error {
	if !b.ends {
		return errors.New("no TestMain calls browsertest.Main")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx != nil {
		return nil
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // containers have none, and the pages are our own
		chromedp.ExecPath(program()), chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-features", noFeatures))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		end()
		return err
	}
	b.ctx, b.cancel = ctx, func() { cancel(); end() }
	return nil
}

// end ends the browser if it runs.
func (b *browser) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cancel != nil {
		b.cancel()
	}
}
