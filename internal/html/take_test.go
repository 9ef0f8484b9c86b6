package html_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/html"
)

// TestTake checks what a person can take from the page: commands, exceptions,
// links and the lines as CSV.
func TestTake(t *testing.T) {
	b, s := organization(t, html.Options{Made: made}, 40, 60)
	br := open(t, b, s)
	// This holds the copied and the saved text.
	eval[any](br, `(navigator.clipboard.writeText = async (text) => { window.copied = text }, 0)`)
	t.Run("command", func(t *testing.T) { testCommand(br.in(t)) })
	t.Run("exception", func(t *testing.T) { testException(br.in(t), s) })
	t.Run("hostile", func(t *testing.T) { testTakeHostile(br.in(t)) })
	t.Run("link", func(t *testing.T) { testLineLink(br.in(t)) })
	t.Run("csv", func(t *testing.T) { testCSV(br.in(t)) })
}

// copied presses a button of the details by its text, and returns what it copies.
func (br *browser) copied(text string) string {
	br.t.Helper()
	return eval[string](br, fmt.Sprintf(`(async () => {
		window.copied = "";
		[...document.querySelectorAll(".detail button")].find(b => b.textContent === %q).click();
		await new Promise(done => setTimeout(done));
		return window.copied })()`, text))
}

// openFirst opens the first line of a filter.
func (br *browser) openFirst(filter string) {
	br.t.Helper()
	br.show("#credentials?" + filter)
	br.click(`#screen-credentials tr[data-row="0"]`)
}

func testCommand(br *browser) {
	br.openFirst("account=111122223301&control=C5&status=FAIL&sort=user")
	user := eval[string](br, `document.querySelector("#screen-credentials tr[data-row] td:nth-child(2)").firstChild.data`)
	want := `test "$(aws sts get-caller-identity --query Account --output text)" = 111122223301 && ` +
		`aws iam delete-login-profile --user-name=` + user
	if got := br.copied("Copy the command"); got != want {
		br.t.Errorf("the command is\n%s, want\n%s", got, want)
	}
	// A command finds a key by its creation time, unless the key's id is known.
	br.openFirst("account=111122223301&control=C9&status=FAIL&kind=key&sort=made")
	user = eval[string](br, `document.querySelector("#screen-credentials tr[data-row] td:nth-child(2)").firstChild.data`)
	day := eval[string](br, `document.querySelector("#screen-credentials tr[data-row] td:nth-child(5) time").dateTime`)
	got := br.copied("Copy the command")
	want = `aws iam update-access-key --user-name=` + user + ` --status Inactive --access-key-id "$(aws iam ` +
		`list-access-keys --user-name=` + user + ` --query "AccessKeyMetadata[?starts_with(CreateDate, '` +
		strings.TrimSuffix(day, "Z") + `')].AccessKeyId" --output text)"`
	if !strings.HasSuffix(got, " && "+want) {
		br.t.Errorf("the command is\n%s, want\n… && %s", got, want)
	}
	for _, shell := range []string{"bash", "dash"} {
		if out, err := exec.Command(shell, "-n", "-c", got).CombinedOutput(); err != nil {
			br.t.Errorf("%s does not read the command: %v %s", shell, err, out)
		}
	}
	// Nothing is automated for root.
	br.openFirst("account=111122223301&class=root&status=found")
	br.want(`[...document.querySelectorAll(".detail button")].some(b => b.textContent === "Copy the command")`, "false")
}

