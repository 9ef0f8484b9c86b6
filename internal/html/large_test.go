package html_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/internal/html"
)

// A page of 100,000 credentials is small enough to send, is soon there to be
// read, and filters while one types. The limits are wide, for a machine that is
// busy with other tests; the figures are in the log.
func TestHundredThousandCredentials(t *testing.T) {
	start := time.Now()
	b, s := organization(t, html.Options{Made: made}, 21000, 15000, 10000, 9000, 5000, 2500, 600, 500)
	for _, a := range s.Accounts[:8] {
		b.History(past(a, 52))
	}
	audited := time.Since(start)
	br := open(t, b, s)
	br.visit("#credentials")
	lines := eval[int](br,
		`Number(document.querySelector("#screen-credentials .result").textContent.replace(/\D/g, ""))`)
	t.Logf("%d lines in %.1f MB, audited in %v", lines, float64(br.size)/1e6, audited.Round(time.Millisecond))
	if lines < 100_000 || br.size > 15e6 {
		t.Errorf("the page has %d lines in %d bytes", lines, br.size)
	}
	ready := eval[float64](br, `performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd`)
	t.Logf("ready after %.0f ms", ready)
	if ready > 10_000 {
		t.Errorf("the page is ready after %.0f ms", ready)
	}
	for _, filter := range []string{"status=FAIL", "status=FAIL&control=C9&class=machine", "q=svc-erp",
		"q=svc-erp%20sandbox", "age=5&idle=3", "sort=used", "sort=user", "sort=user&direction=descending"} {
		ms := eval[float64](br, fmt.Sprintf(`new Promise(done => {
			const start = performance.now();
			addEventListener("hashchange", () => { document.body.offsetHeight; done(performance.now() - start) }, {once: true});
			location.hash = "#credentials?%s";
		})`, filter))
		t.Logf("%s: %.0f ms, %s", filter, ms,
			eval[string](br, `document.querySelector("#screen-credentials .result").textContent`))
		if ms > 5_000 {
			t.Errorf("%s takes %.0f ms", filter, ms)
		}
	}
	scroll := eval[float64](br, `new Promise(done => {
		const box = document.querySelector("#screen-credentials .list");
		let frames = 0;
		const start = performance.now(), step = () => { box.scrollTop += 20000; ++frames < 30 ? requestAnimationFrame(step) : done((performance.now() - start) / frames) };
		step();
	})`)
	t.Logf("scrolling: %.0f ms a frame", scroll)
	if rows := eval[int](br, `document.querySelectorAll("#screen-credentials tr[data-row]").length`); rows > 80 {
		t.Errorf("%d rows exist", rows)
	}
}
