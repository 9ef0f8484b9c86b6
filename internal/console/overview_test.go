package console_test

import (
	"bytes"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// large returns a world whose account has many users with old keys and
// passwords.
func large(t *testing.T, users int) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.db")
	w := newWorld(t, func(c *service.Config) {
		c.Store, c.CallTimeout = store.Config{Path: path}, time.Minute
	})
	w.user("alice", everything)
	db, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := storetest.Seed(t.Context(), db, account, users); err != nil {
		t.Fatal(err)
	}
	return w
}

var (
	figures = regexp.MustCompile(
		`<a(?: class="[^"]*")? href="(/console/report\?[^"]*)"(?: class="zero")?>(?:<b>)?([0-9,]+)`,
	)
	results = regexp.MustCompile(`<p class="found" role="status"><b>([0-9,]+)`)
)

// figure reads a number with grouped digits.
func figure(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFigures follows every figure of the overview and of the findings to its
// rows, and counts the rows.
func TestFigures(t *testing.T) {
	t.Parallel()
	w := large(t, 60)
	p := w.signedIn("alice")
	p.get("/console/").want(t, 200, "<h1>Overview</h1>", "There is no credential report yet", "Make a new report")
	p.get("/console/findings").want(t, 200, "There is no credential report yet", "Make a new report")
	p.makeReport()
	for _, path := range []string{"/console/overview", "/console/findings", "/console/findings?benchmark=strict"} {
		got := p.settled(path)
		got.want(t, 200)
		found := figures.FindAllStringSubmatch(got.body, -1)
		if len(found) < 8 {
			t.Errorf("%s has %d figures", path, len(found))
		}
		for _, f := range found {
			if strings.Contains(f[1], "at=") {
				continue // a report of the trend
			}
			address, want := html.UnescapeString(f[1]), figure(t, f[2])
			rows := p.settled(address)
			shown := results.FindStringSubmatch(rows.body)
			if shown == nil || figure(t, shown[1]) != want {
				t.Errorf("%s: %s leads to %q, want %d", path, address, shown, want)
			}
		}
	}
	p.settled("/console/findings?control=C9").want(t, 200, "key:2024-01-01", "What to do", "user-0000000")
	p.settled("/console/findings?control=C9&page=2").want(t, 200, "user-")
	p.get("/console/findings?control=C6").want(t, 404) // belongs to another benchmark
	p.settled("/console/findings?control=C6&benchmark=strict").want(t, 200)
}

// TestOverviewChange checks the changes since the previous report.
func TestOverviewChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p := w.signedIn("alice")
	p.makeReport()
	if got := p.settled("/console/overview"); strings.Contains(got.body, "Since the previous report") {
		t.Error("there is a report before the first")
	}
	time.Sleep(1100 * time.Millisecond)
	w.user("bob", "")
	p.makeReport()
	got := p.settled("/console/overview")
	got.want(t, 200, "Since the previous report", "1 new", "bob", "Trend")
	if n := strings.Count(got.body, `data-label="Failed"`); n != 2 ||
		!strings.Contains(got.body, `<rect class="s-`) {
		t.Errorf("%d reports in the trend", n)
	}
}

// TestPagesDenied checks that AWS's sentence replaces everything that a person
// may not read.
func TestPagesDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.user("bob", "")
	w.signedIn("alice").makeReport()
	p := w.signedIn("bob")
	denied := "User: arn:aws:iam::" + account + ":user/bob is not authorized to perform: iam:GetCredentialReport"
	for path, status := range map[string]int{
		"/console/overview": 200, "/console/findings": 200, "/console/findings?control=C5": 200,
		"/console/findings/plan": 403,
	} {
		got := p.get(path)
		got.want(t, status, denied)
		if strings.Contains(got.body, "alice") {
			t.Errorf("bob sees %s", path)
		}
	}
}

