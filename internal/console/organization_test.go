package console_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/internal/browsertest"
	"rollcall/internal/fleet"
	"rollcall/internal/identity"
	"rollcall/internal/service"
)

const organization = "/console/organization"

// member creates an account that the world's account manages.
func (w *world) member(id string) *iam.Client {
	w.t.Helper()
	made, err := w.svc.IAM.CreateAccount(w.t.Context(), identity.AccountSpec{ID: id})
	if err == nil {
		err = w.svc.IAM.ManageAccounts(w.t.Context(), account, []string{id})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.client(made.RootKey.ID, made.RootKey.Secret.Reveal())
}

// accessRole creates the role that an organization has in its members.
func (w *world) accessRole(member *iam.Client, allowed string) {
	w.t.Helper()
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
		"Principal":{"AWS":"` + account + `"}}}`
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + allowed + `","Resource":"*"}}`
	name := aws.String(fleet.DefaultRole)
	_, err := member.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: &trust})
	if err == nil {
		_, err = member.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
			RoleName: name, PolicyName: aws.String("own"), PolicyDocument: &policy,
		})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// withReport adds users without MFA to a member, and generates its report.
func (w *world) withReport(member *iam.Client, id string, users int) {
	w.t.Helper()
	ctx := w.t.Context()
	for i := range users {
		name := aws.String(fmt.Sprint("user", i))
		_, err := member.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
		if err == nil {
			_, err = member.CreateLoginProfile(ctx,
				&iam.CreateLoginProfileInput{UserName: name, Password: aws.String(userPassword)})
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for {
		_, err := member.GenerateCredentialReport(ctx, nil)
		made, failed := w.svc.IAM.Reports(ctx, id, 1)
		if err != nil || failed != nil {
			w.t.Fatal(err, failed)
		}
		if len(made) > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var accountRows = regexp.MustCompile(`(?s)<tr><th scope="row"><a href="([^"]*)">(\d{12})</a>.*?</tr>`)

// accounts returns the rows of the page by account, and their order.
func (a answer) accounts() (rows map[string]string, order string) {
	rows = map[string]string{}
	for _, found := range accountRows.FindAllStringSubmatch(a.body, -1) {
		rows[found[2]] = found[0]
		order += found[2][:1]
	}
	return rows, order
}

// furnishOrganization creates three members: one with a report, one without the
// role, and one without a report.
func (w *world) furnishOrganization() {
	w.t.Helper()
	good, closed, empty := w.member("200000000000"), w.member("300000000000"), w.member("400000000000")
	w.accessRole(good, "iam:GetCredentialReport")
	w.accessRole(empty, "iam:GetCredentialReport")
	w.withReport(good, "200000000000", 3)
	w.withReport(closed, "300000000000", 1)
}

// TestOrganization checks that the management account sees its members'
// figures, through calls that each member's role allows.
func TestOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("alice", everything)
	w.furnishOrganization()
	p := w.signedIn("alice")
	p.makeReport()
	p.get("/console/overview").want(t, http.StatusOK, `href="/console/organization"`)
	got := p.settled(organization)
	wellMade(t, got, http.StatusOK)
	rows, order := got.accounts()
	if order != "2134" {
		t.Errorf("the order is %s", order)
	}
	for id, texts := range map[string][]string{
		"200000000000": {`data-label="Console users without MFA"><span class="fail">3<`, `data-label="People">`,
			`href="/console/role?account=200000000000&amp;role=OrganizationAccountAccessRole&amp;to=%2Fconsole%2Foverview"`},
		"123456789012": {"this account", `href="/console/overview"`},
		"300000000000": {"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::300000000000:role/"},
		"400000000000": {"There is no credential report yet."},
	} {
		for _, text := range texts {
			if !strings.Contains(rows[id], text) {
				t.Errorf("the row of %s lacks %q: %s", id, text, rows[id])
			}
		}
	}
	got.want(t, http.StatusOK, "4 accounts: 2 with failed findings, 2 of which nothing is known")
	// The trail records the person's calls in the person's account, and the role's
	// calls in the member.
	for action, texts := range map[string][]string{
		"ListAccounts": {`"eventSource":"organizations.amazonaws.com"`, "user/alice"},
		"AssumeRole":   {"user/alice", "sessionCredentialFromConsole"},
		"GetCredentialReport": {`"type":"AssumedRole"`, "assumed-role/OrganizationAccountAccessRole/rollcall-alice",
			`"recipientAccountId":"400000000000"`},
	} {
		record := w.lastRecord(action)
		for _, text := range texts {
			if !strings.Contains(record, text) {
				t.Errorf("the record of %s lacks %q: %s", action, text, record)
			}
		}
	}
	br := w.browse(t)
	br.signIn("alice", userPassword)
	br.look(visited1{path: organization, query: "?benchmark=strict"})
	br.walkHeat()
}

// heatCell returns the selector of a cell of the map: its account and its control.
func heatCell(account, control string) string {
	const of = `.heat a[aria-label^="%s, "][href$="control%s%s"]`
	return fmt.Sprintf(of, account, "=", control) + ", " + fmt.Sprintf(of, account, "%3D", control)
}

// walkHeat follows cells of the map to their findings, in the own account and
// in a member, by keyboard.
func (br *browser) walkHeat() {
	br.t.Helper()
	const member = "200000000000"
	br.open(organization + "?benchmark=strict")
	for _, one := range []struct{ account, sign, text string }{
		{member, "3", "3 FAIL"}, {"All accounts", "4", "4 FAIL"}, {account, "1", "1 FAIL"},
	} {
		cell := heatCell(one.account, "C5")
		sign := eval[string](br, fmt.Sprintf("document.querySelector(%q).textContent", cell))
		text := eval[string](br, fmt.Sprintf("document.querySelector(%q).getAttribute('aria-label')", cell))
		if sign != one.sign || !strings.HasSuffix(text, "Users with a console password have MFA: "+one.text) {
			br.t.Errorf("the cell of %s is %q, %q", one.account, sign, text)
		}
	}
	for _, id := range []string{"300000000000", "400000000000"} {
		why := eval[string](br, fmt.Sprintf(`[...document.querySelectorAll(".heat tr.missing")]
			.find(r => r.cells[0].textContent === %q).cells[1].textContent`, id))
		if why == "" {
			br.t.Errorf("the map does not say why %s has no cells", id)
		}
	}
	br.click(heatCell("All accounts", "C8"))
	got := eval[string](br, `document.querySelector(".heat th[aria-sort=descending] a").title`)
	if got != "No active access key is unused" {
		br.t.Errorf("the accounts are in the order of %q", got)
	}
	br.click(heatCell(account, "C5"))
	br.says("Users with a console password have MFA", "alice")
	br.open(organization + "?benchmark=strict")
	eval[bool](br, fmt.Sprintf("window.before = true, document.querySelector(%q).focus(), true", heatCell(member, "C5")))
	browsertest.Run(br.Tab, chromedp.KeyEvent(kb.Enter))
	br.arrive()
	br.says("You then see the page that you chose.")
	br.press("switch")
	br.says("You act as the role now.", "Users with a console password have MFA", "user0", "user2")
}

// TestOrganizationDenied checks that people without permission see nothing.
func TestOrganizationDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("bob", "")
	w.user("carol", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:ListAccounts",
		"Resource":"*"}}`)
	w.user("dave", everything)
	p := w.signedIn("dave")
	p.get(organization).want(t, http.StatusOK, "This account manages no other.")
	if got := p.get("/console/overview"); strings.Contains(got.body, organization) {
		t.Error("an account that manages none has the page of all")
	}
	w.furnishOrganization()
	bob := w.signedIn("bob").get(organization)
	bob.want(t, http.StatusOK, "is not authorized to perform: organizations:ListAccounts")
	if strings.Contains(bob.body, "200000000000") {
		t.Error("bob sees a member")
	}
	const denied = "is not authorized to perform: sts:AssumeRole"
	rows, _ := w.signedIn("carol").settled(organization).accounts()
	if got := rows["200000000000"]; !strings.Contains(got, denied) || strings.Contains(got, "data-label") {
		t.Errorf("carol sees %s", got)
	}
	rows, _ = w.signedIn("").settled(organization).accounts()
	if got := rows["200000000000"]; !strings.Contains(got, "Roles may not be assumed by root accounts.") {
		t.Errorf("root sees %s", got)
	}
	// One session does not see the figures that another has read.
	rows, _ = p.settled(organization).accounts()
	if got := rows["200000000000"]; !strings.Contains(got, "data-label") {
		t.Errorf("dave sees %s", got)
	}
	only := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:*","Resource":"*"}}`
	_, err := w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String("dave"), PolicyName: aws.String("own"), PolicyDocument: &only,
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, _ = w.signedIn("dave").settled(organization).accounts()
	if got := rows["200000000000"]; !strings.Contains(got, denied) {
		t.Errorf("without the permission dave sees %s", got)
	}
}

// TestOrganizationOfMany reads many accounts at a caller's rate limit, and pages
// through them.
func TestOrganizationOfMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *service.Config) { c.Rate, c.Burst = 500, 100 })
	w.user("alice", everything)
	for i := range 120 {
		w.accessRole(w.member(fmt.Sprint(500000000000+i)), "iam:GetCredentialReport")
	}
	p := w.signedIn("alice")
	got := p.settled(organization)
	wellMade(t, got, http.StatusOK)
	got.want(t, http.StatusOK, "121 accounts: 0 with failed findings, 121 of which nothing is known", "1–50 of 121")
	if strings.Contains(got.body, `class="heat"`) {
		t.Error("a map of nothing")
	}
	if strings.Contains(got.body, "Rate exceeded") || strings.Contains(got.body, "Throttl") {
		t.Error("an account was given up because of the rate")
	}
	rows, _ := p.settled(organization + "?page=3").accounts()
	if len(rows) != 21 {
		t.Errorf("%d accounts on the third page", len(rows))
	}
}

// TestOrganizationHoldsUpNobody reads accounts at the person's rate limit while
// others look at their reports.
func TestOrganizationHoldsUpNobody(t *testing.T) {
	w := newWorld(t, func(c *service.Config) { c.Rate, c.Burst = 0.1, 40 })
	w.user("alice", everything)
	w.user("bob", everything)
	for i := range 40 {
		w.member(fmt.Sprint(500000000000 + i))
	}
	bob := w.signedIn("bob")
	bob.makeReport()
	alice := w.signedIn("alice")
	alice.get(organization).want(t, http.StatusOK, "are being read and judged")
	time.Sleep(200 * time.Millisecond)
	got := bob.get("/console/report?benchmark=strict")
	got.want(t, http.StatusOK, "Credential report")
	if got.header.Get("Refresh") != "" {
		t.Error("the report waits for the accounts of somebody else")
	}
	// Reading the accounts used up the calls that alice may make.
	got = alice.get(organization)
	got.want(t, http.StatusOK, "You have called too often, ")
	if got.header.Get("Refresh") == "" {
		t.Error("the page does not ask again")
	}
}
