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
	case audit.KeyRotated:
		return rotated
	}
	return changed
}

// history returns the known earlier reports of an account, nil for none.
func (b *Builder) history(a *audit.AccountSummary) *historyData {
	h := b.historyOf(a)
	if h == nil {
		return nil
	}
	d := &historyData{Snapshots: []snapshotData{}, Changes: []changeData{}, Steps: []stepData{}}
	for _, s := range h.Snapshots {
		d.Snapshots = append(d.Snapshots, snapshotData{seconds(s.Generated), s.Findings, s.Failing, s.Users, s.Keys})
	}
	titles := map[audit.EventKind]string{NewlyFailing: "Newly failing", Fixed: "Fixed"}
	for _, e := range audit.Events() {
		titles[e.Kind] = e.Title
	}
	shown := slices.DeleteFunc(slices.Clone(h.Changes), func(c Change) bool { return c.Usual != "" })
	for _, c := range shown {
		d.Changes = append(d.Changes, changeData{
			At: seconds(c.At), Since: seconds(c.Since), Sort: sortOf(c.Kind), Severity: c.Severity,
			Title: cmp.Or(titles[c.Kind], string(c.Kind)), Control: c.Control,
			User: c.User, Credential: c.Credential, Text: c.Text,
		})
	}
	d.Changes = joinRotations(d.Changes, shown)
	slices.SortStableFunc(d.Changes, func(a, b changeData) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Severity, a.Severity))
	})
	d.Steps = steps(d.Snapshots, d.Changes, h.Changes)
	if most := b.maxChanges(); len(d.Changes) > most {
		d.LeftOut = len(d.Changes) - most
		d.Changes = d.Changes[:most]
	}
	return d
}

// historyOf returns the history that was given for an account, nil for none.
func (b *Builder) historyOf(a *audit.AccountSummary) *History {
	for i := range b.histories {
		h := &b.histories[i]
		if h.Account == a.Source.Account && h.Partition == a.Source.Partition {
			return h
		}
	}
	return nil
}

// maxChanges returns the number of changes of an account that the page holds. That
// is as many as a person would read, and about 5 MB for all accounts at most.
func (b *Builder) maxChanges() int {
	const ofAccount, ofAll, least = 1000, 20_000, 20
	return max(least, min(ofAccount, ofAll/len(b.histories)))
}

// steps counts the changes of each report, the latest first. changes are those that
// are shown; all also contains usual ones.
func steps(snapshots []snapshotData, changes []changeData, all []Change) []stepData {
	list, places := []stepData{}, map[int64]int{}
	for i := len(snapshots) - 1; i > 0; i-- {
		places[snapshots[i].Generated] = len(list)
		list = append(list, stepData{At: snapshots[i].Generated, Since: snapshots[i-1].Generated, Sorts: map[sort]int{}})
	}
	for _, c := range changes {
		i, ok := places[c.At]
		if !ok {
			continue
		}
		list[i].Sorts[c.Sort]++
		if c.Sort == failing {
			list[i].Severities[c.Severity]++
		}
	}
	for _, c := range all {
		if i, ok := places[seconds(c.At)]; ok && c.Usual != "" {
			if list[i].Usual == nil {
				list[i].Usual = map[string]int{}
			}
			list[i].Usual[c.Usual]++
		}
	}
	return list
}

// joinRotations joins an added key with a removed or deactivated key of the same user
// between the same reports into one change.
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
