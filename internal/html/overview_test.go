package html_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// TestOverview compares every figure of the first screen with the audit's own
// result, and follows its links to the lines that they count.
func TestOverview(t *testing.T) {
	b, s := organization(t, html.Options{Made: made}, 40, 120, 8, 0, 60)
	for i, a := range s.Accounts[:3] {
		b.History(past(a, 12-3*i))
	}
	br := open(t, b, s)
	t.Run("figures", func(t *testing.T) { testFigures(br.in(t), s) })
	t.Run("controls", func(t *testing.T) { testOverviewControls(br.in(t), s) })
	t.Run("severities", func(t *testing.T) { testSeverities(br.in(t), s) })
	t.Run("worst", func(t *testing.T) { testWorst(br.in(t), s) })
	t.Run("heat map", func(t *testing.T) { testHeatMap(br.in(t), s) })
	t.Run("trend", func(t *testing.T) { testTrend(br.in(t), s) })
	t.Run("key ages", func(t *testing.T) { testKeyAges(br.in(t), s) })
	t.Run("groups", func(t *testing.T) { testGroups(br.in(t), s) })
	t.Run("back", func(t *testing.T) { testBack(br.in(t)) })
}

func judged(statuses [audit.NumStatuses]int) int {
	return statuses[audit.Pass] + statuses[audit.Fail] + statuses[audit.NoData] + statuses[audit.Warn]
}

func rate(statuses [audit.NumStatuses]int) string {
	return fmt.Sprintf("%d %%", 100*statuses[audit.Pass]/judged(statuses))
}

func countsOf(s *audit.Summary, id audit.ControlID) audit.ControlCounts {
	i := slices.IndexFunc(s.Counts.Controls, func(c audit.ControlCounts) bool { return c.Control.ID == id })
	return s.Counts.Controls[i]
}

// lines returns how many lines the list of credentials shows.
func (br *browser) lines() int {
	br.t.Helper()
	return eval[int](br, `Number(document.querySelector("#screen-credentials .result").textContent.split(" ")[0]`+
		`.replace(",", ""))`)
}

func testFigures(br *browser, s *audit.Summary) {
	br.visit("")
	console, mfa, keys, failing, known := 0, 0, 0, 0, 0
	for _, a := range s.Accounts {
		console, mfa, keys = console+a.Stats.ConsoleUsers, mfa+a.Stats.ConsoleUsersMFA, keys+a.Stats.ActiveKeys
		if a.Missing {
			continue
		}
		known++
		if a.Counts.Total[audit.Fail] > 0 {
			failing++
		}
	}
	text := func(name string) string {
		return eval[string](br, `document.querySelector(".f-`+name+`").innerText.replace(/\s+/g, " ")`)
	}
	old := countsOf(s, audit.KeyAge)
	for name, want := range map[string]string{
		"rate": fmt.Sprintf("Pass rate %s %s of %s verdicts are PASS. Controls: %s.", rate(s.Counts.Total),
			thousands(s.Counts.Total[audit.Pass]), thousands(judged(s.Counts.Total)), s.Counts.OutcomesInWords()),
		"accounts": fmt.Sprintf("Accounts with findings %d of %d accounts with a report. 2 accounts without", failing, known),
		"mfa":      fmt.Sprintf("People without MFA %d of %d users with a password. Last seen: ", console-mfa, console),
		"keys": fmt.Sprintf("Keys beyond the limit %d of %d active keys are older than 90 days. %d more",
			old.Statuses[audit.Fail], keys, old.Suppressed),
		"since": "Since the last report +3 −1 3 findings are new and 1 is fixed. 3 of 7 accounts have an earlier report.",
	} {
		if got := text(name); !strings.HasPrefix(got, want) {
			br.t.Errorf("the figure is\n%s, want\n%s", got, want)
		}
	}
	br.click(`.f-keys .big a`)
	if got := br.lines(); got != old.Statuses[audit.Fail] {
		br.t.Errorf("the keys beyond the limit are %d lines, want %d", got, old.Statuses[audit.Fail])
	}
	br.show("")
	br.click(`.f-mfa .big a`)
	if got := br.lines(); got != console-mfa {
		br.t.Errorf("the people without MFA are %d lines, want %d", got, console-mfa)
	}
}

