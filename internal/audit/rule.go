package audit

import (
	"slices"
	"time"

	"rollcall/report"
)

// rule is a control with the function that judges it.
type rule struct {
	control Control
	on      rows
	judge   func(*sight)
	// judgeAccount is judge of an onAccount rule.
	judgeAccount func(*sight, *Stats)
}

// rows says to which rows a rule is put.
type rows uint8

const (
	// onRoot rules get the row of root, and a verdict of their own where there
	// is none.
	onRoot rows = iota
	onUsers
	onAll
	// onReport rules are judged by the auditor itself: they need more than a
	// row.
	onReport
	// onChange rules need two reports.
	onChange
	// onAccount rules are judged after the last row.
	onAccount
)

// sight is all that a rule may go by. A rule adds a verdict for each credential
// it concerns, or one for the row.
type sight struct {
	row         *report.Row
	credentials credentials // of row
	class       Class
	partition   string
	asOf        report.Time // absent where nobody knows
	params      *Params
	account     *Enrichment
	// management is Options.ManagementAccount.
	management string
	facts      *UserFacts // nil where nothing is known
	accountID  string     // "" where it is not known
	own        *objects   // for controls of one's own

	verdicts []verdict
}

// verdict is a finding before anybody wants to read it.
type verdict struct {
	status   Status
	kind     CredentialKind
	slot     uint8    // 0 or 1, for keys and certificates
	atLeast  Severity // the least severity, whatever the control's
	approx   bool
	why      string          // see reason; "" tells why the first column says nothing
	columns  []report.Column // to blame
	since    report.Time
	limitSec int64
	// said returns the reason of a control of one's own, in the place of why.
	said func() Reason
}

// clockTolerance says how far a date may lie after the report was generated:
// whether GeneratedTime is the begin or the end of the work is not documented,
// so this is a guess that is generous to large accounts.
const clockTolerance = int64(time.Hour / time.Second)

func (s *sight) add(v verdict) { s.verdicts = append(s.verdicts, v) }

func (s *sight) say(status Status, why string, columns []report.Column) {
	s.add(verdict{status: status, why: why, columns: columns})
}

// noData adds a verdict that blames a column for saying nothing.
func (s *sight) noData(columns []report.Column) { s.add(verdict{columns: columns}) }

func (s *sight) isRoot() bool { return s.class == ClassRoot }

// age returns how many seconds before asOf t lies. It fails where either is
// absent, and where t lies in the future, which nothing in a report can.
func (s *sight) age(t report.Time) (int64, bool) {
	asOf, ok := s.asOf.Unix()
	if !ok {
		return 0, false
	}
	sec, ok := t.Unix()
	if !ok || sec > asOf+clockTolerance {
		return 0, false
	}
	return asOf - sec, true
}

func daySeconds(n int) int64 { return int64(n) * 24 * 60 * 60 }

// never reports whether an absence says that there was no such moment, as
// opposed to saying nothing.
func never(t report.Time) bool {
	return t.Absence() == report.NotApplicable || t.Absence() == report.NoInformation
}

// unreadable reports whether a cell says nothing, as opposed to something that
// is neither true nor false.
func unreadable(b report.Bool) bool {
	return b.Absence() == report.Malformed || b.Absence() == report.MissingColumn
}

// or is true where any is known to be true, false where all are known to be
// false, and else absent.
func or(bools ...report.Bool) report.Bool {
	result := report.False
	for _, b := range bools {
		switch {
		case b.IsTrue():
			return report.True
		case !b.IsFalse():
			result = b
		}
	}
	return result
}

// The columns, in the form in which verdicts blame them. Those of credentials
// are in their [credential].
var (
	columnCreated    = columns("user_creation_time")
	columnPwNext     = columns("password_next_rotation")
	columnMFA        = columns("mfa_active")
	columnAdditional = columns("additional_credentials_info")

	columnPassword     = blank[0].state
	columnsKeysActive  = slices.Concat(blank[1].state, blank[2].state)
	columnsCertsActive = slices.Concat(blank[3].state, blank[4].state)
	columnsMFAPassword = slices.Concat(columnMFA, columnPassword)
	columnsOfRow       = columns("arn", "user")
)

// columns returns the columns of the names, which must be known.
func columns(names ...string) []report.Column {
	all := make([]report.Column, len(names))
	for i, name := range names {
		column, ok := report.FindColumn(name)
		if !ok {
			panic("no column of the report is called " + name)
		}
		all[i] = column
	}
	return all
}

func columnNames(all []report.Column) []string {
	if all == nil {
		return nil
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}
