package html

import (
	"cmp"
	"slices"

	"rollcall/internal/audit"
)

// sort says how a change is shown.
type sort string

const (
	added   sort = "added"
	removed sort = "removed"
	rotated sort = "rotated"
	changed sort = "changed"
	failing sort = "failing"
	fixed   sort = "fixed"
)

func sortOf(kind audit.EventKind) sort {
	switch kind {
	case NewlyFailing:
		return failing
	case Fixed:
		return fixed
	case audit.UserAdded, audit.KeyAdded, audit.RootKeyAdded, audit.PasswordAdded, audit.PasswordAddedMachine,
		audit.MFAGained, audit.CertificateAdded:
		return added
	case audit.UserGone, audit.KeyRemoved, audit.PasswordRemoved, audit.MFALost, audit.CertificateRemoved:
		return removed
	}
	return changed
}

// history returns the known earlier reports of an account, nil for none.
func (b *Builder) history(a *audit.AccountSummary) *historyData {
	i := slices.IndexFunc(b.histories, func(h History) bool {
		return h.Account == a.Source.Account && h.Partition == a.Source.Partition
	})
	if i < 0 {
		return nil
	}
	h := b.histories[i]
	d := &historyData{Snapshots: []snapshotData{}, Changes: []changeData{}}
	for _, s := range h.Snapshots {
		d.Snapshots = append(d.Snapshots, snapshotData{seconds(s.Generated), s.Findings, s.Users, s.Keys})
	}
	titles := map[audit.EventKind]string{NewlyFailing: "Newly failing", Fixed: "Fixed"}
	for _, e := range audit.Events() {
		titles[e.Kind] = e.Title
	}
	for _, c := range h.Changes {
		d.Changes = append(d.Changes, changeData{
			At: seconds(c.At), Since: seconds(c.Since), Sort: sortOf(c.Kind), Severity: c.Severity,
			Title: cmp.Or(titles[c.Kind], string(c.Kind)), Control: c.Control,
			User: c.User, Credential: c.Credential, Text: c.Text,
		})
	}
	d.Changes = joinRotations(d.Changes, h.Changes)
	slices.SortStableFunc(d.Changes, func(a, b changeData) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Severity, a.Severity))
	})
	if n := len(d.Snapshots); n > 1 {
		d.Last = lastStep(d.Changes, d.Snapshots[n-1].Generated)
	}
	if most := b.maxChanges(); len(d.Changes) > most {
		d.LeftOut = len(d.Changes) - most
		d.Changes = d.Changes[:most]
	}
	return d
}

// maxChanges returns how many changes of an account the page holds: what a
// person would read, and not more than makes some 10 MB of all accounts.
func (b *Builder) maxChanges() int {
	const ofAccount, ofAll, least = 1000, 40_000, 20
	return max(least, min(ofAccount, ofAll/len(b.histories)))
}

// lastStep counts what the newest report changed.
func lastStep(changes []changeData, newest int64) *stepData {
	var s stepData
	for _, c := range changes {
		switch {
		case c.At != newest:
		case c.Sort == failing:
			s.Failing++
		case c.Sort == fixed:
			s.Fixed++
		}
	}
	return &s
}

// joinRotations makes one change of each pair of a key added and a key removed
// or made inactive, of the same user between the same reports.
func joinRotations(shown []changeData, changes []Change) []changeData {
	type place struct {
		at   int64
		user string
	}
	gone := map[place][]int{}
	for i, c := range changes {
		if c.Kind == audit.KeyRemoved || c.Kind == audit.KeyDeactivated {
			p := place{shown[i].At, c.User}
			gone[p] = append(gone[p], i)
		}
	}
	drop := map[int]bool{}
	for i, c := range changes {
		p := place{shown[i].At, c.User}
		if c.Kind != audit.KeyAdded || len(gone[p]) == 0 {
			continue
		}
		old := gone[p][0]
		gone[p] = gone[p][1:]
		drop[old] = true
		s := &shown[i]
		s.Sort, s.Title, s.Severity = rotated, "An access key was rotated", audit.Info
		s.Text += " " + shown[old].Text
	}
	kept := shown[:0]
	for i, c := range shown {
		if !drop[i] {
			kept = append(kept, c)
		}
	}
	return kept
}