func testOverviewControls(br *browser, s *audit.Summary) {
	br.show("")
	rows := eval[[][]string](br,
		`[...document.querySelectorAll(".c-controls tbody tr")].map(r => [...r.cells].map(c => c.innerText.trim()))`)
	if len(rows) != len(s.Counts.Controls) {
		br.t.Errorf("%d controls are shown, want %d", len(rows), len(s.Counts.Controls))
	}
	for _, row := range rows {
		i := slices.IndexFunc(s.Counts.Controls, func(c audit.ControlCounts) bool { return c.Control.Title == row[1] })
		if i < 0 {
			br.t.Errorf("there is no control %q", row[1])
			continue
		}
		c := s.Counts.Controls[i]
		number := strings.Join(c.Control.RequirementIDs(s.Benchmark.ID), ", ")
		if number == "" {
			number = string(c.Control.ID)
		}
		pass := "manual"
		if judged(c.Statuses) > 0 {
			pass = rate(c.Statuses)
		}
		want := []string{number, c.Control.Title, s.Benchmark.Severity(c.Control).String(), "", pass,
			fmt.Sprint(c.Statuses[audit.Fail])}
		if !slices.Equal(row, want) {
			br.t.Errorf("the row is %q, want %q", row, want)
		}
	}
}

func testSeverities(br *browser, s *audit.Summary) {
	br.show("")
	rows := eval[[][]string](br,
		`[...document.querySelectorAll(".c-severities tbody tr")].map(r => [...r.cells].map(c => c.innerText.trim()))`)
	var want [][]string
	for severity := audit.Severity(audit.NumSeverities) - 1; ; severity-- {
		if n := s.Counts.Severities[severity]; judged(n) > 0 {
			want = append(want, []string{severity.String(), "", rate(n), fmt.Sprint(n[audit.Fail])})
		}
		if severity == 0 {
			break
		}
	}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		br.t.Errorf("the severities are\n%q, want\n%q", rows, want)
	}
}

func testWorst(br *browser, s *audit.Summary) {
	br.show("")
	rows := eval[[][]string](br,
		`[...document.querySelectorAll(".c-worst tbody tr")].map(r => [...r.cells].map(c => c.innerText.trim()))`)
	if len(rows) != 4 {
		br.t.Errorf("%d accounts are shown, want the 4 with findings that fail", len(rows))
	}
	for _, row := range rows {
		i := slices.IndexFunc(s.Accounts, func(a *audit.AccountSummary) bool { return a.Source.Name == row[0] })
		if got, want := row[len(row)-1], fmt.Sprint(s.Accounts[i].Counts.Total[audit.Fail]); got != want {
			br.t.Errorf("%s has %s findings that fail, want %s", row[0], got, want)
		}
	}
	if rows[0][0] != "payments" {
		br.t.Errorf("the worst account is %s, want the one with a key of root", rows[0][0])
	}
}

