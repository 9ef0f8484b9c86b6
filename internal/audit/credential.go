package audit

import "rollcall/report"

// CredentialKind is a kind of credential the report shows. The zero kind is
// none: the finding is of the row, or of the report, as a whole.
type CredentialKind = report.CredentialKind

// The kinds.
const (
	NoCredential = report.NoCredential
	Password     = report.PasswordCredential
	AccessKey    = report.KeyCredential
	Certificate  = report.CertificateCredential
)

// credential is one of the credentials that a row has room for, as rules see
// it: what the row says of it, and the columns to blame for that.
type credential struct {
	kind   CredentialKind
	slot   uint8 // 0 or 1, for keys and certificates
	active report.Bool
	made   report.Time // for a password, when it was last changed
	used   report.Time // of a certificate never known

	state, madeIn, usedIn []report.Column
}

// credentials are those of a row: the password, two keys and two certificates.
type credentials [5]credential

// of returns those of a kind.
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

// blank are the credentials of no row, with the columns that tell of each.
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
				if column.Fact == of.fact && *of.in == nil { // the first: a password is also to be changed
					*of.in = []report.Column{column}
				}
			}
		}
	}
	return all
}()

// see fills in what a row says.
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

// noData returns a verdict on the credential that blames a column for saying
// nothing.
func (c *credential) noData(columns []report.Column) verdict {
	return verdict{kind: c.kind, slot: c.slot, columns: columns}
}

// since returns a verdict on the credential, yet without a status, that counts
// from the moment in a column.
func (c *credential) since(t report.Time, in []report.Column, limitDays int, why string) verdict {
	return verdict{kind: c.kind, slot: c.slot, columns: in, since: t, limitSec: daySeconds(limitDays), why: why}
}

// eachActive calls judge for every active credential of a kind. One nobody can
// tell to be active or not is NO_DATA. It reports whether there was either.
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

// anyActive returns the column that shows an active credential of any kind.
// Where none does, it returns one that says nothing, if there is one.
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

// addAged adds a verdict that counts from a moment: beyond where more than the
// limit has passed since, else PASS, and NO_DATA where that is not known. A
// reach of 1 makes an age of exactly the limit one that is beyond it.
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
