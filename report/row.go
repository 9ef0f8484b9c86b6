package report

import (
	"strconv"
	"strings"
)

// RootUser is the value of the user column in the row of an account's root. No
// IAM user can have this name, because names contain no angle brackets.
const RootUser = "<root_account>"

// Row is one line of the report: a user, or the root of the account. The zero
// value of every part means that there is no such credential, in AWS's words. A
// copy of a Row shares nothing that changes.
type Row struct {
	User    string // friendly name, or RootUser
	ARN     string
	Created Time

	PasswordEnabled Bool // has a password for the console
	// PasswordLastUsed is NoInformation if a password exists but was never
	// used, and NotApplicable if none exists.
	PasswordLastUsed     Time
	PasswordLastChanged  Time
	PasswordNextRotation Time // NotApplicable if passwords do not expire
	MFAActive            Bool

	Keys         [2]Key
	Certificates [2]Certificate

	// Additional is additional_credentials_info. It is present if the user has
	// more keys or certificates than the row shows; see AdditionalCredentials.
	Additional Text

	// Extra holds the unknown columns in order.
	Extra []Cell
	// Unreadable holds the text of the cells that are Malformed.
	Unreadable []Cell
}

// Cell is the text of a cell and the name of its column.
type Cell struct {
	Column, Text string
}

// Key is the part of the report about one access key. It does not contain the
// key's id, and the same key may move between the two places from report to
// report: its LastRotated distinguishes it from the other.
type Key struct {
	Active Bool
	// LastRotated is the time when the key was created. An inactive key keeps
	// it, so only a key that does not exist has none.
	LastRotated     Time
	LastUsed        Time
	LastUsedRegion  Text // NotApplicable if the service has no regions, too
	LastUsedService Text
}

// Exists reports whether there is a key, active or not.
func (k Key) Exists() bool { return k.Active.IsTrue() || k.LastRotated.IsPresent() }

// Known reports whether the row shows if there is a key. A missing column or an
// unreadable cell does not show it.
func (k Key) Known() bool { return k.Exists() || tells(k.Active, k.LastRotated) }

func tells(active Bool, made Time) bool {
	for _, a := range [...]Absence{active.Absence(), made.Absence()} {
		if a == MissingColumn || a == Malformed {
			return false
		}
	}
	return true
}

// Certificate is the part of the report about one X.509 signing certificate.
type Certificate struct {
	Active      Bool
	LastRotated Time // when it was uploaded, even for an inactive certificate
}

// Exists reports whether there is a certificate, active or not.
func (c Certificate) Exists() bool { return c.Active.IsTrue() || c.LastRotated.IsPresent() }

// Known reports whether the row shows if there is a certificate, like
// [Key.Known] for a key.
func (c Certificate) Known() bool { return c.Exists() || tells(c.Active, c.LastRotated) }

// IsRoot reports whether the row belongs to the account's root. It also checks
// the ARN, because in some copies of reports <root_account> has lost its
// brackets to HTML.
func (r *Row) IsRoot() bool {
	return r.User == RootUser || strings.HasSuffix(r.ARN, ":root") && r.arnPart(5) == "root"
}

// AccountID returns the account number in the ARN, "" if it has none.
func (r *Row) AccountID() string { return r.arnPart(4) }

// Partition returns the partition in the ARN, such as aws, aws-cn or
// aws-us-gov, or "" if the ARN is invalid.
func (r *Row) Partition() string { return r.arnPart(1) }

// Path returns the user's path, such as / or /division/team/, and "" for root
// or if the ARN is not a user's.
func (r *Row) Path() string {
	resource := r.arnPart(5)
	if !strings.HasPrefix(resource, "user/") {
		return ""
	}
	return resource[len("user") : strings.LastIndexByte(resource, '/')+1]
}

// arnPart returns a part of arn:partition:service:region:account:resource, ""
// if the ARN is invalid. A colon within the resource belongs to it, because
// paths may contain one.
func (r *Row) arnPart(n int) string {
	if !strings.HasPrefix(r.ARN, "arn:") {
		return ""
	}
	var ends [5]int // of the parts before the resource
	for part, begin := 0, 0; part < len(ends); part++ {
		colon := strings.IndexByte(r.ARN[begin:], ':')
		if colon < 0 {
			return ""
		}
		ends[part], begin = begin+colon, begin+colon+1
	}
	if n == len(ends) {
		return r.ARN[ends[n-1]+1:]
	}
	return r.ARN[ends[n-1]+1 : ends[n]]
}

// Cell returns the text of a cell in the form of a report. ok is false if the
// row's report has no such column.
func (r *Row) Cell(column string) (string, bool) {
	if f := fieldOf(column); f != fieldUnknown {
		return r.cellAt(f)
	}
	return find(r.Extra, column)
}

func (r *Row) cellAt(f field) (string, bool) {
	switch f.kind() {
	case NameKind:
		return *r.nameAt(f), true
	case BoolKind:
		return r.unlessAbsent(f, r.boolAt(f).String(), r.boolAt(f).Absence())
	case TimeKind:
		return r.unlessAbsent(f, r.timeAt(f).String(), r.timeAt(f).Absence())
	case AdditionalKind:
		// Empty if there are no further credentials: a guess, because no
		// example of this column was ever observed.
		if r.Additional.absence == NotApplicable {
			return "", true
		}
	}
	return r.unlessAbsent(f, r.textAt(f).String(), r.textAt(f).Absence())
}

func (r *Row) unlessAbsent(f field, text string, a Absence) (string, bool) {
	if a == Malformed {
		text, _ = find(r.Unreadable, f.name())
	}
	return text, a != MissingColumn
}

func find(cells []Cell, column string) (string, bool) {
	for i := range cells {
		if cells[i].Column == column {
			return cells[i].Text, true
		}
	}
	return "", false
}

// AdditionalCredentials returns the text for [Row.Additional] of a user with
// that many access keys and certificates beyond the two in a row, and "" if
// there are none.
//
// AWS documents that the cell counts them and names the actions that list them,
// but shows no example: the wording is our own choice. It has no comma, because
// widely used tools split rows at commas without regard to quotes.
func AdditionalCredentials(extraKeys, extraCertificates int) string {
	keys := additional(extraKeys, "access key", "ListAccessKeys")
	certificates := additional(extraCertificates, "signing certificate", "ListSigningCertificates")
	if keys != "" && certificates != "" {
		return keys + "; " + certificates
	}
	return keys + certificates
}

func additional(n int, noun, action string) string {
	switch {
	case n <= 0:
		return ""
	case n > 1:
		noun += "s"
	}
	return strconv.Itoa(n) + " additional " + noun + " (see " + action + ")"
}