// The cells of the heat map show the figures of the audit for each account.
func testHeatMap(br *browser, s *audit.Summary) {
	br.show("")
	cells := eval[map[string][]string](br, `Object.fromEntries([...document.querySelectorAll(".heat tbody tr")].map(r =>
		[r.cells[0].innerText, [...r.cells].slice(1).map(c => c.innerText)]))`)
	check := func(name string, counts []audit.ControlCounts) {
		for i, c := range counts {
			want := "–"
			switch n := c.Statuses; {
			case n[audit.Fail] > 0:
				want = fmt.Sprint(n[audit.Fail])
			case n[audit.NoData] > 0:
				want = "?"
			case n[audit.Warn] > 0:
				want = fmt.Sprintf("!%d", n[audit.Warn])
			case c.Suppressed > 0:
				want = "exc"
			case n[audit.Manual] > 0:
				want = "◇"
			case n[audit.Pass] > 0:
				want = "✓"
			}
			if got := cells[name]; i >= len(got) || got[i] != want {
				br.t.Errorf("%s, %s: the cells are %q, want %q", name, c.Control.ID, got, want)
			}
		}
	}
	check("All accounts", s.Counts.Controls)
	for _, a := range s.Accounts {
		if !a.Missing {
			check(a.Source.Name, a.Counts.Controls)
		}
	}
	if got := cells["acquired-corp"]; len(got) != 1 || got[0] != "no report" {
		br.t.Errorf("an account without a report has cells %q", got)
	}
	// A cell leads to its lines.
	want := fmt.Sprint(s.Accounts[1].Counts.Controls[controlIndex(s, audit.ConsoleMFA)].Statuses[audit.Fail])
	br.click(`.heat a[href="#credentials?account=111122223301&control=C5&status=FAIL"]`)
	if got := fmt.Sprint(br.lines()); got != want {
		br.t.Errorf("the cell leads to %s lines, want %s", got, want)
	}
}

func controlIndex(s *audit.Summary, id audit.ControlID) int {
	return slices.IndexFunc(s.Counts.Controls, func(c audit.ControlCounts) bool { return c.Control.ID == id })
}

// The last bar of the trend is this audit.
func testTrend(br *browser, s *audit.Summary) {
	br.show("")
	br.want(`document.querySelector(".c-trend svg .value").textContent`, fmt.Sprint(s.Counts.Total[audit.Fail]))
	last := eval[[]string](br, `[...document.querySelector(".c-trend tbody tr:last-child").cells].map(c => c.textContent)`)
	want := []string{"2026-11-23"}
	for severity := audit.NumSeverities - 1; severity >= 0; severity-- {
		if n := s.Counts.Severities[severity][audit.Fail]; n > 0 {
			want = append(want, fmt.Sprint(n))
		}
	}
	want = append(want, fmt.Sprint(s.Counts.Total[audit.Fail]), "5")
	if !slices.Equal(last, want) {
		br.t.Errorf("the last point of the trend is %q, want %q", last, want)
	}
}

// Each figure of the chart of key ages leads to as many keys, and all of them
// together are the active keys.
func testKeyAges(br *browser, s *audit.Summary) {
	br.show("#keys")
	keys := 0
	for _, a := range s.Accounts {
		keys += a.Stats.ActiveKeys
	}
	br.want(`document.querySelector(".histogram tfoot .total").textContent`, fmt.Sprint(keys))
	br.want(`document.querySelector(".histogram .limit").previousElementSibling.cells[0].textContent + " " + `+
		`document.querySelector(".histogram .limit").innerText`, "61–90 limit: 90 days")
	links := eval[[][2]string](br,
		`[...document.querySelectorAll(".histogram tbody td.n a")].map(a => [a.getAttribute("href"), a.textContent])`)
	if len(links) < 30 {
		br.t.Errorf("%d figures have links", len(links))
	}
	for _, link := range links {
		br.show(link[0])
		if got := fmt.Sprint(br.lines()); got != link[1] {
			br.t.Errorf("%s has %s lines, want %s", link[0], got, link[1])
		}
	}
}

