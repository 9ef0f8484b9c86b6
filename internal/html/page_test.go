package html_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/internal/audit"
	"rollcall/internal/browsertest"
	"rollcall/internal/html"
)

var screens = []string{"overview", "accounts", "keys", "credentials", "mfa", "changes", "controls"}

// TestPage opens one page in a browser and uses it in every way that a person
// does.
func TestPage(t *testing.T) {
	b, s := organization(t, html.Options{Made: made, Program: "rollcall 1.0.0", Organizations: []string{"o-a1b2c3"},
		Skipped: []html.Skipped{{Account: "444455556666", Name: "old lab", Status: "suspended"}}},
		40, 120, 8, 0, 300, 60, 12, 90)
	for _, a := range s.Accounts[:3] {
		b.History(past(a, 12))
	}
	br := open(t, b, s)
	d := data(t, write(t, b, s))
	t.Run("screens", func(t *testing.T) { testScreens(br.in(t), s) })
	t.Run("accounts", func(t *testing.T) { testAccounts(br.in(t), s) })
	t.Run("filters", func(t *testing.T) { testFilters(br.in(t), s, d) })
	t.Run("hostile", func(t *testing.T) { testHostile(br.in(t)) })
	t.Run("details", func(t *testing.T) { testDetails(br.in(t)) })
	t.Run("order", func(t *testing.T) { testOrder(br.in(t)) })
	t.Run("changes", func(t *testing.T) { testChanges(br.in(t)) })
	t.Run("address", func(t *testing.T) { testAddress(br.in(t)) })
	t.Run("keyboard", func(t *testing.T) { testKeyboard(br.in(t)) })
	t.Run("print", func(t *testing.T) { testPrint(br.in(t), s) })
	t.Run("colours", func(t *testing.T) { testColours(br.in(t)) })
	t.Run("phone", func(t *testing.T) { testPhone(br.in(t)) })
}

// TestPageOfLittle looks at pages without accounts, and at pages of reports
// that contain almost nothing.
func TestPageOfLittle(t *testing.T) {
	benchmark, _ := audit.FindBenchmark(audit.DefaultBenchmark)
	br := open(t, html.New(html.Options{}), &audit.Summary{Benchmark: benchmark})
	for _, screen := range screens {
		br.show("#" + screen)
	}
	auditor, err := audit.New(audit.Options{EveryRow: true})
	if err != nil {
		t.Fatal(err)
	}
	b := html.New(html.Options{})
	p := person{rand.New(rand.NewPCG(1, 2))}
	for _, csv := range [][]byte{
		p.csv("111122223333", 20), p.csv("111122223333", 3), []byte("no report"), []byte("user,arn\nx,y\n"),
		[]byte("user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated\n" +
			"x,arn:aws-cn:iam::444455556666:user/x,1969-12-31T23:00:00Z,maybe,soon\n"),
	} {
		r := b.Report()
		var src audit.Source
		if string(csv) == "no report" { // a file that names no account is called by its path
			src = audit.Source{Name: "semi.csv", Path: "semi.csv"}
		}
		s, err := auditor.Audit(context.Background(), bytes.NewReader(csv), src, nil, r.Row)
		if err != nil {
			t.Fatal(err)
		}
		r.End(s)
	}
	br = open(t, b, auditor.Summary())
	for _, screen := range screens {
		br.show("#" + screen)
		if screen == "credentials" {
			br.click(`#screen-credentials tr[data-row="0"]`)
		}
		text := eval[string](br, `document.getElementById("screen-`+screen+`").innerText`)
		if found := regexp.MustCompile(`.*(NaN|undefined|null|Infinity|\[object|Invalid).*`).FindString(
			text); found != "" || text == "" {
			t.Errorf("%s says %q", screen, found)
		}
	}
	// A report that nobody could read looks like a missing one, and says why.
	br.show("#accounts")
	br.want(`[...document.querySelectorAll("#screen-accounts tr.missing")].map(r => r.cells[1].textContent + ": " + `+
		`r.cells[2].textContent.slice(0, 25)).join("; ")`,
		"unreadable: The report cannot be read")
	br.want(`document.querySelector("#screen-accounts tr.missing").cells[0].textContent`, "semi.csv")
	br.want(`document.querySelector("#screen-accounts .problems summary").textContent`,
		"semi.csv: 1 problem with the report")
	br.want(`document.querySelector("#screen-accounts .problems details").open`, "true")
	// However long the age of a report is in words, the verdict beside it is whole.
	br.show("#credentials")
	br.want(`[...document.querySelectorAll("#screen-credentials .c-verdict .badge")].filter(b => `+
		`b.parentNode.scrollWidth > b.parentNode.clientWidth || b.textContent.length < 4).length`, "0")
	// Two reports of one account are shown as two accounts.
	br.show("#credentials?account=111122223333~2")
	br.want(`document.querySelector("#screen-credentials .result").textContent.split(" ")[0] > 0`, "true")
	br.show("#credentials?kind=key&account=444455556666")
	br.want(`document.querySelector("#screen-credentials tr[data-row]").cells[3].textContent`, "unreadable")
	br.click(`#screen-credentials tr[data-row="0"]`)
	br.want(`document.querySelector(".detail time").dateTime`, "1969-12-31T23:00:00Z")
}

