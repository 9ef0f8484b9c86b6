package diff

import (
	"slices"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// findings compares the findings about one user.
type findings struct {
	*work
	at       []*entry // by member; nil if the report has nothing about the user
	old, new *entry
}

// identity distinguishes a finding from the others of its user, in every
// report.
type identity struct {
	control audit.ControlID
	kind    audit.CredentialKind
	created report.Time
	slot    int // set if nothing else distinguishes two credentials
}

func identityOf(f *audit.Finding) identity {
	id := identity{control: f.Control.ID, kind: f.Credential.Kind, created: f.Credential.Created}
	if f.Credential.Tied || !id.created.IsPresent() {
		id.slot = f.Credential.Slot
	}
	return id
}

func isOpen(f *audit.Finding) bool { return f.Status == audit.Fail || f.Status == audit.Warn }

func (f *findings) compare() []Finding {
	moved := f.survivors()
	sameUser := f.old != nil && f.new != nil &&
		(f.old.row == nil || f.new.row == nil || !replaced(f.old.row, f.new.row))
	out, seen := f.work.findings[:0], f.work.seen[:0]
	if f.new != nil {
		for i := range f.new.findings {
			found := &f.new.findings[i]
			if !isOpen(found) {
				continue
			}
			var before *audit.Finding
			if sameUser {
				before = f.before(found, moved)
			}
			if before != nil {
				seen = append(seen, identityOf(before))
			}
			if g, ok := f.stillOpen(found, before); ok {
				out = append(out, g)
			}
		}
	}
	if f.old != nil {
		for i := range f.old.findings {
			found := &f.old.findings[i]
			if isOpen(found) && !found.Suppressed && !slices.Contains(seen, identityOf(found)) {
				out = append(out, f.closed(found, sameUser, moved))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		if a.State != b.State {
			return int(a.State) - int(b.State)
		}
		return int(b.Severity) - int(a.Severity)
	})
	f.work.findings, f.work.seen = out, seen
	return out
}

// survivors maps the keys and certificates of the new row to those of the old
// one. It is needed if only the place distinguishes two of the same second.
type survivors map[audit.Credential]audit.Credential

// now returns an old credential in its form in the new row.
func (s survivors) now(old audit.Credential) (new audit.Credential, ok bool) {
	for n, o := range s {
		if o == old {
			return n, true
		}
	}
	return new, false
}

// hasTwins reports whether two credentials of one kind were created in one
// second.
func hasTwins(row *report.Row) bool {
	key, certificate := row.Keys[0].LastRotated, row.Certificates[0].LastRotated
	return key.IsPresent() && key == row.Keys[1].LastRotated ||
		certificate.IsPresent() && certificate == row.Certificates[1].LastRotated
}

func (f *findings) survivors() survivors {
	if f.old == nil || f.new == nil || f.old.row == nil || f.new.row == nil ||
		!hasTwins(f.old.row) && !hasTwins(f.new.row) {
		return nil
	}
	var moved survivors
	for _, of := range [...]func(*report.Row) [2]credential{keysOf, certificatesOf} {
		old, new := of(f.old.row), of(f.new.row)
		if !old[0].Tied && !new[0].Tied {
			continue
		}
		for _, p := range match(&old, &new) {
			if p.old == nil || p.new == nil {
				continue
			}
			if moved == nil {
				moved = survivors{}
			}
			moved[p.new.Credential] = p.old.Credential
		}
	}
	return moved
}

// before returns the finding in the old report's audit that corresponds to a
// finding of the new one. It is open or not judged. It is nil if there is none.
func (f *findings) before(found *audit.Finding, moved survivors) *audit.Finding {
	id := identityOf(found)
	if c, ok := moved[found.Credential]; ok {
		as := audit.Finding{Control: found.Control, Credential: c}
		id = identityOf(&as)
	}
	return find(f.old, id)
}

// find returns the finding with an identity, nil for none. If the whole row
// could not be judged, that verdict counts for all of its credentials.
func find(e *entry, id identity) (silent *audit.Finding) {
	for i := range e.findings {
		g := &e.findings[i]
		switch {
		case g.Control.ID != id.control:
		case identityOf(g) == id:
			return g
		case !isOpen(g) && (g.Credential.Kind == audit.NoCredential || !g.Credential.Created.IsPresent()):
			silent = g
		}
	}
	return silent
}

// stillOpen returns the finding of the new report with its state. ok is false
// if an exception excuses it now and did before.
func (f *findings) stillOpen(found, before *audit.Finding) (g Finding, ok bool) {
	g = Finding{State: New, Finding: *found}
	if before != nil {
		g.Was = before.Status.String()
	}
	wasOpen := before != nil && isOpen(before) && !before.Suppressed
	switch {
	case found.Suppressed && wasOpen:
		g.State = Excused
	case found.Suppressed:
		f.out.Counts.Suppressed++
		return g, false
	case before != nil && before.Suppressed:
		g.Was = "excused"
	case !wasOpen:
	case before.Status == audit.Warn && found.Status == audit.Fail:
		g.State = Worse
	default:
		g.State = Open
	}
	if before != nil && isOpen(before) && identityOf(before) != identityOf(found) {
		// The key has another id, because it is now the only one of its second.
		g.FirstSeen, g.OrEarlier = f.since(before, f.work.old)
		return g, true
	}
	g.FirstSeen, g.OrEarlier = f.since(found, f.work.new)
	return g, true
}

// closed returns the finding of the old report that the new one does not have.
func (f *findings) closed(found *audit.Finding, sameUser bool, moved survivors) Finding {
	g := Finding{State: Fixed, Finding: *found, Was: found.Status.String()}
	g.FirstSeen, g.OrEarlier = f.since(found, f.work.old)
	if f.new == nil && f.old.key.rank == rankRoot {
		g.State, g.How = Unknown, "The new report has no row for root."
		return g
	}
	if f.new != nil && sameUser {
		if now := find(f.new, identityOf(found)); now != nil && !isOpen(now) {
			g.State, g.How = Unknown, now.Reason.String()
			return g
		}
	}
	g.Closed = f.closedBy(found)
	g.How = f.how(found, sameUser, moved)
	return g
}

// how returns the reason why a finding is gone.
func (f *findings) how(found *audit.Finding, sameUser bool, moved survivors) string {
	if found.User == "" || f.old.row == nil {
		return ""
	}
	switch {
	case f.new == nil || f.new.row == nil:
		return "The user is gone."
	case !sameUser:
		return "The user was created again."
	}
	new := f.new.row
	var now [2]credential
	switch found.Credential.Kind {
	case audit.Password:
		if new.PasswordEnabled.IsFalse() {
			return "The password is gone."
		}
		return ""
	case audit.AccessKey:
		now = keysOf(new)
	case audit.Certificate:
		now = certificatesOf(new)
	default:
		return ""
	}
	survivor, tied := found.Credential, found.Credential.Tied
	if tied {
		var ok bool
		if survivor, ok = moved.now(found.Credential); !ok {
			return "It is gone."
		}
	}
	for i := range now {
		if !now[i].exists || now[i].Created != survivor.Created || tied && now[i].Slot != survivor.Slot {
			continue
		}
		if now[i].active.IsFalse() {
			return "It is inactive."
		}
		return ""
	}
	return "It is gone."
}

// since returns the time of the first report from which the finding has been
// open without a break until the report at this place. Reports that could not
// judge it do not count. orEarlier says that no earlier report could judge it.
func (f *findings) since(found *audit.Finding, place int) (first time.Time, orEarlier bool) {
	id := identityOf(found)
	first = f.members[place].Source.Generated
	for i := place - 1; i >= 0; i-- {
		switch open, judged := f.openIn(i, id, found.UserCreated); {
		case !judged:
		case open:
			first = f.members[i].Source.Generated
		default:
			return first, false
		}
	}
	return first, true
}

// closedBy returns the time of the first report after the old one in which the
// finding is no longer open.
func (f *findings) closedBy(found *audit.Finding) time.Time {
	id := identityOf(found)
	for i := f.work.old + 1; i < f.work.new; i++ {
		if open, judged := f.openIn(i, id, found.UserCreated); judged && !open {
			return f.members[i].Source.Generated
		}
	}
	return f.members[f.work.new].Source.Generated
}

func (f *findings) openIn(place int, id identity, created report.Time) (open, judged bool) {
	e := f.at[place]
	if e == nil {
		return false, true
	}
	g := find(e, id)
	switch {
	case g == nil, g.UserCreated.IsPresent() && created.IsPresent() &&
		g.UserCreated != created && e.key.rank == rankUser:
		return false, true
	case !isOpen(g):
		return false, false
	}
	return true, true
}
