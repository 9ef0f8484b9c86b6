package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/words"
	"rollcall/report"
)

// side is a user in one of the two reports.
type side struct {
	row   *report.Row
	class audit.Class
}

// comparison collects the events of one user.
type comparison struct {
	old, new side
	// made is the time of the old report. unused is the time that a credential
	// must have been unused for its next use to be an event.
	made   int64
	unused int64
	// severities are the severities of the kinds of events.
	severities map[audit.EventKind]audit.Severity
	events     []Event
}

func (c *comparison) add(e Event) {
	e.Severity = max(e.Severity, c.severities[e.Kind])
	c.events = append(c.events, e)
}

// compare finds the events of a user who is in the old report, the new one, or
// both.
func (c *comparison) compare() []Event {
	switch {
	case c.new.row == nil:
		c.add(Event{Kind: audit.UserGone, Was: holdings(c.old.row)})
		return c.events
	case c.old.row == nil:
		c.add(Event{Kind: audit.UserAdded, At: c.new.row.Created, Is: holdings(c.new.row),
			Note: c.late(c.new.row.Created)})
	case replaced(c.old.row, c.new.row):
		c.add(Event{
			Kind: audit.UserReplaced, At: c.new.row.Created,
			Was: c.old.row.Created.String(), Is: c.new.row.Created.String(),
			Note: "It had " + holdings(c.old.row) + ".",
		})
		c.old = side{}
	default:
		c.identity()
		c.mfa()
	}
	c.password()
	c.keys()
	c.certificates()
	if c.new.row.IsRoot() {
		c.rootUse()
	}
	slices.SortStableFunc(c.events, func(a, b Event) int { return cmp.Compare(b.Severity, a.Severity) })
	return c.events
}

// replaced reports whether two rows with one name belong to two users.
func replaced(old, new *report.Row) bool {
	return old.Created.IsPresent() && new.Created.IsPresent() && old.Created != new.Created && !new.IsRoot()
}

// late returns a note if a new thing is older than the old report, which did
// not contain it.
func (c *comparison) late(t report.Time) string {
	if sec, ok := t.Unix(); ok && sec < c.made {
		return "It was created before the old report, which does not have it."
	}
	return ""
}

// holdings returns in words which credentials a row shows.
func holdings(row *report.Row) string {
	var parts []string
	if row.PasswordEnabled.IsTrue() {
		parts = append(parts, "a password")
	}
	keys, certificates, told := 0, 0, row.PasswordEnabled.Absence() != report.MissingColumn
	for i := range 2 {
		told = told && row.Keys[i].Known() && row.Certificates[i].Known()
		if row.Keys[i].Exists() {
			keys++
		}
		if row.Certificates[i].Exists() {
			certificates++
		}
	}
	parts = append(parts, number(keys, "key")...)
	parts = append(parts, number(certificates, "certificate")...)
	switch {
	case len(parts) == 0 && told:
		return "no credentials"
	case len(parts) == 0:
		return "credentials that the report does not show"
	case !told:
		parts = append(parts, "maybe more that the report does not show")
	}
	return strings.Join(parts, ", ")
}

func number(n int, what string) []string {
	switch n {
	case 0:
		return nil
	case 1:
		return []string{"1 " + what}
	}
	return []string{fmt.Sprintf("%d %ss", n, what)}
}

func (c *comparison) identity() {
	old, new := c.old.row, c.new.row
	if old.User == new.User && old.ARN == new.ARN {
		return
	}
	if old.User != new.User && !new.IsRoot() {
		c.add(Event{Kind: audit.UserRenamed, Was: old.User, Is: new.User})
	}
	if was, is := old.Path(), new.Path(); was != is && was != "" && is != "" {
		c.add(Event{Kind: audit.UserPathChanged, Was: was, Is: is})
	}
}

func (c *comparison) mfa() {
	was, is := c.old.row.MFAActive, c.new.row.MFAActive
	e := Event{Was: was.String(), Is: is.String()}
	switch {
	case was.IsFalse() && is.IsTrue():
		e.Kind = audit.MFAGained
	case !was.IsTrue() || !is.IsFalse():
		return
	case c.new.row.PasswordEnabled.IsFalse() && !c.new.row.IsRoot():
		e.Kind = audit.MFARemoved
	default:
		e.Kind = audit.MFALost
	}
	c.add(e)
}

