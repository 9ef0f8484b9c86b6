package html

import (
	"cmp"
	"slices"

	"rollcall/internal/audit"
	"rollcall/report"
)

// shownPeople is the number of people without MFA that the overview names.
const shownPeople = 5

// person is a user with a password and no MFA.
type person struct {
	Account int    `json:"account"` // its place among the accounts
	User    string `json:"user"`
	Used    int64  `json:"used"` // when the password was last used
}

// notePerson keeps the people without MFA whose passwords were used most recently,
// because such passwords certainly work.
func (r *Report) notePerson(row *audit.Row) {
	u := row.Report
	if u.IsRoot() || !u.PasswordEnabled.IsTrue() || u.MFAActive.IsTrue() {
		return
	}
	used := pageTime(u.PasswordLastUsed)
	if len(r.people) == shownPeople && !laterUse(used, r.people[shownPeople-1].Used) {
		return
	}
	r.people = append(r.people, person{User: u.User, Used: used})
	r.people = mostRecent(r.people)
}

func mostRecent(people []person) []person {
	slices.SortStableFunc(people, func(a, b person) int { return cmp.Compare(useRank(b.Used), useRank(a.Used)) })
	return people[:min(len(people), shownPeople)]
}

func laterUse(a, b int64) bool { return useRank(a) > useRank(b) }

// useRank returns the time of a use. For no use it returns a number below every
// time.
func useRank(used int64) int64 {
	if used < 0 && used >= absent(report.Malformed) {
		return -1 << 62
	}
	return used
}

// people returns the people without MFA whom the page names. The reports are in
// the order of the accounts, nil for none.
func people(reports []*Report) []person {
	all := []person{}
	for i, r := range reports {
		if r == nil {
			continue
		}
		for _, p := range r.people {
			p.Account = i
			all = append(all, p)
		}
	}
	return mostRecent(all)
}
