package console

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollcall/internal/api"
	"rollcall/internal/identity"
)

// organizationRole is the role that the page assumes in each account.
const organizationRole = identity.AccessRole

const organizationPath = "/console/organization"

// organizationPages returns the overview of all accounts of an organization.
func (c *Console) organizationPages() []page {
	return []page{{path: organizationPath, title: "Organization", nav: "overview", get: c.organization}}
}

// accountsPerPage keeps the page small, even if each row has a sentence and a
// link for each control.
const accountsPerPage = 50

// organizationView is the data of the page.
type organizationView struct {
	Denied    string
	None      bool // the account manages no other
	Role      string
	Benchmark choice
	Read      moment
	Found     string
	Heat      *heatView
	Rows      []accountRow
	Pages     pages
}

// accountRow is an account with its figures, or the reason why it has none.
type accountRow struct {
	Account, Link string
	Self          bool   // it is the person's own account
	Why           string // why there are no figures
	Figures       []tile
	Made          moment
}

func (c *Console) organization(v *visit) error {
	s := organizationView{Role: organizationRole}
	b, err := v.benchmark()
	if err != nil {
		return err
	}
	// The call decides whether the accounts may be listed.
	in := &organizations.ListAccountsInput{}
	_, err = api.Do(v.r.Context(), v.api.As(v.session.Caller, v.call), c.organizations.ListAccounts, in)
	switch {
	case coded(err, api.ErrThrottled.Code):
		return v.wait("You have called too often, perhaps by this page: it reads many accounts.")
	case coded(err, "AWSOrganizationsNotInUseException"), coded(err, "AccessDeniedException"):
		s.None = true // it belongs to no organization, or is a member of one
		return v.show(s.html())
	case err != nil:
		s.Denied = v.explain(err).Text
		return v.show(s.html())
	}
	members, err := c.iam.ManagedAccounts(v.r.Context(), v.account())
	if err != nil {
		return err
	}
	if s.None = len(members) == 0; s.None {
		return v.show(s.html())
	}
	page, err := v.number("page", maxRows)
	if err != nil {
		return err
	}
	read, err := v.readOrganization(members, b)
	if errors.Is(err, errNotYet) {
		return v.wait("The reports of the accounts are being read and judged.")
	}
	if err != nil {
		return err
	}
	accounts := read.accounts
	if id := v.query("control"); id != "" {
		accounts = worstFirst(accounts, id)
	}
	last := (len(accounts) + accountsPerPage - 1) / accountsPerPage
	page = min(max(1, page), last)
	from := (page - 1) * accountsPerPage
	shown := accounts[from:min(len(accounts), from+accountsPerPage)]
	s.Heat = v.heat(read, shown, b)
	for i := range shown {
		s.Rows = append(s.Rows, v.accountRow(&shown[i]))
	}
	s.Benchmark, s.Read, s.Found = v.benchmarks(b), v.when(&read.at, ""), read.found()
	s.Pages = v.pagesOf(page, last, from, len(shown), len(accounts))
	return v.show(s.html())
}

func (v *visit) accountRow(a *accountFigures) accountRow {
	r := accountRow{Account: a.account, Why: a.why, Self: a.account == v.account()}
	r.Link = v.inAccount(a.account, v.judgedLink(overviewPath))
	if a.why != "" {
		return r
	}
	r.Made = v.when(&a.made, "")
	for _, f := range []struct {
		text, class string
		n           int
	}{
		{"Failed findings", "fail", a.fail}, {"Console users without MFA", "fail", a.noMFA},
		{"Keys over 90 days", "warn", a.oldKeys}, {"People", "", a.people}, {"Machines", "", a.machines},
	} {
		t := tile{Figure: thousands(f.n), Text: f.text, Class: f.class}
		if f.n == 0 {
			t.Class = "zero"
		}
		r.Figures = append(r.Figures, t)
	}
	return r
}

// manages says whether the person's account manages others.
func (v *visit) manages() (bool, error) {
	members, err := v.iam.ManagedAccounts(v.r.Context(), v.account())
	return len(members) > 0, err
}