func testScreens(br *browser, s *audit.Summary) {
	br.visit("")
	br.want(`document.title`, "Overview – Credential audit")
	br.want(`[...document.querySelectorAll("main > .screen")].map(s => s.id.slice(7)).join(" ")`,
		strings.Join(screens, " "))
	for i, screen := range screens {
		br.click(fmt.Sprintf(`nav a:nth-child(%d)`, i+1))
		br.settle()
		br.want(`[...document.querySelectorAll("main > .screen")].filter(s => s.offsetHeight).map(s => s.id).join(" ")`,
			"screen-"+screen)
		br.want(`document.querySelector("nav [aria-current=page]").dataset.screen`, screen)
		br.want(`document.querySelector("main > .screen:not([hidden])").innerText.length > 200`, "true")
	}
	head := eval[string](br, `document.getElementById("header").innerText.replace(/\s+/g, " ")`)
	for _, want := range []string{
		"10 accounts", "630 users", "generated 2026-11-23 10:20 UTC", "2 accounts without report", "2 stale",
		fmt.Sprint(s.Counts.Severities[audit.High][audit.Fail]) + " fail high",
		fmt.Sprint(s.Counts.Total[audit.NoData]) + " no data",
		fmt.Sprint(s.Counts.Suppressed) + " excused",
	} {
		if !strings.Contains(head, want) {
			br.t.Errorf("the head has no %q: %s", want, head)
		}
	}
}

// Accounts without a report come first, in red and with the reason. The worst
// account follows.
func testAccounts(br *browser, s *audit.Summary) {
	br.visit("#accounts")
	rows := eval[[]string](br,
		`[...document.querySelectorAll("#screen-accounts tr[data-row]")].map(r => r.innerText.replace(/\s+/g, " "))`)
	if len(rows) != len(s.Accounts) {
		br.t.Errorf("%d accounts are shown, want %d", len(rows), len(s.Accounts))
	}
	for i, want := range []string{"acquired-corp 999988887700 no report There is no report: AccessDenied",
		"999988887701 no report There is no report: Throttling", "payments"} {
		if !strings.HasPrefix(rows[i], want) {
			br.t.Errorf("row %d is %q, want %q…", i, rows[i], want)
		}
	}
	br.want(`getComputedStyle(document.querySelector("#screen-accounts tr.missing td")).color`, "rgb(163, 20, 27)")
	br.want(`[...document.querySelectorAll("#screen-accounts tr[data-row]")].slice(2, 5).map(r => `+
		`r.cells[9].textContent).join(", ")`,
		"1 key · used 16 d ago, used 74 d ago · password, MFA, password, MFA · used 154 d ago")
	staging := s.Accounts[1]
	want := fmt.Sprintf("staging 111122223301 2026-11-23 81 min %d 0 0 120 %d %% %d/%d",
		staging.Counts.Total[audit.Fail], 100*staging.Stats.ConsoleUsersMFA/staging.Stats.ConsoleUsers,
		staging.Stats.ConsoleUsersMFA, staging.Stats.ConsoleUsers)
	if !strings.Contains(strings.Join(rows, "\n"), want) {
		br.t.Errorf("no row has %q:\n%s", want, strings.Join(rows, "\n"))
	}
	// If accounts are sorted by the age of their reports, those of unknown age
	// come first.
	br.click(`#screen-accounts th:nth-child(2) button`)
	br.want(`[...document.querySelectorAll("#screen-accounts tr[data-row] td:first-child b")].slice(2, 5).map(b => `+
		`b.textContent).join(" ")`, "archive security shared services")
	br.want(`document.querySelector("#screen-accounts th[aria-sort]").innerText + `+
		`document.querySelector("#screen-accounts th[aria-sort]").ariaSort`, "Reportascending")
	testAccountArrows(br)
	br.click(`#screen-accounts th:nth-child(1) button`)
	br.want(`document.querySelector("#screen-accounts tr[data-row] b").textContent`, "999988887701")
	br.click(`#screen-accounts th:nth-child(1) button`)
	br.want(`document.querySelector("#screen-accounts tr[data-row] b").textContent`, "staging")
	br.want(`location.hash`, "#accounts?sort=account&direction=descending")
}

