package audit

import "rollcall/report"

// CredentialKind is a kind of credential in the report. With the zero kind, a
// finding concerns the whole row or the whole report.
type CredentialKind = report.CredentialKind

// The kinds.
const (
	NoCredential = report.NoCredential
	Password     = report.PasswordCredential
	AccessKey    = report.KeyCredential
	Certificate  = report.CertificateCredential
)

// credential is one of the credentials that a row can contain, in the form for
// rules: its values in the row, and the columns that contain them.
type credential struct {
	kind   CredentialKind
	slot   uint8 // 0 or 1, for keys and certificates
	active report.Bool
	made   report.Time // for a password, when it was last changed
	used   report.Time // always absent for certificates

	state, madeIn, usedIn []report.Column
}

// credentials are the credentials of a row: the password, two keys and two
// certificates.
type credentials [5]credential

// of returns the credentials of a kind.
func (c *credentials) of(kind CredentialKind) []credential {
	switch kind {
	case Password:
		return c[:1]
	case AccessKey:
		return c[1:3]
	case Certificate:
		return c[3:]
	}
	return nil
}

// blank are credentials without values, with the columns of each.
var blank = func() (all credentials) {
	all[0] = credential{kind: Password}
	for slot := range 2 {
		all[1+slot] = credential{kind: AccessKey, slot: uint8(slot)}
		all[3+slot] = credential{kind: Certificate, slot: uint8(slot)}
	}
	for i := range all {
		c := &all[i]
		for _, column := range report.KnownColumns() {
			if column.Credential != c.kind || column.Slot > 0 && column.Slot != int(c.slot)+1 {
				continue
			}
			for _, of := range [...]struct {
				fact report.Fact
				in   *[]report.Column
			}{{report.StateFact, &c.state}, {report.MadeFact, &c.madeIn}, {report.UsedFact, &c.usedIn}} {
				if column.Fact == of.fact && *of.in == nil { // only the first column: a password has several dates
					*of.in = []report.Column{column}
				}
			}
		}
	}
	return all
}()

// see fills in the values of a row.
func (c *credentials) see(row *report.Row) {
	c[0].active, c[0].made, c[0].used = row.PasswordEnabled, row.PasswordLastChanged, row.PasswordLastUsed
	for i := range row.Keys {
		key := &row.Keys[i]
		c[1+i].active, c[1+i].made, c[1+i].used = key.Active, key.LastRotated, key.LastUsed
	}
	for i := range row.Certificates {
		c[3+i].active, c[3+i].made = row.Certificates[i].Active, row.Certificates[i].LastRotated
	}
}

// doubt returns the column because of which a key or certificate may or may not
// exist, and nil if the row shows it.
func (c *credential) doubt() []report.Column {
	switch {
	case c.active.IsTrue(), c.made.IsPresent():
		return nil
	case !c.active.IsFalse():
		return c.state
	case c.made.Absence() != report.NotApplicable:
		return c.madeIn
	}
	return nil
}

// noData returns a verdict on the credential that is caused by an uninformative
// column.
func (c *credential) noData(columns []report.Column) verdict {
	return verdict{kind: c.kind, slot: c.slot, columns: columns}
}

// since returns a verdict on the credential, without a status yet, that counts
// from the time in a column.
func (c *credential) since(t report.Time, in []report.Column, limitDays int, why string) verdict {
	return verdict{kind: c.kind, slot: c.slot, columns: in, since: t, limitSec: daySeconds(limitDays), why: why}
}

// eachActive calls judge for every active credential of a kind. It adds NO_DATA
// for a credential that may be active or not. It reports whether there was any
// of these.
func (s *sight) eachActive(kind CredentialKind, judge func(s *sight, c *credential)) (found bool) {
	of := s.credentials.of(kind)
	for i := range of {
		c := &of[i]
		switch {
		case c.active.IsTrue():
			judge(s, c)
		case !c.active.IsFalse():
			s.add(c.noData(c.state))
		default:
			continue
		}
		found = true
	}
	return found
}

// anyActive returns the column that shows an active credential of any kind. If
// there is none, it returns a column that may hide one, if there is any.
func (s *sight) anyActive() (active, unknown []report.Column) {
	for i := range s.credentials {
		switch c := &s.credentials[i]; {
		case c.active.IsTrue():
			return c.state, nil
		case !c.active.IsFalse():
			unknown = c.state
		}
	}
	return nil, unknown
}

// addAged adds a verdict that counts from a time. The status is beyond if more
// than the limit has passed since then, and NO_DATA if the time is unknown,
// else PASS. With a reach of 1, an age of exactly the limit is beyond it.
func (s *sight) addAged(v verdict, beyond Status, reach int64) {
	age, known := s.age(v.since)
	switch {
	case !known:
		v = verdict{kind: v.kind, slot: v.slot, atLeast: v.atLeast, columns: v.columns}
	case age > v.limitSec-reach:
		v.status = beyond
	default:
		v.status = Pass
	}
	s.add(v)
}