func (c *comparison) password() {
	old, new := c.old.row, c.new.row
	e := Event{Credential: audit.Credential{Kind: audit.Password}}
	switch {
	case new.PasswordEnabled.IsTrue() && (old == nil || old.PasswordEnabled.IsFalse()):
		e.Kind, e.At = audit.PasswordAdded, presentOrNone(new.PasswordLastChanged)
		switch {
		case new.IsRoot():
			e.Severity = audit.High
		case c.new.class == audit.ClassMachine, old != nil && c.old.class == audit.ClassMachine &&
			(old.Keys[0].Exists() || old.Keys[1].Exists()):
			e.Kind = audit.PasswordAddedMachine
		}
		c.add(e)
		return
	case old == nil || !old.PasswordEnabled.IsTrue():
		return
	case new.PasswordEnabled.IsFalse():
		e.Kind = audit.PasswordRemoved
		c.add(e)
		return
	case !new.PasswordEnabled.IsTrue():
		return
	}
	if later(new.PasswordLastChanged, old.PasswordLastChanged) {
		e.Kind, e.At = audit.PasswordChanged, new.PasswordLastChanged
		e.Was, e.Is = old.PasswordLastChanged.String(), new.PasswordLastChanged.String()
		c.add(e)
	}
	if !new.IsRoot() {
		c.passwordUse()
	}
}

func (c *comparison) passwordUse() {
	was, is := c.old.row.PasswordLastUsed, c.new.row.PasswordLastUsed
	if was == is {
		return
	}
	e := Event{Credential: audit.Credential{Kind: audit.Password}, Was: was.String(), Is: is.String(), At: is}
	switch {
	case never(was) && is.IsPresent():
		e.Kind = audit.PasswordFirstUsed
		if c.idle(c.old.row.PasswordLastChanged) {
			e.Severity = audit.Medium
		}
	case !later(is, was):
		return
	case c.idle(was):
		e.Kind = audit.PasswordUsedAfterLong
	default:
		e.Kind = audit.PasswordUsed
	}
	c.add(e)
}

func (c *comparison) keys() {
	if c.old.row != nil && c.old.row.Keys == c.new.row.Keys {
		return
	}
	old, new := [2]credential{}, keysOf(c.new.row)
	if c.old.row != nil {
		old = keysOf(c.old.row)
	}
	var added, removed []pair
	for _, p := range match(&old, &new) {
		switch {
		case p.old == nil:
			added = append(added, p)
		case p.new == nil:
			removed = append(removed, p)
		default:
			c.keyState(p)
			c.keyUse(p)
		}
	}
	byAge := func(a, b pair) int { return compareTimes(a.credential().Created, b.credential().Created) }
	slices.SortStableFunc(added, byAge)
	slices.SortStableFunc(removed, byAge)
	root := c.new.row.IsRoot()
	for len(added) > 0 && len(removed) > 0 && !root {
		e := added[0].event(audit.KeyRotated)
		e.Was, e.Is, e.At = removed[0].old.ID(), added[0].new.ID(), added[0].new.Created
		e.Note = c.uncertain(e.Note, removed[0])
		c.add(e)
		added, removed = added[1:], removed[1:]
	}
	for _, p := range added {
		e := p.event(audit.KeyAdded)
		if root && p.new.active.IsTrue() {
			e.Kind = audit.RootKeyAdded
		}
		e.Is, e.At = activity(p.new), p.new.Created
		e.Note = c.uncertain(cmp.Or(e.Note, c.late(p.new.Created)), p)
		c.add(e)
	}
	for _, p := range removed {
		e := p.event(audit.KeyRemoved)
		e.Was, e.Note = activity(p.old), c.uncertain(e.Note, p)
		c.add(e)
	}
}

func (p *pair) credential() *credential {
	if p.new != nil {
		return p.new
	}
	return p.old
}

// event returns an event of the pair's credential.
func (p *pair) event(kind audit.EventKind) Event {
	e := Event{Kind: kind, Credential: p.credential().Credential}
	if p.guessed {
		e.Note = "Two were created in that second; the reports do not say which one this is."
	}
	return e
}

// uncertain adds a note if a row does not show all of the user's credentials.
func (c *comparison) uncertain(note string, p pair) string {
	for _, s := range [...]side{c.old, c.new} {
		if s.row == nil || !s.row.Additional.IsPresent() {
			continue
		}
		const more = "The user holds more than the report shows, so that this may have been there or may be " +
			"there still."
		return strings.TrimSpace(note + " " + more)
	}
	return note
}

// activity returns in a word whether a credential is active, and whether it was
// used.
func activity(c *credential) string {
	text := "active"
	switch {
	case c.active.IsFalse():
		text = "inactive"
	case !c.active.IsTrue():
		text = "not known whether active"
	}
	if c.key == nil {
		return text
	}
	if used, ok := c.key.LastUsed.Value(); ok {
		return text + ", used " + words.Time(used)
	}
	if never(c.key.LastUsed) {
		return text + ", never used"
	}
	return text
}

// keyState adds an event for a key that became active or inactive.
func (c *comparison) keyState(p pair) {
	was, is := p.old.active, p.new.active
	e := p.event(audit.KeyDeactivated)
	switch {
	case was.IsFalse() && is.IsTrue():
		e.Kind = audit.KeyReactivated
	case !was.IsTrue() || !is.IsFalse():
		return
	}
	e.Was, e.Is = activity(p.old), activity(p.new)
	c.add(e)
}

