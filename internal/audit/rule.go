package audit

import (
	"slices"
	"time"

	"rollcall/report"
)

// rule is a control with its function.
type rule struct {
	control Control
	on      rows
	judge   func(*sight)
	// judgeAccount is the judge function of an onAccount rule.
	judgeAccount func(*sight, *Stats)
}

// rows says which rows a rule judges.
type rows uint8

const (
	// onRoot rules judge the row of root. If there is none they have a separate
	// verdict.
	onRoot rows = iota
	onUsers
	onAll
	// onReport rules are judged by the auditor itself, because they need more
	// than a row.
	onReport
	// onChange rules need two reports.
	onChange
	// onAccount rules are judged after the last row.
	onAccount
)

// sight holds everything that a rule may use. A rule adds a verdict for each
// credential that it concerns, or one for the row.
type sight struct {
	row         *report.Row
	credentials credentials // credentials of row
	class       Class
	partition   string
	asOf        report.Time // absent if it is unknown
	// after is the number of seconds by which asOf is later than the report, which does
	// not show what happened since. It is 0 if it is not known.
	after   int64
	params  *Params
	account *Enrichment
	// management is Options.ManagementAccount.
	management string
	facts      *UserFacts // nil if there is no enrichment
	accountID  string     // "" if it is unknown
	own        *objects   // for custom controls
	undecided  verdict    // of a custom control
	arnHead    string     // what is before the path of a user's ARN, with the slash; for custom controls

	verdicts []verdict
	// brief are the statuses of which add only counts the verdicts, in counted,
	// because nobody wants to see them. It is empty in a row of root, whose rules
	// look at verdicts again.
	brief   StatusSet
	counted [NumStatuses]int
}

// verdict is a finding that has not been formatted yet.
type verdict struct {
	status   Status
	kind     CredentialKind
	slot     uint8    // 0 or 1, for keys and certificates
	atLeast  Severity // the minimum severity, whatever the control's
	approx   bool
	why      string          // see reason; "" says that the first column is uninformative
	columns  []report.Column // the columns that caused it
	since    report.Time
	limitSec int64
	// own is the custom control that failed, and says why. said returns the reason of
	// one that cannot be decided.
	own  *own
	said func() Reason
}

// clockTolerance is the maximum time that a date may be later than the report.
// AWS does not document whether GeneratedTime is the beginning or the end of
// the work. The value is a guess that suits large accounts.
const clockTolerance = int64(time.Hour / time.Second)

// counts counts a verdict of which nobody wants to see more.
func (s *sight) counts(status Status) bool {
	brief := s.brief.Has(status)
	if brief {
		s.counted[status]++
	}
	return brief
}

func (s *sight) add(v verdict) {
	if !s.counts(v.status) {
		s.verdicts = append(s.verdicts, v)
	}
}

// addThis adds a verdict that stays as it is.
func (s *sight) addThis(v *verdict) {
	if !s.counts(v.status) {
		s.verdicts = append(s.verdicts, *v)
	}
}

func (s *sight) say(status Status, why string, columns []report.Column) {
	if !s.counts(status) {
		s.verdicts = append(s.verdicts, verdict{status: status, why: why, columns: columns})
	}
}

// noData adds a verdict that is caused by an uninformative column.
func (s *sight) noData(columns []report.Column) { s.add(verdict{columns: columns}) }

func (s *sight) isRoot() bool { return s.class == ClassRoot }

// age returns the seconds from t to asOf. ok is false if either is absent, or
// if t is in the future, which is impossible in a report.
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

// never reports whether an absent value says that there was no such time, in
// contrast to an uninformative one.
func never(t report.Time) bool {
	return t.Absence() == report.NotApplicable || t.Absence() == report.NoInformation
}

// unreadable reports whether a cell is uninformative, in contrast to a word
// that is neither true nor false.
func unreadable(b report.Bool) bool {
	return b.Absence() == report.Malformed || b.Absence() == report.MissingColumn
}

// or returns true if any value is known to be true, false if all are known to
// be false, and otherwise absent.
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

// The columns in the form for verdicts. The columns of credentials are in their
// [credential].
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

// columns returns the columns with the given names, which must exist.
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