// An exception of the page, filled in, excuses its finding and no other.
func testException(br *browser, s *audit.Summary) {
	for _, filter := range []string{"control=C5&status=FAIL", "control=C9&status=FAIL&kind=key", "control=C7&status=FAIL",
		"control=C8&status=FAIL"} {
		br.openFirst("account=111122223301&sort=user&" + filter)
		block := eval[string](br, fmt.Sprintf(`(async () => {
			const id = %q.slice(8).split("&")[0];
			const all = [...document.querySelectorAll(".detail .finding")];
			const article = all.find(a => a.querySelector("b").textContent === id);
			[...article.querySelectorAll("button")].find(b => b.textContent === "Copy an exception").click();
			await new Promise(done => setTimeout(done));
			return window.copied })()`, filter))
		filled := strings.NewReplacer(`reason: ""`, `reason: "r"`, `owner: ""`, `owner: "o"`, `ticket: ""`,
			`ticket: "t"`).Replace(block)
		if _, err := audit.ReadConfig(strings.NewReader("version: 1\nexceptions:\n"+block), false); err == nil {
			br.t.Errorf("%s: an exception without a reason is accepted:\n%s", filter, block)
		}
		config, err := audit.ReadConfig(strings.NewReader("version: 1\nexceptions:\n"+filled), false)
		if err != nil {
			br.t.Errorf("%s: %v:\n%s", filter, err, filled)
			continue
		}
		auditor, err := audit.New(audit.Options{Now: made, Exceptions: config.Exceptions})
		if err != nil {
			br.t.Fatal(err)
		}
		source := s.Accounts[1].Source
		of, err := auditor.Audit(context.Background(), bytes.NewReader(secondReport()), source, nil, nil)
		if err != nil {
			br.t.Fatal(err)
		}
		if of.Counts.Suppressed != 1 {
			br.t.Errorf("%s: it excuses %d findings, want 1:\n%s", filter, of.Counts.Suppressed, filled)
		}
	}
}

// secondReport is the report of the second account of organization(40, 60).
func secondReport() []byte {
	p := newPerson()
	p.csv("111122223300", 40, hostile...)
	return p.csv("111122223301", 60)
}

// A name that IAM would not accept has no command and no exception.
func testTakeHostile(br *browser) {
	findings := 0
	for _, name := range hostile {
		words := strings.FieldsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
		word := slices.MaxFunc(words, func(a, b string) int { return len(a) - len(b) })
		br.openFirst("account=111122223300&q=" + url.QueryEscape(word))
		br.want(`[...document.querySelectorAll(".detail button")].map(b => b.textContent).join()`,
			"✕,Copy a link to this line")
		findings += eval[int](br, `document.querySelectorAll(".detail .finding").length`)
	}
	if findings < 3 {
		br.t.Errorf("the lines have %d findings", findings)
	}
}

// The link to a line leads to it from any filter.
func testLineLink(br *browser) {
	br.openFirst("account=111122223301&control=C9&status=FAIL&sort=user")
	detail := eval[string](br, `document.querySelector(".detail h3").innerText`)
	address := br.copied("Copy a link to this line")
	if !strings.HasPrefix(address, br.url+"#credentials?open=key-") {
		br.t.Errorf("the link is %s", address)
	}
	br.visit(strings.TrimPrefix(address, br.url))
	br.want(`document.querySelector(".detail h3").innerText`, detail)
	br.show("#credentials?open=key-1/111122223301/nobody")
	br.want(`document.querySelector(".detail").hidden`, "true")
}

// The CSV has the lines of the filter, and no cell that is a formula.
func testCSV(br *browser) {
	br.show("#credentials?account=111122223300&sort=user")
	want := br.lines()
	eval[any](br, `(URL.createObjectURL = (blob) => { window.saved = blob; return "#credentials" }, 0)`)
	br.click(`#screen-credentials .csv`)
	text := eval[string](br, `window.saved.text()`)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != want+1 {
		br.t.Fatalf("the CSV has %d rows, want %d lines and a head: %v", len(rows), want, err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if escape.CSVCell(cell) != cell {
				br.t.Errorf("a cell is %q, want %q", cell, escape.CSVCell(cell))
			}
		}
	}
	if !strings.Contains(text, `'=cmd|' /C calc'!A0`) {
		br.t.Error("no cell has the name that would be a formula")
	}
	first := strings.Join(rows[1], "|")
	for _, column := range []string{"111122223300|production|", "|C", "FAIL"} {
		if !strings.Contains(strings.Join(rows[len(rows)-1], "|")+first, column) {
			br.t.Errorf("the rows have no %q: %s", column, first)
		}
	}
}