// testAccountArrows presses the head of each column that sorts. The cells are
// then in the order of the arrow. Accounts without a report stay first.
func testAccountArrows(br *browser) {
	for column, value := range map[int]string{
		2: `r.cells[1].querySelector("time").dateTime`, 3: `Number(r.cells[2].textContent.replace(",", ""))`,
		6: `Number(r.cells[5].textContent)`,
		7: `parseInt(r.cells[6].textContent) || (r.cells[6].textContent.startsWith("–") ? 101 : 0)`,
		8: `Number(r.cells[7].textContent)`, 9: `Number(r.cells[8].textContent)`,
	} {
		for range 2 {
			br.click(fmt.Sprintf(`#screen-accounts th:nth-child(%d) button`, column))
			br.want(fmt.Sprintf(`(() => {
				const values = [...document.querySelectorAll("#screen-accounts tr[data-row]")].slice(2).map(r => %s);
				const up = document.querySelector("#screen-accounts th:nth-child(%d)").ariaSort === "ascending";
				return values.every((v, i) => !i || (up ? values[i-1] <= v : values[i-1] >= v)) ? "sorted" : up + ": " + values })()`, value, column), "sorted")
			br.want(`document.querySelectorAll("#screen-accounts tr.missing")[1].dataset.row`, "1")
		}
	}
	br.show("#accounts")
	br.want(`document.querySelectorAll("#screen-accounts th[aria-sort]").length`,
		"0") // no column's arrow shows the first order, worst first
}