// TestPlan downloads the plan that package plan creates from the same report.
func TestPlan(t *testing.T) {
	t.Parallel()
	w := large(t, 40)
	p := w.signedIn("alice")
	p.get("/console/findings/plan").want(t, 404)
	p.makeReport()
	content := w.newest()
	day := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	planned, err := plan.New(plan.Options{Start: day, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	auditor, err := audit.New(audit.Options{Statuses: audit.SetOf(audit.Fail, audit.Warn)})
	if err != nil {
		t.Fatal(err)
	}
	made := p.made()
	src := audit.Source{Account: account, Generated: made, Fetched: made}
	planned.Begin(src, plan.Service{Known: true, Endpoint: w.url}, made)
	of, err := auditor.Audit(t.Context(), bytes.NewReader(content), src, nil, planned.Row)
	if err != nil {
		t.Fatal(err)
	}
	if err := planned.End(of); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := planned.Script(&want, "rollcall"); err != nil {
		t.Fatal(err)
	}
	got := p.settled("/console/findings/plan?start=2027-03-01")
	if got.body != want.String() || planned.Total == 0 {
		t.Errorf("the script differs from the plan of %d credentials:\n%.2000s", planned.Total, got.body)
	}
	if !strings.Contains(got.header.Get("Content-Disposition"), `filename="plan-`+account+`-2027-03-01.sh"`) {
		t.Errorf("%v", got.header)
	}
	p.settled("/console/findings/plan?format=md").want(t, 200, "# ")
	p.settled("/console/findings/plan?format=json").want(t, 200, `"account"`)
	p.get("/console/findings/plan?format=exe").want(t, 400)
	p.get("/console/findings/plan?start=soon").want(t, 400)
}

// made returns the time of the newest report.
func (p *person) made() time.Time {
	p.w.t.Helper()
	found := regexp.MustCompile(`generated <time datetime="([^"]+)"`).FindStringSubmatch(p.settled("/console/report").body)
	if found == nil {
		p.w.t.Fatal("the page does not say the time of the report")
	}
	made, err := time.Parse(time.RFC3339, found[1])
	if err != nil {
		p.w.t.Fatal(err)
	}
	return made
}

// TestLargeReport checks the size of every page about a large account, and logs
// how long the server takes. ROLLCALL_LARGE_USERS sets the number of users.
func TestLargeReport(t *testing.T) {
	t.Parallel()
	users := 3000
	if text := os.Getenv("ROLLCALL_LARGE_USERS"); text != "" {
		users = figure(t, text)
	}
	w := large(t, users)
	p := w.signedIn("alice")
	p.makeReport()
	time.Sleep(1100 * time.Millisecond)
	if _, err := w.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("alice")}); err != nil {
		t.Fatal(err)
	}
	p.makeReport()
	every := "&col=" + strings.Join([]string{
		"arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
		"password_next_rotation",
		"mfa_active", "access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
		"access_key_1_last_used_region", "access_key_1_last_used_service", "access_key_2_active", "access_key_2_last_rotated",
		"access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service", "cert_1_active",
		"cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated", "additional_credentials_info",
	}, "&col=")
	for _, path := range []string{
		"/console/overview", "/console/findings", "/console/findings?control=C9", "/console/findings?control=C9&page=20",
		"/console/report", "/console/report?sort=password_last_used&turned=yes", "/console/report?q=999",
		"/console/report?page=30",
		"/console/report?keys=active" + every, "/console/report/user?name=user-0000011", "/console/report/history",
		"/console/report/compare",
	} {
		got := p.settled(path)
		wellMade(t, got, 200)
		start := time.Now()
		p.settled(path)
		t.Logf("%s: %d kB, %v", path, len(got.body)/1000, time.Since(start).Round(time.Millisecond))
	}
}

// TestExceptions checks that pages list only the account's exceptions, and use
// the operator's configuration.
func TestExceptions(t *testing.T) {
	t.Parallel()
	one := func(id, account string) string {
		return `
  - {id: ` + id + `, control: C5, account: "` + account + `", user: alice, reason: "<b>moves",
     owner: o, ticket: t, expires: 2099-01-01}`
	}
	config, err := audit.ReadConfig(strings.NewReader("version: 1\nprofile: strict\nexceptions:"+
		one("ours", account)+one("theirs", "210987654321")), false)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *service.Config) { c.Audit = config })
	w.user("alice", everything)
	p := w.signedIn("alice")
	p.makeReport()
	got := p.settled("/console/findings")
	got.want(t, 200, "ours", "&lt;b&gt;moves", "Rollcall strict", "excused")
	if strings.Contains(got.body, "theirs") {
		t.Error("the exception of another account is listed")
	}
	p.settled("/console/report?status=excused").want(t, 200, "1 finding in 1 of 2 rows")
	p.settled("/console/findings?control=C5").want(t, 200, "Exception ours", "FAIL excused")
	p.settled("/console/findings?benchmark=cis-7.0").want(t, 200, "CIS Amazon")
}
