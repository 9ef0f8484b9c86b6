package html_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"

	"rollcall/internal/browsertest"
	"rollcall/internal/html"
)

// large is the number of credentials, in thousands, of the page that cannot list
// all of them.
var large = flag.Int("thousands", 12, "thousands of credentials for TestTooManyCredentials, which lists a quarter")

// cpu returns the milliseconds of processor time that the page has used.
func (br *browser) cpu() float64 {
	br.t.Helper()
	result := browsertest.Call(br.Tab, performance.GetMetrics, cdp.Empty{})
	for _, m := range result.Metrics {
		if m.Name == "TaskDuration" {
			return m.Value * 1000
		}
	}
	br.t.Fatal("the browser does not report its processor time")
	return 0
}

// measureCPU makes cpu return processor time, which other work on the machine
// hardly changes.
func (br *browser) measureCPU() {
	br.t.Helper()
	browsertest.Call(br.Tab, performance.Enable,
		performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
}

// ready opens the page again, and returns how long that takes and how much
// processor time it uses.
func (br *browser) ready(fragment string) (ms, cpu float64) {
	br.t.Helper()
	br.Navigate("about:blank")
	before := br.cpu()
	br.Navigate(br.url + fragment)
	eval[bool](br, `document.documentElement.dataset.ready === "yes"`)
	cpu = br.cpu()
	if cpu > before {
		cpu -= before // a new process counts from 0
	}
	return eval[float64](br, `performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd`), cpu
}

// A page of 100,000 credentials is small enough to send, is ready quickly, and
// filters while a person types. The limits are generous, because other tests
// may keep the machine busy. The log has the figures.
func TestHundredThousandCredentials(t *testing.T) {
	start := time.Now()
	b, s := organization(t, html.Options{Made: made}, 21000, 15000, 10000, 9000, 5000, 2500, 600, 500)
	for _, a := range s.Accounts[:8] {
		b.History(past(a, 52))
	}
	audited := time.Since(start)
	br := open(t, b, s)
	br.measureCPU()
	for _, screen := range []string{"#overview", "#credentials"} {
		ms, cpu := br.ready(screen)
		t.Logf("%s is ready after %.0f ms, %.0f ms of the processor", screen, ms, cpu)
		if cpu > 2_000 {
			t.Errorf("%s takes %.0f ms of the processor", screen, cpu)
		}
	}
	lines := eval[int](br,
		`Number(document.querySelector("#screen-credentials .result").textContent.replace(/\D/g, ""))`)
	t.Logf("%d lines in %.1f MB, audited in %v", lines, float64(br.size)/1e6, audited.Round(time.Millisecond))
	if lines < 100_000 || br.size > 15e6 {
		t.Errorf("the page has %d lines in %d bytes", lines, br.size)
	}
	for _, filter := range []string{"status=FAIL", "status=FAIL&control=C9&class=machine", "q=svc-erp",
		"q=svc-erp%20sandbox", "age=5&verdict=FAIL", "sort=used", "sort=user", "sort=user&direction=descending"} {
		before := br.cpu()
		ms := eval[float64](br, fmt.Sprintf(`new Promise(done => {
			const start = performance.now();
			addEventListener("hashchange", () => { document.body.offsetHeight; done(performance.now() - start) }, {once: true});
			location.hash = "#credentials?%s";
		})`, filter))
		cpu := br.cpu() - before
		t.Logf("%s: %.0f ms, %.0f ms of the processor, %s", filter, ms, cpu,
			eval[string](br, `document.querySelector("#screen-credentials .result").textContent`))
		if cpu > 1_000 {
			t.Errorf("%s takes %.0f ms of the processor", filter, cpu)
		}
	}
	scroll := eval[float64](br, `new Promise(done => {
		const box = document.querySelector("#screen-credentials .list");
		let frames = 0;
		const start = performance.now(), step = () => {
			box.scrollTop += 20000;
			if (++frames < 30) requestAnimationFrame(step); else done((performance.now() - start) / frames);
		};
		step();
	})`)
	t.Logf("scrolling: %.0f ms a frame", scroll)
	if rows := eval[int](br, `document.querySelectorAll("#screen-credentials tr[data-row]").length`); rows > 80 {
		t.Errorf("%d rows exist", rows)
	}
}

// A page that cannot list all credentials says what it leaves out, counts
// everything, and stays small. 'make bench' runs it with a million.
func TestTooManyCredentials(t *testing.T) {
	users := *large * 1000 * 5 / 8 // each has about 1.6 credentials
	o := html.Options{Made: made, MaxCredentials: min(*large*1000/4, html.DefaultMaxCredentials)}
	b, s := organization(t, o, users/2, users/4, users/4)
	br := open(t, b, s)
	br.measureCPU()
	for _, screen := range []string{"#overview", "#credentials"} {
		ms, cpu := br.ready(screen)
		t.Logf("%s is ready after %.0f ms, %.0f ms of the processor", screen, ms, cpu)
		if cpu > 2_000 {
			t.Errorf("%s takes %.0f ms of the processor", screen, cpu)
		}
	}
	t.Logf("%.1f MB", float64(br.size)/1e6)
	if br.size > 30e6 {
		t.Errorf("the page has %d bytes", br.size)
	}
	lines := br.lines()
	if lines > o.MaxCredentials {
		t.Errorf("the page lists %d credentials", lines)
	}
	d := data(t, write(t, b, s))
	out := d.Page.LeftOut.Found + d.Page.LeftOut.Fine
	br.want(`document.querySelector("#screen-credentials p.alarm").innerText.split(" because")[0]`,
		thousands(out)+" credentials are not listed,")
	br.show("")
	br.want(`document.querySelector(".f-accounts .big").innerText`, "3")
	keys := 0
	for _, a := range s.Accounts {
		keys += a.Stats.ActiveKeys
	}
	br.show("#keys")
	br.want(`document.querySelector(".histogram tfoot .total").textContent.replaceAll(",", "")`, fmt.Sprint(keys))
}