// Every filter shows as many lines as the audit counted.
func testFilters(br *browser, s *audit.Summary, d pageData) {
	all := 0
	var kinds [6]int
	none, services := 0, 0
	for _, r := range d.Rows {
		all += r.Credentials
		for i, w := range r.What {
			kinds[w]++
			if r.Found[i] == 0 {
				none++
			}
		}
		for i, name := range r.Name {
			if strings.HasPrefix(name, "svc-erp") {
				services += r.Held[i]
			}
		}
	}
	control := func(id audit.ControlID) audit.ControlCounts {
		for _, c := range s.Counts.Controls {
			if c.Control.ID == id {
				return c
			}
		}
		panic(id)
	}
	if control(audit.KeyAge).Suppressed == 0 {
		br.t.Error("nothing in the fixture is excused")
	}
	sandbox := s.Accounts[4]
	for filter, want := range map[string]int{
		"":                                all,
		"account=111122223304":            d.Rows[4].Credentials,
		"account=000000000000":            0,
		"kind=password":                   kinds[1],
		"kind=key":                        kinds[2] + kinds[3],
		"kind=certificate":                kinds[4] + kinds[5],
		"class=machine&kind=password":     0,
		"class=root&account=111122223302": d.Rows[2].Held[0],
		"status=none":                     none,
		"status=excused":                  s.Counts.Suppressed,
		"control=C9&status=FAIL":          control(audit.KeyAge).Statuses[audit.Fail],
		"control=C9&status=excused":       control(audit.KeyAge).Suppressed,
		"control=C5&status=FAIL":          control(audit.ConsoleMFA).Statuses[audit.Fail],
		"control=C7&status=FAIL":          control(audit.PasswordUnused).Statuses[audit.Fail],
		"control=C1&severity=critical": control(audit.RootActiveKey).Statuses[audit.Fail] +
			control(audit.RootActiveKey).Statuses[audit.NoData],
		"q=svc-erp":                          services,
		"q=SVC-ERP%20nowhere":                0,
		"q=111122223304":                     d.Rows[4].Credentials,
		"account=111122223304&mfa=no":        sandbox.Stats.ConsoleUsers - sandbox.Stats.ConsoleUsersMFA,
		"mfa=yes&account=111122223304":       sandbox.Stats.ConsoleUsersMFA,
		"account=111122223304&status=NODATA": 0,
	} {
		br.show("#credentials?" + filter)
		got := eval[string](br, `document.querySelector("#screen-credentials .result").textContent`)
		text := fmt.Sprintf("%d of %s lines", want, thousands(all))
		if want == all {
			text = thousands(all) + " lines"
		}
		if got != text {
			br.t.Errorf("%s: %q, want %q", filter, got, text)
		}
		if rows := eval[int](br, `document.querySelectorAll("#screen-credentials tr[data-row]").length`); rows != min(
			want, rows) || want > 0 && rows == 0 {
			br.t.Errorf("%s: %d rows exist for %d lines", filter, rows, want)
		}
	}
	br.show("#credentials?q=nobody-of-this-name")
	br.want(`document.querySelector("#screen-credentials tr.empty").innerText.startsWith("No credential matches `+
		`the filters.")`, "true")
	br.Window(900, 800)
	br.show("#credentials?q=nobody-of-that-name")
	br.want(`(() => { const t = document.querySelector("#screen-credentials table"), last = `+
		`[...t.rows[0].cells].filter(th => th.offsetParent).at(-1); return `+
		`Math.round(t.getBoundingClientRect().right - last.getBoundingClientRect().right) })()`, "0")
	br.Window(1280, 800)
	br.show("#credentials?kind=certificate")
	br.want(`[...document.querySelectorAll("#screen-credentials tr[data-row] td:nth-child(6)")].every(td => `+
		`td.innerText === "not reported")`, "true")
	br.want(`[...document.querySelectorAll("#screen-credentials tr[data-row] td:nth-child(4)")].some(td => `+
		`td.scrollWidth > td.clientWidth)`, "false")
	// The numbers of the histogram lead to as many keys.
	br.show("#keys?account=111122223304")
	number := eval[string](br,
		`document.querySelector(".histogram tr.open td:nth-child(4) a").textContent`)
	br.click(`.histogram tr.open td:nth-child(4) a`)
	br.settle()
	br.want(`document.querySelector("#screen-credentials .result").textContent.split(" ")[0]`, number)
	br.want(`[...document.querySelectorAll("#screen-credentials .chip")].map(c => c.textContent).join(", ")`,
		"key over 360 days old ✕, verdict FAIL ✕, clear all")
	br.click(`#screen-credentials .chip.clear`)
	br.want(`document.querySelector("#screen-credentials .result").textContent`, thousands(all)+" lines")
	// Choosing and typing have the same effect as the address.
	eval[any](br, `(() => { const s = document.querySelectorAll("#screen-credentials select")[3]; s.value = "FAIL"; `+
		`s.dispatchEvent(new Event("change")) })()`)
	browsertest.Run(br.Tab, chromedp.SendKeys(chromedp.CSS(`#screen-credentials input`), "svc-erp"))
	br.settle()
	br.want(`location.hash`, "#credentials?status=FAIL&q=svc-erp")
	br.want(`[...document.querySelectorAll("#screen-credentials tr[data-row]")].every(r => `+
		`r.cells[1].textContent.startsWith("svc-erp") && r.cells[8].textContent.includes("FAIL"))`, "true")
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// Text of a report stays text.
func testHostile(br *browser) {
	br.Window(1280, 2400) // for all lines
	defer br.Window(1280, 800)
	br.visit("#credentials?account=111122223300")
	names := eval[[]string](br,
		`[...document.querySelectorAll("#screen-credentials tr[data-row]")].map(r => r.cells[1].textContent)`)
	for _, want := range []string{hostile[0], hostile[1], hostile[2], `line\u{2028}separator`, `over\u{202e}ride`,
		hostile[5], `\u{1} \u{2} 007 2026-01-01T00:00:00Z`} {
		if !strings.Contains(strings.Join(names, "\n"), want) {
			br.t.Errorf("no user %q in %q", want, names)
		}
	}
	br.show("#changes?account=111122223300")
	br.want(`document.querySelectorAll("img, iframe, object, main script").length`, "0")
	br.want(`document.title`, "Changes – Credential audit")
	// Text of an address stays text too.
	for _, hash := range []string{"#__proto__", "#accounts?sort=__proto__",
		"#credentials?sort=constructor&open=x&age=9&__proto__=1", "#mfa?sort=toString",
		"#changes?account=%3Cimg%3E&sort=x", "#%"} {
		br.show(hash)
	}
}

func testDetails(br *browser) {
	br.visit("#credentials?account=111122223302&class=root")
	br.want(`[...document.querySelectorAll("#screen-credentials td.mark")].map(td => td.className.split(" ")[0] + " `+
		`" + td.title.split(":")[0]).join(", ")`, "c-state C1, c-date C9, c-date C4, c-state C18")
	br.click(`#screen-credentials tr[data-row="0"]`)
	br.settle()
	text := eval[string](br, `document.querySelector(".detail").innerText.replace(/\s+/g, " ")`)
	for _, want := range []string{
		"<root_account> key 1", "arn:aws:iam::111122223302:root", "2026-11-23 06:", "reports/111122223302.csv, line 2",
		"C1 Root has no active access key critical", "Root has an active access key, created 20",
		"the limit is 90 days", "✕ FAIL C1",
	} {
		if !strings.Contains(text, want) {
			br.t.Errorf("the details have no %q: %s", want, text)
		}
	}
	br.want(`document.querySelectorAll(".detail svg .made").length`, "1")
	// An excused finding still says FAIL, and names its exception.
	br.visit("#credentials?status=excused")
	br.click(`#screen-credentials tr[data-row="0"]`)
	br.settle()
	br.want(`/FAIL excused.*Excused by `+
		`EX-2026-014/.test(document.querySelector(".detail").innerText.replace(/\s+/g, " "))`, "true")
	// Dates have their age beside them.
	br.want(`/^\d{4}-\d\d-\d\d \d+ days?$/.test([...document.querySelectorAll("#screen-credentials `+
		`td.c-date")].at(0).innerText.replace(/\s+/g, " "))`, "true")
}

func testOrder(br *browser) {
	br.visit("#credentials?kind=key")
	br.click(`#screen-credentials th:nth-child(6) button`)
	br.settle()
	br.want(`location.hash`, "#credentials?kind=key&sort=used")
	dates := `[...document.querySelectorAll("#screen-credentials tr[data-row]")].map(r => ` +
		`(r.cells[5].querySelector("time") || {dateTime: "never"}).dateTime)`
	br.want(`(() => { const d = `+dates+`; return d.length > 20 && d.every((t, i) => !i || d[i-1] <= t) })()`, "true")
	br.click(`#screen-credentials th:nth-child(6) button`)
	br.settle()
	br.want(`(() => { const d = `+dates+`.filter(t => t !== "never"); return d.every((t, i) => !i || d[i-1] >= t) })()`,
		"true")
	br.want(`document.querySelector("#screen-credentials th[aria-sort]").ariaSort`, "descending")
}

func testChanges(br *browser) {
	br.visit("#accounts")
	br.visit("#changes?account=" +
		eval[string](br, `document.querySelector("#screen-accounts tr.missing .id").textContent`))
	br.want(`document.querySelector("#screen-changes tr.empty").innerText`, "No users are known.")
	br.visit("#changes?account=111122223300")
	br.want(`document.querySelectorAll("#screen-changes .timeline .dot").length`, "12")
	br.want(`document.querySelectorAll("#screen-changes .step").length`, "11")
	br.want(`document.querySelectorAll("#screen-changes details .step").length`, "3")
	br.want(`document.querySelector("#screen-changes .step h3").innerText.replace(/\s+/g, " ")`,
		"2026-11-23 09:39 UTC · 7 days after the previous report ✕ 1 newly failing − 1 removed")
	br.want(`document.querySelector("#screen-changes .step tr .why").textContent`, "The user had MFA, and has none.")
	br.want(`document.querySelector("#screen-changes .step tr:nth-child(2) .why").textContent.slice(0, 50)`,
		"2.12 Active access keys are young enough fails. Th")
	br.want(`document.querySelector("#screen-changes .step .usual").textContent`,
		"Not listed: 1 × key used for the first time, 5 × password used.")
	br.show("#changes?account=111122223300&sort=rotated")
	br.want(`[...document.querySelectorAll("#screen-changes .step td.sign")].map(td => td.textContent).join("")`, "↻↻↻")
	br.want(`document.querySelectorAll("#screen-changes .strips tr[data-row] svg").length > 5`, "true")
	br.show("#changes?account=111122223305")
	br.want(`document.querySelector("#screen-changes .history").textContent`,
		"There is no earlier report of this account to compare with.")
	br.show("#accounts")
	br.want(`[...document.querySelectorAll("#screen-accounts tr[data-row]")].find(r => `+
		`r.textContent.startsWith("production")).cells[10].innerText`, "+1 −0")
}

// The address contains the selection, and opening it shows the same.
func testAddress(br *browser) {
	br.visit("#credentials?account=111122223301&class=human&kind=password&status=FAIL&control=C7&q=ada")
	br.want(`[...document.querySelectorAll("#screen-credentials select, #screen-credentials input")].map(e => `+
		`e.value).join(" ")`, "ada 111122223301 human password FAIL C7")
	shown := eval[string](br, `document.querySelector("#screen-credentials tbody").innerText`)
	br.click(`#screen-credentials tr[data-row="1"]`)
	br.settle()
	hash := eval[string](br, `location.hash`)
	detail := eval[string](br, `document.querySelector(".detail").innerText`)
	br.visit(hash)
	br.want(`document.querySelector("#screen-credentials tbody").innerText`, shown)
	br.want(`document.querySelector(".detail").innerText`, detail)
	br.want(`document.querySelector("#screen-credentials tr[aria-selected]").dataset.row`, "1")
	br.show("#mfa")
	browsertest.Run(br.Tab, chromedp.NavigateBack())
	br.settle()
	br.want(`location.hash`, hash)
	br.want(`document.querySelector("#screen-credentials").hidden`, "false")
}

// The table has a row for each of 1,000 lines, but only the rows in view exist.
// The arrow keys move through it.
func testKeyboard(br *browser) {
	br.visit("")
	br.shortcut("4")
	br.want(`location.hash`, "#credentials")
	br.shortcut("/")
	br.want(`document.activeElement.type`, "search")
	br.press("sandbox")
	br.want(`location.hash`, "#credentials?q=sandbox")
	// Past the choices and the buttons of the head to the table.
	for range 30 {
		if br.press(kb.Tab); eval[string](br, `document.activeElement.getAttribute("role") || ""`) == "grid" {
			break
		}
		br.want(`getComputedStyle(document.activeElement).outlineStyle`, "solid")
	}
	br.want(`document.activeElement.getAttribute("aria-label")`, "Credentials")
	active := `document.getElementById(document.activeElement.getAttribute("aria-activedescendant")).dataset.row`
	br.press(kb.ArrowDown + kb.ArrowDown)
	br.want(active, "1")
	br.press(kb.Enter)
	br.want(`document.querySelector(".detail").hidden`, "false")
	first := eval[string](br, `document.querySelector(".detail").innerText`)
	br.press(kb.ArrowDown)
	br.want(active, "2")
	if second := eval[string](br, `document.querySelector(".detail").innerText`); second == first {
		br.t.Error("the details are still those of the previous row")
	}
	br.press(kb.Escape)
	br.want(`document.querySelector(".detail").hidden`, "true")
	br.want(`document.activeElement.getAttribute("role")`, "grid")
	br.press(kb.End)
	count := eval[int](br, `Number(document.activeElement.getAttribute("aria-rowcount"))`)
	br.want(active, fmt.Sprint(count-2))
	br.want(`(() => { const row = document.querySelector("[aria-selected]").getBoundingClientRect(), box = `+
		`document.querySelector("#screen-credentials .list").getBoundingClientRect(); return row.top >= box.top && `+
		`row.bottom <= box.bottom + 1 })()`, "true")
	if rows := eval[int](br, `document.querySelectorAll("#screen-credentials tr[data-row]").length`); rows > 80 ||
		count < 400 {
		br.t.Errorf("%d rows exist of %d", rows, count)
	}
	// list.js relies on this
	br.want(`[...document.querySelectorAll("#screen-credentials tr[data-row]")].every(r => r.offsetHeight === 27)`,
		"true")
	br.press(kb.Home)
	br.want(active, "0")
	// In the table of accounts the arrow keys choose a number to follow.
	br.shortcut("2")
	eval[any](br, `document.querySelector("#screen-accounts table").focus()`)
	br.press(kb.ArrowDown + kb.ArrowDown + kb.ArrowDown + kb.ArrowRight)
	br.want(`document.querySelectorAll(".chosen").length`, "1")
	br.press(kb.Enter)
	br.want(`location.hash`, "#credentials?account=111122223302&status=FAIL")
}

// paper holds the parts and figures of a printed page.
type paper struct {
	Parts, Cover, Scope, Method, Filters string
	Rows, Signatures, Groups             int
	Reasons                              bool
}

// A printed page has a cover, the scope, the method, every screen in turn with
// all rows, and a place to sign.
func testPrint(br *browser, s *audit.Summary) {
	br.visit("#credentials?account=111122223302&status=FAIL")
	lines := br.lines()
	eval[any](br, `(addEventListener("beforeprint", () => {
		const text = (selector) => document.querySelector(selector).innerText.replace(/\s+/g, " ");
		window.printed = {
			parts: [...document.querySelectorAll("main > :not([hidden])")].map(e => e.className.split(" ")[1]).join(" "),
			cover: text(".cover"), scope: text(".scope"), method: text(".method"),
			signatures: document.querySelectorAll(".sign-off tbody tr").length,
			groups: document.querySelectorAll("#control-C5 .group").length,
			rows: document.querySelectorAll("#screen-credentials tr[data-row]").length,
			filters: document.querySelector("#screen-credentials .print-only").textContent,
			reasons: [...document.querySelectorAll("#screen-credentials td.why")].some(td =>
				td.querySelectorAll("p").length > 1),
		} }), 0)`)
	br.Scheme("dark") // paper is white anyway
	pdf := browsertest.Run(br.Tab, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	br.Scheme("light")
	br.Save("page.pdf", pdf)
	got := eval[paper](br, `window.printed`)
	want := "cover scope method s-overview s-controls s-accounts s-keys s-mfa s-changes s-credentials sign-off"
	if got.Parts != want {
		br.t.Errorf("the parts are %s, want %s", got.Parts, want)
	}
	if got.Rows != lines || got.Signatures != 3 || got.Groups != 4 || !got.Reasons ||
		got.Filters != "account: 111122223302, status: FAIL" {
		br.t.Errorf("the printed page has %+v, want %d rows", got, lines)
	}
	for _, want := range []string{
		"Organization o-a1b2c3", "Accounts 10, 2 of them without a readable report; 1 more was not audited",
		"Period Reports generated 2026-11-22 00:10 UTC to 2026-11-23 09:39 UTC, compared with reports since 2026-09-07",
		"CIS Amazon Web Services Foundations Benchmark 7.0 (cis-7.0)", "Controls: " + s.Counts.OutcomesInWords(),
		fmt.Sprintf("%d FAIL, %d NO DATA", s.Counts.Total[audit.Fail], s.Counts.Total[audit.NoData]),
		"Generated 2026-11-23 10:20 UTC", "Tool rollcall 1.0.0",
	} {
		if !strings.Contains(got.Cover, want) {
			br.t.Errorf("the cover has no %q: %s", want, got.Cover)
		}
	}
	for _, a := range s.Accounts {
		if !strings.Contains(got.Scope, a.Source.Account) {
			br.t.Errorf("the scope has no account %s", a.Source.Account)
		}
	}
	for _, want := range []string{"Not audited. There is no report: Throttling",
		"444455556666 old lab Not audited. The account is suspended."} {
		if !strings.Contains(got.Scope, want) {
			br.t.Errorf("the scope has no %q: %s", want, got.Scope)
		}
	}
	if !strings.Contains(got.Method, "NO DATA is never counted as passed") {
		br.t.Errorf("the method does not say what NO DATA means: %s", got.Method)
	}
	if !bytes.Contains(pdf, []byte("/MediaBox [0 0 841.91998 594.95996]")) {
		br.t.Error("the page is not A4 in landscape")
	}
	br.want(`[...document.querySelectorAll(".screen")].filter(s => !s.hidden).map(s => s.id).join()`,
		"screen-credentials")
	br.want(`document.querySelectorAll(".paper").length + " " + `+
		`document.querySelectorAll("#screen-credentials tr[data-row]").length < "0 80"`, "true")
	br.want(`[...document.querySelectorAll("main > .screen")].map(s => s.id.slice(7)).join(" ")`,
		strings.Join(screens, " "))
}

// testColours takes pictures in light and dark, and finds text with too little
// contrast. WCAG 2.2 requires 4.5.
func testColours(br *browser) {
	br.visit("")
	for _, scheme := range []string{"light", "dark"} {
		br.Scheme(scheme)
		for _, screen := range screens {
			br.show("#" + screen)
			if screen == "credentials" {
				br.show("#credentials?q=svc-erp")
				br.click(`#screen-credentials tr[data-row="2"]`)
			}
			for _, bad := range eval[[]string](br, contrast) {
				br.t.Errorf("%s, %s: %s", scheme, screen, bad)
			}
			br.picture(screen + "-" + scheme)
			if light := br.brightness(); (light > 128) != (scheme == "light") {
				br.t.Errorf("%s, %s: the picture has a brightness of %d", scheme, screen, light)
			}
		}
	}
	br.Window(900, 800)
	for _, screen := range screens {
		br.show("#" + screen)
		if screen == "accounts" || screen == "credentials" {
			br.picture(screen + "-narrow")
		}
		br.want(`document.documentElement.scrollWidth`, "900")
	}
	br.Window(1280, 800)
	// The choice of a person takes precedence over the setting of the system.
	br.want(`document.getElementById("theme").textContent`, "Colours: auto")
	br.click(`#theme`)
	br.want(`document.getElementById("theme").textContent + getComputedStyle(document.body).backgroundColor`,
		"Colours: lightrgb(255, 255, 255)")
	br.click(`#theme`)
	br.Scheme("light")
	br.want(`document.getElementById("theme").textContent + getComputedStyle(document.body).backgroundColor`,
		"Colours: darkrgb(21, 24, 28)")
	br.click(`#theme`)
}

// testPhone looks at the page at the width of a phone: nothing is cut off,
// every tab can be reached, and tables show what matters.
func testPhone(br *browser) {
	br.Window(360, 740)
	defer br.Window(1280, 800)
	br.visit("")
	br.want(`[...document.querySelectorAll("nav a")].every(a => { const r = a.getBoundingClientRect(); return r.left `+
		`>= 0 && r.right <= 360 })`, "true")
	for _, scheme := range []string{"light", "dark"} {
		br.Scheme(scheme)
		for _, screen := range screens {
			br.show("#" + screen)
			switch screen {
			case "changes":
				br.show("#changes?account=111122223300")
			case "credentials": // with the reasons
				br.show("#credentials?status=FAIL")
				br.want(`[...document.querySelectorAll("#screen-credentials tr[data-row]")].every(r => `+
					`r.offsetHeight === 64 && r.querySelector("td.why").offsetHeight > 30 && `+
					`/C\d+ \w+ /.test(r.querySelector("td.why").innerText))`, "true")
			}
			br.want(`document.documentElement.scrollWidth`, "360")
			if screen == "controls" { // with every verdict that a person must look at
				br.want(`[...document.querySelectorAll(".controls th")].filter(th => th.offsetParent).map(th => `+
					`th.textContent).join()`, "Number,Control,FAIL,NO DATA,WARN,MANUAL")
			}
			br.want(`[...document.querySelectorAll("#screen-`+screen+
				` .list th")].filter(th => th.offsetParent && th.className !== "bar" && th.scrollWidth > `+
				`th.clientWidth).map(th => th.innerText).join()`, "")
			br.want(`[...document.querySelectorAll("#screen-`+screen+
				` .list b.id")].filter(b => b.offsetParent && b.closest("td").scrollWidth > `+
				`b.closest("td").clientWidth).map(b => b.innerText).join()`, "")
			br.picture("phone-" + screen + "-" + scheme)
		}
	}
	br.Scheme("light")
	br.show("#credentials?kind=certificate")
	br.want(`[...document.querySelectorAll("#screen-credentials td.c-what")].filter(td => td.scrollWidth > `+
		`td.clientWidth).map(td => td.textContent).join()`, "")
}

// contrast lists the elements with text of too little contrast.
const contrast = `(() => {
	const rgb = (c) => { const n = c.match(/[\d.]+/g).map(Number); return c.startsWith("color(") ? [...n.slice(0, 3).map(x => x * 255), n[3] ?? 1] : [n[0], n[1], n[2], n[3] ?? 1] };
	const luminance = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c } return [255, 255, 255] };
	const bad = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (!e.offsetParent && !(e instanceof SVGElement) || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		if (["SCRIPT", "NOSCRIPT", "OPTION", "STYLE", "title"].includes(e.tagName) || !e.getClientRects().length) continue;
		const style = getComputedStyle(e);
		const [a, b] = [luminance(rgb(e instanceof SVGElement ? style.fill : style.color)), luminance(behind(e))].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) bad.add(e.tagName + "." + (e.getAttribute("class") || "") + " " + e.textContent.slice(0, 30) + ": " + ratio.toFixed(2));
	}
	return [...bad];
})()`