// keyUse adds events for new uses of a key.
func (c *comparison) keyUse(p pair) {
	old, new := p.old.key, p.new.key
	e := p.event("")
	e.At = new.LastUsed
	if never(old.LastUsed) && new.LastUsed.IsPresent() && !c.new.row.IsRoot() {
		e.Kind, e.Is = audit.KeyFirstUsed, where(new)
		if c.idle(old.LastRotated) {
			e.Severity = audit.Medium
		}
		c.add(e)
		return
	}
	if !later(new.LastUsed, old.LastUsed) {
		return
	}
	if c.idle(old.LastUsed) && !c.new.row.IsRoot() {
		used := e
		used.Kind, used.Was, used.Is = audit.KeyUsedAfterLong, old.LastUsed.String(), new.LastUsed.String()
		c.add(used)
	}
	for _, w := range [...]struct {
		kind     audit.EventKind
		old, new report.Text
	}{
		{audit.LastUsedRegion, old.LastUsedRegion, new.LastUsedRegion},
		{audit.LastUsedService, old.LastUsedService, new.LastUsedService},
	} {
		if said(w.old) && w.new.IsPresent() && w.old != w.new {
			e.Kind, e.Was, e.Is = w.kind, w.old.String(), w.new.String()
			c.add(e)
		}
	}
}

// where returns the service and the region of a key's last use.
func where(k *report.Key) string {
	service, _ := k.LastUsedService.Value()
	region, _ := k.LastUsedRegion.Value()
	return strings.TrimSpace(service + " " + region)
}

// said reports whether a cell has a value, including a value that says that
// there is nothing.
func said(t report.Text) bool {
	return t.IsPresent() || t.Absence() == report.NotApplicable
}

func (c *comparison) certificates() {
	if c.old.row != nil && c.old.row.Certificates == c.new.row.Certificates {
		return
	}
	old, new := [2]credential{}, certificatesOf(c.new.row)
	if c.old.row != nil {
		old = certificatesOf(c.old.row)
	}
	for _, p := range match(&old, &new) {
		var e Event
		switch {
		case p.old == nil:
			e = p.event(audit.CertificateAdded)
			e.Is, e.At = activity(p.new), p.new.Created
			e.Note = c.uncertain(cmp.Or(e.Note, c.late(p.new.Created)), p)
		case p.new == nil:
			e = p.event(audit.CertificateRemoved)
			e.Was, e.Note = activity(p.old), c.uncertain(e.Note, p)
		case p.old.active.IsFalse() && p.new.active.IsTrue():
			e = p.event(audit.CertificateReactivated)
		case p.old.active.IsTrue() && p.new.active.IsFalse():
			e = p.event(audit.CertificateDeactivated)
		default:
			continue
		}
		c.add(e)
	}
}

// rootUse adds an event for a use of root's password or keys. If the old report
// does not show all uses, the uses before it are not events.
func (c *comparison) rootUse() {
	if c.old.row == nil {
		return
	}
	was, is := lastUse(c.old.row), lastUse(c.new.row)
	since := was
	if made := report.AtUnix(c.made); !was.IsPresent() || !tellsUse(c.old.row) && later(made, was) {
		since = made
	}
	if later(is, since) {
		c.add(Event{Kind: audit.RootUseSeen, Was: was.String(), Is: is.String(), At: is})
	}
}

// tellsUse reports whether a row shows the last use of all its credentials,
// including that they were never used.
func tellsUse(row *report.Row) bool {
	for _, t := range [...]report.Time{row.PasswordLastUsed, row.Keys[0].LastUsed, row.Keys[1].LastUsed} {
		if !t.IsPresent() && !never(t) {
			return false
		}
	}
	return true
}

// lastUse returns the latest recorded use of any credential of a row.
func lastUse(row *report.Row) report.Time {
	last := row.PasswordLastUsed
	for _, t := range [...]report.Time{row.Keys[0].LastUsed, row.Keys[1].LastUsed} {
		if t.IsPresent() && !last.IsPresent() || later(t, last) {
			last = t
		}
	}
	return last
}

// never reports whether an absent value says that there was no such time, in
// contrast to an uninformative one.
func never(t report.Time) bool {
	return t.Absence() == report.NotApplicable || t.Absence() == report.NoInformation
}

// presentOrNone returns t, or the zero Time if t is absent for any reason.
func presentOrNone(t report.Time) report.Time {
	if t.IsPresent() {
		return t
	}
	return report.Time{}
}

// later reports whether t is known to be later than u.
func later(t, u report.Time) bool {
	a, ok := t.Unix()
	b, known := u.Unix()
	return ok && known && a > b
}

func compareTimes(t, u report.Time) int {
	a, _ := t.Unix()
	b, _ := u.Unix()
	return cmp.Compare(a, b)
}

// idle reports whether t was long before the old report.
func (c *comparison) idle(t report.Time) bool {
	sec, ok := t.Unix()
	return ok && c.made-sec >= c.unused
}

func days(n int) int64 { return int64(time.Duration(n) * 24 * time.Hour / time.Second) }
