package review

import (
	"cmp"
	"slices"

	"rollcall/internal/history"
	"rollcall/internal/words"
)

// reconcile compares the accounts of the reports with the list of expected
// accounts.
func (f *freezing) reconcile() {
	m := &f.manifest
	for i := range f.Inactive {
		of := &f.Inactive[i]
		a := Account{Account: of.ID, State: Inactive}
		if o := of.Outcome; o != nil {
			a.Name, a.Partition, a.Why = o.Name, o.Partition, words.Sentence("The account is "+string(o.Status))
		}
		m.Accounts = append(m.Accounts, a)
	}
	if f.Expected != nil {
		f.reconcileWith()
	}
	slices.SortFunc(m.Accounts, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Name, b.Name))
	})
}

// reconcileWith applies a list of accounts, which takes precedence over the
// folder.
func (f *freezing) reconcileWith() {
	m := &f.manifest
	listed := map[string]bool{}
	for _, e := range f.Expected {
		listed[e.Account] = true
		i := slices.IndexFunc(m.Accounts, func(a Account) bool { return a.Account == e.Account })
		switch {
		case i < 0:
			a := Account{Account: e.Account, Name: e.Name, State: Missing, Why: "There is no report of the account."}
			if e.Inactive != "" {
				a.State, a.Why = Inactive, words.Sentence("The account is "+string(e.Inactive))
			}
			m.Accounts = append(m.Accounts, a)
			continue
		case m.Accounts[i].State == Inactive && e.Inactive == "":
			m.Accounts[i].State, m.Accounts[i].Why = Missing, "The list has the account as an active one, "+
				"and there is no report of it."
		}
		m.Accounts[i].Name = cmp.Or(m.Accounts[i].Name, e.Name)
	}
	for i := range m.Accounts {
		a := &m.Accounts[i]
		if !listed[a.Account] && a.Report != nil && a.State == Reviewed {
			a.State, a.Why = Unlisted, "There is a report of the account, and the list does not have it."
		}
	}
}

// ListOfFolder returns the list of accounts that the last run into a folder
// expected, from its outcomes. If there was no run, it returns otherwise.
func ListOfFolder(found []history.Account, otherwise AccountList) AccountList {
	list := AccountList{Source: "folder"}
	for _, a := range found {
		if a.Outcome == nil {
			continue
		}
		if a.Outcome.At.After(list.ReadAt) {
			list.ReadAt = a.Outcome.At
		}
		if a.Outcome.Organization != "" {
			list.Name = a.Outcome.Organization
		}
	}
	if list.ReadAt.IsZero() {
		return otherwise
	}
	return list
}
