package console_test

import (
	"bytes"
	"encoding/csv"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
)

// settled requests a page until its content is complete.
func (p *person) settled(path string) answer {
	p.w.t.Helper()
	for range 600 {
		got := p.get(path)
		if got.header.Get("Refresh") == "" {
			return got
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.w.t.Fatalf("%s is never settled", path)
	return answer{}
}

// makeReport generates a report with the page's button and waits for it.
func (p *person) makeReport() {
	p.w.t.Helper()
	got := p.post("/console/report", "do", "generate")
	for range 600 {
		if got.header.Get("Refresh") == "" {
			break
		}
		time.Sleep(20 * time.Millisecond)
		got = p.get(got.path)
	}
	if !strings.Contains(got.body, "The report is complete.") {
		p.w.t.Fatalf("no report was created: %d %s %s", got.status, got.path, got.body)
	}
}

// rows returns the users whose rows a page of the report shows.
func (a answer) rows() (users []string) {
	shown := regexp.MustCompile(`<tr><th scope="row"><a href="[^"]*"><bdi>([^<]*)</bdi>`)
	for _, found := range shown.FindAllStringSubmatch(a.body, -1) {
		users = append(users, html.UnescapeString(found[1]))
	}
	return users
}

// newest returns the newest report from the SDK.
func (w *world) newest() []byte {
	w.t.Helper()
	out, err := w.iam.GetCredentialReport(w.t.Context(), &iam.GetCredentialReportInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Content
}

// TestReport generates the first report of an account and reads it.
func TestReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.user("bob", "")
	if _, err := w.iam.CreateAccessKey(t.Context(),
		&iam.CreateAccessKeyInput{UserName: aws.String("bob")}); err != nil {
		t.Fatal(err)
	}
	p := w.signedIn("alice")
	p.get("/console/report").want(t, 200, "There is no credential report yet", "Make a new report")
	p.get("/console/report/history").want(t, 200, "There is no report yet")
	p.get("/console/report/compare").want(t, 200, "There are not yet two reports")
	p.makeReport()
	got := p.settled("/console/report")
	got.want(t, 200, "3 rows", "The newest report", ">C5</span>", `class="mark fail"`)
	if want := []string{"<root_account>", "alice", "bob"}; !slices.Equal(sorted(got.rows()), want) {
		t.Errorf("rows %q", got.rows())
	}
	for query, want := range map[string][]string{
		"?q=B&match=prefix&sort=user":     {"bob"},
		"?q=li":                           {"alice"},
		"?sort=user":                      {"<root_account>", "alice", "bob"},
		"?sort=user&turned=yes":           {"bob", "alice", "<root_account>"},
		"?mfa=no&sort=user":               {"alice", "bob"},
		"?class=machine":                  nil,
		"?keys=active":                    {"<root_account>", "bob"},
		"?control=C5&status=FAIL&q=alice": {"alice"},
		"?sort=password_last_used":        {"alice", "<root_account>", "bob"},
	} {
		if got := p.settled("/console/report" + query); !slices.Equal(sorted(got.rows()), sorted(want)) {
			t.Errorf("%s: %q, want %q", query, got.rows(), want)
		}
	}
	for query, texts := range map[string][]string{
		"?keys=active":            {"2 keys in 2 of 3 rows"},
		"?control=C5&status=FAIL": {"2 findings in 2 of 3 rows"},
		"?q=zoe":                  {"No row is as the filters ask."},
		"?col=arn&col=mfa_active": {"arn:aws:iam::" + account + ":user/alice"},
		"?benchmark=strict":       {"C6"},
	} {
		p.settled("/console/report"+query).want(t, 200, texts...)
	}
	for _, query := range []string{
		"?class=boss", "?age=99", "?page=0", "?at=yesterday", "?benchmark=none", "?status=%3Cb%3E",
	} {
		p.get("/console/report"+query).want(t, 400)
	}
	p.get("/console/report?at=2001-01-01").want(t, 404, "No report is kept")
	p.get("/console/report/user?name=zoe").want(t, 404)
	p.settled("/console/report/user?name=bob").want(t, 200, "access_key_1_active", "Nothing changed in 1 report", "C5")
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// TestReportCSV downloads the newest report and an earlier one, and compares them
// with GetCredentialReport.
func TestReportCSV(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.user("o=neil+a,b@example.com", "")
	p := w.signedIn("alice")
	p.makeReport()
	first := w.newest()
	time.Sleep(1100 * time.Millisecond) // addresses identify reports by their second
	w.user("carol", "")
	p.makeReport()
	second := w.newest()
	got := p.get("/console/report/csv")
	if got.body != string(second) || got.header.Get("Content-Type") != "text/csv; charset=utf-8" ||
		!strings.Contains(got.header.Get("Content-Disposition"), `filename="credential-report-`+account+"-") {
		t.Errorf("%v\n%s\nwant\n%s", got.header, got.body, second)
	}
	times := regexp.MustCompile(`/console/report/csv\?at=([^"]+)"`).
		FindAllStringSubmatch(p.get("/console/report/history").body, -1)
	if len(times) != 2 {
		t.Fatalf("%d reports in the history", len(times))
	}
	if got := p.get("/console/report/csv?at=" + times[1][1]); got.body != string(first) || bytes.Equal(first, second) {
		t.Errorf("the earlier report is\n%s", got.body)
	}
	p.settled("/console/report?at="+times[1][1]).want(t, 200, "An earlier report", "3 of 3 rows"[5:])
	if got := p.settled("/console/report?at=" + times[1][1]); slices.Contains(got.rows(), "carol") {
		t.Error("carol is in the earlier report")
	}
	p.settled("/console/report/user?name=carol").want(t, 200, "There is a new user", "Newly failing C5")
	got = p.settled("/console/report/compare?old=" + times[1][1] + "&new=" + times[0][1])
	got.want(t, 200, "New findings: 1", "There is a new user", "carol")
	// The opposite order gives the same page.
	p.settled("/console/report/compare?old="+times[0][1]+"&new="+times[1][1]).want(t, 200, "New findings: 1")
	p.get("/console/report/compare?old="+times[0][1]+"&new="+times[0][1]).want(t, 400)
	p.settled("/console/report/compare").want(t, 200, "New findings: 1", "carol")
	if strings.Index(got.body, "New findings") > strings.Index(got.body, "What happened") {
		t.Error("new findings do not come first")
	}
}

// TestReportDenied checks AWS's sentences for denied calls.
func TestReportDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.user("bob", "")
	reads := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetCredentialReport","Resource":"*"}}`
	w.user("carol", reads)
	w.signedIn("alice").makeReport()
	denied := "User: arn:aws:iam::" + account + ":user/bob is not authorized to perform: iam:GetCredentialReport"
	p := w.signedIn("bob")
	got := p.get("/console/report")
	got.want(t, 200, denied)
	if strings.Contains(got.body, "alice") {
		t.Error("bob sees the report")
	}
	for _, path := range []string{"/csv", "/history", "/user?name=alice", "/compare"} {
		got := p.get("/console/report" + path)
		got.want(t, 403, denied)
		if strings.Contains(got.body, "alice") {
			t.Errorf("bob sees %s", path)
		}
	}
	p.post("/console/report", "do", "generate").
		want(t, 403, "is not authorized to perform: iam:GenerateCredentialReport")
	got = w.signedIn("carol").settled("/console/report")
	got.want(t, 200, "4 rows", `aria-disabled="true"`, "is not authorized to perform: iam:GenerateCredentialReport")
}

// TestReportOfAnother checks that no address leads from one account to the
// report of another.
func TestReportOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	p := w.signedIn("alice")
	p.makeReport()
	p.settled("/console/report").want(t, 200, "alice")
	other := w.another("210987654321")
	other.get("/console/report?account="+account).want(t, 200, "There is no credential report yet")
	for _, path := range []string{"/csv", "/csv?account=" + account, "/user?name=alice"} {
		other.get("/console/report"+path).want(t, 404)
	}
	other.makeReport()
	if got := other.settled("/console/report"); strings.Contains(got.body, "alice") ||
		!slices.Equal(got.rows(), []string{"<root_account>"}) {
		t.Errorf("rows %q", got.rows())
	}
}

// TestReportHostile uses names that contain markup, a formula or an address.
func TestReportHostile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	for _, name := range []string{"=cmd+a", "@SUM", "-1+1", "a,b", "...", "x=1@y.z"} {
		w.user(name, "")
	}
	p := w.signedIn("alice")
	p.makeReport()
	got := p.settled("/console/report?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&sort=%22onload=x&col=%3Cimg%3E")
	wellMade(t, got, 200)
	if strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "<img>") {
		t.Error("what was asked for became markup")
	}
	got = p.settled("/console/report?sort=user")
	links := regexp.MustCompile(`href="(/console/report/user\?[^"]*)"`)
	for _, found := range links.FindAllStringSubmatch(got.body, -1) {
		address := html.UnescapeString(found[1])
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		one := p.settled(address)
		wellMade(t, one, 200)
		if name := u.Query().Get("name"); !strings.Contains(html.UnescapeString(one.body), "<h1>"+name+"</h1>") {
			t.Errorf("the page of %q has another title", name)
		}
	}
	if rows, err := csv.NewReader(strings.NewReader(p.get("/console/report/csv").body)).ReadAll(); err != nil ||
		len(rows) != 9 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// another creates a second account and signs in its root user.
func (w *world) another(id string) *person {
	w.t.Helper()
	if _, err := w.svc.IAM.CreateAccount(w.t.Context(), identity.AccountSpec{ID: id}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.svc.IAM.SetRootPassword(w.t.Context(), id, seal.NewSecret(rootPassword)); err != nil {
		w.t.Fatal(err)
	}
	p := w.person()
	got := p.post("/console/sign-in", "do", "sign-in", "account", id, "as", "root", "password", rootPassword)
	if !strings.Contains(got.body, "Sign out") {
		w.t.Fatalf("the root of %s is not signed in: %s", id, trouble(got.body))
	}
	return p
}
