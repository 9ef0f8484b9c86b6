package audit

import (
	"fmt"
	"strings"
	"time"

	"rollcall/report"
)

// Summary is the result of a run. Its size does not depend on the size of the
// reports.
type Summary struct {
	Benchmark *Benchmark
	Params    Params            // the thresholds used
	Accounts  []*AccountSummary // in the order of partition and account
	Counts    Counts            // of all accounts
	// Exceptions are the uses of all given exceptions, in order.
	Exceptions []ExceptionUse
}

// AccountSummary is the result of auditing one report, or of a missing report.
type AccountSummary struct {
	Source Source // completed from the rows
	// AsOf is the time for which verdicts are given, zero if it is unknown.
	AsOf time.Time
	// Missing means that there is no report. Problems contains the reason.
	Missing bool
	// Stale means that the report was older than Params.ReportMaxAgeHours.
	Stale bool
	// Problems are the reasons why the audit of this account is incomplete, at
	// most 100. ProblemCount is their full number.
	Problems     []Problem
	ProblemCount int
	Counts       Counts
	Stats        Stats
	// Worst are the worst findings that are not excused, at most Options.Top.
	Worst []Finding
}

// Incomplete reports whether anything could not be judged.
func (a *AccountSummary) Incomplete() bool {
	return a.Missing || a.ProblemCount > 0 || a.Counts.Total[NoData] > 0
}

// Problem says why something could not be judged.
type Problem struct {
	Line   int    `json:"line,omitempty"` // 0 if it does not concern a line
	Column string `json:"column,omitempty"`
	Text   string `json:"text"`

	ofRow bool // a finding of the row mentions it
}

// Counts counts findings by status. Suppressed findings are only counted in
// Suppressed.
type Counts struct {
	Total      [NumStatuses]int
	Severities [NumSeverities][NumStatuses]int
	Suppressed int
	// Controls are the counts for the controls of the benchmark, in order.
	Controls []ControlCounts
}

// ControlCounts are the [Counts] of one control.
type ControlCounts struct {
	Control    *Control
	Statuses   [NumStatuses]int
	Suppressed int
}

// Outcome returns the result of the control: the worst verdict that is not
// excused, with MANUAL before PASS. It is NotApplicable if there is none.
// excused says that there were findings, and exceptions excuse all of them.
func (c *ControlCounts) Outcome() (of Status, excused bool) {
	for _, status := range [...]Status{Fail, NoData, Warn, Manual} {
		if c.Statuses[status] > 0 {
			return status, false
		}
	}
	switch {
	case c.Suppressed > 0:
		return Fail, true
	case c.Statuses[Pass] > 0:
		return Pass, false
	}
	return NotApplicable, false
}

// Outcomes counts controls by their result. A control whose findings are all
// excused is only counted in excused.
func (c *Counts) Outcomes() (n [NumStatuses]int, excused int) {
	for i := range c.Controls {
		if status, all := c.Controls[i].Outcome(); all {
			excused++
		} else {
			n[status]++
		}
	}
	return n, excused
}

// OutcomesInWords says how many controls pass, and counts the results of the
// others.
func (c *Counts) OutcomesInWords() string {
	n, excused := c.Outcomes()
	parts := []string{fmt.Sprintf("%d of %d pass", n[Pass], len(c.Controls))}
	for _, other := range []struct {
		n    int
		what string
	}{
		{n[Fail], "fail"}, {n[NoData], "without data"}, {n[Warn], "warn"}, {n[Manual], "for a person"},
		{excused, "excused"}, {n[NotApplicable], "not applicable"},
	} {
		if other.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", other.n, other.what))
		}
	}
	return strings.Join(parts, ", ")
}

// Stats describes the credentials of an account, whether or not they are
// judged.
type Stats struct {
	Rows  int // root included
	Users int
	// ConsoleUsers have a password. ConsoleUsersMFA also have MFA.
	ConsoleUsers    int
	ConsoleUsersMFA int
	HumanUsers      int
	MachineUsers    int
	BreakGlassUsers int
	ActiveKeys      int // of users and of root
	InactiveKeys    int
	// ActiveCertificates counts the certificates of users and of root.
	ActiveCertificates int
	// UnusedCredentials counts the passwords and keys that were not used for
	// Params.UnusedDays, by the rules of C7 and C8, whether or not these are
	// judged and their findings excused.
	UnusedCredentials int
	// Untold counts the credentials that the report says nothing about.
	Untold Untold
	// KeyAges counts active keys by age, then by the time since their last use:
	// see KeyAgeLimits and KeyIdleLimits. The last element of each is for
	// values beyond the limits. The fourth of the idle times is for keys that
	// were never used or whose use is unknown.
	KeyAges [6][4]int
	// OldestKey is the time when the oldest active key was created, absent for
	// none.
	OldestKey report.Time
	Root      RootStats
}

// Untold counts things that a report says nothing about. The true figures of an
// account are at least those of [Stats], and may be higher by these.
type Untold struct {
	ConsoleUsers int // unknown whether the user has a password, or MFA with a password
	Keys         int // unknown whether there is a key, or whether it is active
	Unused       int // unknown whether a password or key is used
}

// KeyAgeLimits are the upper limits in days, inclusive, of the first five
// elements of Stats.KeyAges. KeyIdleLimits are those of the first two elements
// of each. The third is for longer times, and the fourth for keys that were
// never used.
var (
	KeyAgeLimits  = [5]int{30, 60, 90, 180, 365}
	KeyIdleLimits = [2]int{45, 90}
)

// RootStats is the state of root.
type RootStats struct {
	Seen     bool // there is a row for root
	Password report.Bool
	MFA      report.Bool
	Keys     int // number of active keys
	// UntoldKeys is the number of keys that may be active, because the report does not
	// say. UntoldUse says that root may have been used after LastUsed.
	UntoldKeys int
	UntoldUse  bool
	// LastUsed is the latest recorded use.
	LastUsed report.Time
}
