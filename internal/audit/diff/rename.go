package diff

import (
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/report"
)

// maxRenames is the number of deleted users, and of new users, that are
// remembered to detect renames.
const maxRenames = 100_000

// renames finds users who disappear under one name and appear under another.
// Only the second of their creation identifies them, so no other user may have
// it.
type renames struct {
	gone, added map[int64]namedUser
	full        bool
}

type namedUser struct {
	user, arn string
	several   bool
}

func newRenames() renames {
	return renames{map[int64]namedUser{}, map[int64]namedUser{}, false}
}

// remember stores a user who is in one report only. A user who was created
// after the old report was never in it.
func (r *renames) remember(c *comparison) {
	row, to := c.old.row, r.gone
	if row == nil {
		row, to = c.new.row, r.added
	}
	made, ok := row.Created.Unix()
	if !ok || made > c.made || row.IsRoot() {
		return
	}
	if len(to) == maxRenames {
		r.full = true
		return
	}
	_, several := to[made]
	// The strings of a row keep its whole line in memory.
	to[made] = namedUser{strings.Clone(row.User), strings.Clone(row.ARN), several}
}

type rename struct {
	user, arn string
	event     Event
}

// found returns the renames, in the order of the new names.
func (r *renames) found() (all []rename) {
	if r.full {
		return nil
	}
	for made, to := range r.added {
		from, ok := r.gone[made]
		if !ok || from.several || to.several {
			continue
		}
		all = append(all, rename{to.user, to.arn, Event{
			Kind: audit.UserRenamed, Was: from.user, Is: to.user,
			Note: "Both were created at " + report.AtUnix(made).String() + ", unlike all others that are gone or new.",
		}})
	}
	slices.SortFunc(all, func(a, b rename) int { return compareFolded(a.user, b.user, false) })
	return all
}