// Findings with the same text form one group with the names.
func testGroups(br *browser, s *audit.Summary) {
	br.show("#controls")
	br.click(`#screen-controls [aria-controls="control-C5"]`)
	br.want(`location.hash`, "#controls?control=C5")
	br.want(`document.querySelector("#screen-controls thead").innerText.replace(/\s+/g, " ").slice(0, 23)`,
		"Number Control Severity")
	groups := eval[[]string](br,
		`[...document.querySelectorAll("#control-C5 .group p:first-child")].map(p => p.innerText.replace(/\s+/g, " "))`)
	n := countsOf(s, audit.ConsoleMFA).Statuses[audit.Fail]
	// One of them had an exception in the past, and says so.
	want := []string{fmt.Sprintf("✕ FAIL %d users: The user has a password and no MFA.", n-1),
		"✕ FAIL 1 user: The user has a password and no MFA. Exception EX-2026-002 has expired."}
	if len(groups) != 4 || groups[0] != want[0] || groups[1] != want[1] {
		br.t.Errorf("the groups are %q, want %q and two of reports that are missing", groups, want)
	}
	br.want(`document.querySelectorAll("#control-C5 .group:first-of-type .names a").length`, fmt.Sprint(n-1))
	// Findings that differ only in age are in one group.
	br.show("#controls?control=C9")
	br.want(`document.querySelector("#control-C9 .group p").innerText.replace(/\s+/g, " ").replace(/^.*: /, "")`,
		"The access key is … old, created …; the limit is 90 days.")
	br.click(`#control-C9 .names a`)
	br.want(`document.querySelector(".detail").hidden`, "false")
}

// Back and forward return to what a person chose, but not to what they typed.
func testBack(br *browser) {
	br.visit("#credentials")
	choose := func(select_ int, value string) {
		eval[any](br, fmt.Sprintf(`(() => { const s = document.querySelectorAll("#screen-credentials select")[%d]; `+
			`s.value = %q; s.dispatchEvent(new Event("change")) })()`, select_, value))
		br.settle()
	}
	choose(3, "FAIL")
	all := br.lines()
	choose(1, "machine")
	br.want(`location.hash`, "#credentials?status=FAIL&class=machine")
	eval[any](br, `history.back()`)
	br.settle()
	br.want(`location.hash`, "#credentials?status=FAIL")
	if got := br.lines(); got != all {
		br.t.Errorf("Back leads to %d lines, want %d", got, all)
	}
	eval[any](br, `history.forward()`)
	br.settle()
	br.want(`document.querySelectorAll("#screen-credentials select")[1].value`, "machine")
}

// TestOverviewOfLittle looks at the first screen when there is nothing to
// count.
func TestOverviewOfLittle(t *testing.T) {
	b, s := organization(t, html.Options{})
	br := open(t, b, s)
	br.want(`document.querySelector(".f-since").innerText.replace(/\s+/g, " ")`,
		"Since the last report – There is no earlier report to compare with.")
	br.want(`document.querySelector(".f-accounts .big").innerText`, "0")
	br.want(`document.querySelector(".c-worst").innerText.includes("In no account a finding fails.")`, "true")
	br.want(`document.querySelector(".c-trend").innerText.includes("There is only one report of each account.")`, "true")
	br.show("#changes")
	br.want(`document.querySelector("#screen-changes").innerText.includes("No account has an earlier report")`, "true")
}

// TestOverviewOfOneDay looks at an account with two reports from one day. The
// newer one has no row for root.
func TestOverviewOfOneDay(t *testing.T) {
	auditor, err := audit.New(audit.Options{EveryRow: true, Now: made})
	if err != nil {
		t.Fatal(err)
	}
	root, rest, _ := bytes.Cut(newPerson().csv("111122223333", 2), []byte("\n<root"))
	_, rest, _ = bytes.Cut(rest, []byte("\n"))
	b := html.New(html.Options{})
	r := b.Report()
	of, err := auditor.Audit(t.Context(), io.MultiReader(bytes.NewReader(root), strings.NewReader("\n"),
		bytes.NewReader(rest)), audit.Source{Generated: made, Fetched: made}, nil, r.Row)
	if err != nil || of.ProblemCount > 0 || !of.Incomplete() {
		t.Fatal(of, err)
	}
	r.End(of)
	h := past(of, 2)
	h.Snapshots[0].Generated = made.Add(-time.Minute)
	b.History(h)
	br := open(t, b, auditor.Summary())
	br.want(`document.querySelector(".c-trend p").innerText.startsWith("All reports are of one day. A folder")`, "true")
	br.show("#accounts")
	br.want(`document.querySelector("#screen-accounts .c-account .no-data").title`,
		fmt.Sprintf("%d verdicts without data.", of.Counts.Total[audit.NoData]))
}
