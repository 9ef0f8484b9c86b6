package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/report"
)

// lookUp finds the enrichment of a row's user. note says what is unclear.
func (u *run) lookUp(row *report.Row) (note string) {
	if len(u.facts.Users) == 0 {
		return ""
	}
	facts, ok := u.facts.Users[row.User]
	if !ok {
		if u.sight.isRoot() || len(u.facts.Missing) > 0 {
			return ""
		}
		return "The account no longer has this user."
	}
	if !sameSecond(row.Created, facts.Created) {
		return fmt.Sprintf("The account's user of this name was created %s and is a different user.", dated(facts.Created))
	}
	u.sight.facts = &facts
	return ""
}

func sameSecond(t report.Time, u time.Time) bool {
	sec, ok := t.Unix()
	return ok && sec == u.Unix()
}

// nameKeys adds to a finding the ids of its access keys. A report identifies a
// key only by its creation time.
func (f *Finding) nameKeys() {
	if f.Facts == nil || f.Facts.Keys == nil {
		return
	}
	switch f.Credential.Kind {
	case AccessKey:
		for _, key := range f.Facts.Keys {
			if sameSecond(f.Credential.Created, key.Created) {
				f.KeyIDs = append(f.KeyIDs, key.ID)
			}
		}
		switch {
		case len(f.KeyIDs) == 0:
			f.Note = "No access key with this creation time exists now."
		case len(f.KeyIDs) > 1:
			f.Note = "The access keys " + strings.Join(f.KeyIDs, " and ") +
				" were created in the same second: the report does not say which one is meant."
		}
	case NoCredential:
		if slices.ContainsFunc(f.Columns, isKeyActive) {
			for _, key := range f.Facts.Keys {
				if key.Active {
					f.KeyIDs = append(f.KeyIDs, key.ID)
				}
			}
		}
	}
}

func isKeyActive(c report.Column) bool {
	return c.Credential == AccessKey && c.Fact == report.StateFact
}
