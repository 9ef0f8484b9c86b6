package html_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/audit"
	"rollcall/internal/html"
	"rollcall/report"
)

func write(t testing.TB, b *html.Builder, s *audit.Summary) string {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(&out, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// contents of all elements of a name.
func contents(page, element string) []string {
	var list []string
	for _, m := range regexp.MustCompile(`(?s)<`+element+`[^>]*>(.*?)</`+element+`>`).FindAllStringSubmatch(page, -1) {
		list = append(list, m[1])
	}
	return list
}

type pageData struct {
	Page struct {
		Title    string
		LeftOut  struct{ Found, Fine int }
		Accounts []struct {
			Account  string
			Missing  bool
			Problems []audit.Problem
			History  *struct{ Snapshots []struct{ Users int } }
			KeyBins  [][]int
			Controls [][]int
		}
	}
	// Rows are those of each account, joined from the blocks of the page.
	Rows []rowData
}

type rowData struct {
	Of, Users, Credentials, Findings int
	Name                             []string
	Held, What, Found, Verdict       []int
}

func data(t testing.TB, page string) (d pageData) {
	t.Helper()
	scripts := contents(page, "script")
	if err := json.Unmarshal([]byte(scripts[0]), &d.Page); err != nil {
		t.Fatal(err)
	}
	var blocks []rowData
	if err := json.Unmarshal([]byte(scripts[1]), &blocks); err != nil {
		t.Fatal(err)
	}
	d.Rows = make([]rowData, len(d.Page.Accounts))
	for _, b := range blocks {
		r := &d.Rows[b.Of]
		r.Users, r.Credentials, r.Findings = r.Users+b.Users, r.Credentials+b.Credentials, r.Findings+b.Findings
		r.Name = append(r.Name, b.Name...)
		r.Held, r.What = append(r.Held, b.Held...), append(r.What, b.What...)
		r.Found, r.Verdict = append(r.Found, b.Found...), append(r.Verdict, b.Verdict...)
	}
	return d
}

func TestNothingEscapesTheData(t *testing.T) {
	b, s := organization(t, html.Options{Title: `A </title><script>alert(1)</script> & co`}, len(hostile))
	page := write(t, b, s)
	scripts := contents(page, "script")
	if len(scripts) != 3 || strings.Count(page, "<script") != 3+strings.Count(scripts[2], "<script") {
		t.Errorf("the page has %d scripts, want the data, the rows and the program", strings.Count(page, "<script"))
	}
	for _, data := range scripts[:2] {
		if i := strings.IndexAny(data, "<>&\u2028\u2029"); i >= 0 {
			t.Errorf("the data has %q", data[i:i+20])
		}
	}
	if got := contents(page, "title"); len(got) != 1 || strings.ContainsAny(got[0], "<>") {
		t.Errorf("titles are %q", got)
	}
	d := data(t, page)
	if d.Page.Title != `A </title><script>alert(1)</script> & co` {
		t.Errorf("title came back as %q", d.Page.Title)
	}
	for _, want := range hostile {
		if !slices.Contains(d.Rows[0].Name, want) {
			t.Errorf("name %q is not in %q", want, d.Rows[0].Name)
		}
	}
}

func TestPolicyLetsNothingElseRun(t *testing.T) {
	b, s := organization(t, html.Options{}, 3)
	page := write(t, b, s)
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
	hash := func(content string) string {
		sum := sha256.Sum256([]byte(content))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := "default-src 'none'; script-src " + hash(contents(page, "script")[2]) + "; style-src " +
		hash(contents(page, "style")[0]) +
		"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	if policy != want {
		t.Errorf("policy is\n%s, want\n%s", policy, want)
	}
	if strings.Index(page, "Content-Security-Policy") > strings.Index(page, "<style") {
		t.Error("the policy comes after content that it must restrict")
	}
	ours := page
	for _, data := range contents(page, "script")[:2] {
		ours = strings.Replace(ours, data, "", 1)
	}
	for _, foreign := range []string{"src=", "@import", "url(", "innerHTML", "outerHTML",
		"insertAdjacentHTML", "eval(", "fetch("} {
		if strings.Contains(ours, foreign) {
			t.Errorf("the page has %s", foreign)
		}
	}
	for _, address := range regexp.MustCompile(`https?://[^'" )]*`).FindAllString(ours, -1) {
		if address != "http://www.w3.org/2000/svg" { // the name of a namespace
			t.Errorf("the page names %s", address)
		}
	}
}

func TestEveryFindingIsInTheData(t *testing.T) {
	b, s := organization(t, html.Options{}, 40, 0, 25)
	d := data(t, write(t, b, s))
	var want, got [audit.NumStatuses]int
	for i := range want {
		if audit.Reported.Has(audit.Status(i)) {
			want[i] = s.Counts.Total[i]
		}
	}
	excused, users := 0, 0
	for i, r := range d.Rows {
		if s.Accounts[i].Missing != d.Page.Accounts[i].Missing ||
			d.Page.Accounts[i].Account != s.Accounts[i].Source.Account {
			t.Errorf("account %d is %+v", i, d.Page.Accounts[i])
		}
		if len(r.Name) != r.Users || len(r.What) != r.Credentials || len(r.Verdict) != r.Findings ||
			total(r.Held) != r.Credentials || total(r.Found) != r.Findings {
			t.Errorf("account %d: the columns have other lengths than the counts say", i)
		}
		users += r.Users
		for _, v := range r.Verdict {
			if v&64 != 0 {
				excused++
			} else {
				got[v&7]++
			}
		}
	}
	if got != want || excused != s.Counts.Suppressed {
		t.Errorf("findings by status are %v and %d excused, want %v and %d", got, excused, want, s.Counts.Suppressed)
	}
	if users < 40 {
		t.Errorf("the page has %d users", users)
	}
}

func total(list []int) (n int) {
	for _, i := range list {
		n += i
	}
	return n
}

// A user without findings and credentials has no line. Every credential has
// one, in the order of the row.
func TestEveryCredentialIsInTheData(t *testing.T) {
	b := html.New(html.Options{})
	r := b.Report()
	at := report.At(made)
	for _, row := range []report.Row{
		{User: "nobody"},
		{User: "all", PasswordEnabled: report.True,
			Keys:         [2]report.Key{{LastRotated: at}, {Active: report.True, LastRotated: at}},
			Certificates: [2]report.Certificate{{Active: report.True, LastRotated: at}, {LastRotated: at}}},
		{User: "legacy", PasswordEnabled: report.NoBool(report.NotSupported), PasswordLastUsed: at},
		{User: "certificate", Certificates: [2]report.Certificate{1: {Active: report.True, LastRotated: at}}},
	} {
		if err := r.Row(&audit.Row{Line: 2, Report: &row}); err != nil {
			t.Fatal(err)
		}
	}
	account := &audit.AccountSummary{}
	r.End(account)
	benchmark, _ := audit.FindBenchmark(audit.DefaultBenchmark)
	got := data(t, write(t, b,
		&audit.Summary{Benchmark: benchmark, Accounts: []*audit.AccountSummary{account}})).Rows[0]
	if names := strings.Join(got.Name, " "); names != "all legacy certificate" {
		t.Errorf("users are %s", names)
	}
	if want := []int{1, 2, 3, 4, 5, 1, 5}; !equal(got.What, want) {
		t.Errorf("lines are %v, want %v", got.What, want)
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Rows that do not fit are counted. Users with findings are kept before others.
func TestMaxCredentials(t *testing.T) {
	b, s := organization(t, html.Options{}, 30)
	all := data(t, write(t, b, s)).Rows[0]
	found := 0
	for _, n := range all.Found {
		if n > 0 {
			found++
		}
	}
	b, s = organization(t, html.Options{MaxCredentials: all.Credentials - 1}, 30)
	d := data(t, write(t, b, s))
	kept := 0
	for _, n := range d.Rows[0].Found {
		if n > 0 {
			kept++
		}
	}
	if d.Page.LeftOut.Fine == 0 || d.Page.LeftOut.Found != 0 || kept != found ||
		d.Rows[0].Credentials+d.Page.LeftOut.Fine != all.Credentials {
		t.Errorf("the page lists %d of %d credentials, %d of %d with findings, and leaves out %+v",
			d.Rows[0].Credentials, all.Credentials, kept, found, d.Page.LeftOut)
	}
	b, s = organization(t, html.Options{MaxCredentials: 10}, 30)
	d = data(t, write(t, b, s))
	if n := d.Rows[0].Credentials; n > 10 || n < 6 || d.Page.LeftOut.Found == 0 {
		t.Errorf("the page lists %d credentials and leaves out %+v, want 6 to 10, and some with findings left out",
			n, d.Page.LeftOut)
	}
	if d.Page.Accounts[0].KeyBins == nil || len(d.Page.Accounts[0].Controls) != len(s.Counts.Controls) {
		t.Error("the figures of the account are not in the page")
	}
}

func TestSummaryOfAnotherRun(t *testing.T) {
	b, _ := organization(t, html.Options{}, 3)
	_, other := organization(t, html.Options{}, 3)
	var out bytes.Buffer
	if err := b.Write(&out, other); err == nil || out.Len() > 0 {
		t.Errorf("a page of two runs: %v, %d bytes", err, out.Len())
	}
}

// An audit that was abandoned has a Report without an end.
func TestReportWithoutEnd(t *testing.T) {
	b, s := organization(t, html.Options{}, 3)
	r := b.Report()
	r.Row(&audit.Row{Line: 2, Report: &report.Row{User: "given-up", PasswordEnabled: report.True}})
	if page := write(t, b, s); strings.Contains(page, "given-up") {
		t.Error("the page has a row of a report whose audit did not finish")
	}
}

// The same audit gives the same page, byte for byte.
func TestSamePage(t *testing.T) {
	b, s := organization(t, html.Options{Made: made}, 30, 10)
	c, u := organization(t, html.Options{Made: made}, 30, 10)
	if write(t, b, s) != write(t, c, u) {
		t.Error("two pages of one audit differ")
	}
}
