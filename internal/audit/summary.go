package audit

import (
	"fmt"
	"strings"
	"time"

	"rollcall/report"
)

// Summary is the outcome of a run. Its size does not depend on the reports'.
type Summary struct {
	Benchmark *Benchmark
	Params    Params            // the thresholds used
	Accounts  []*AccountSummary // in the order of partition and account
	Counts    Counts            // of all accounts
	// Exceptions are all that were given, in their order.
	Exceptions []ExceptionUse
}

// AccountSummary is the outcome of the audit of one report, or of there being
// none.
type AccountSummary struct {
	Source Source // completed by what the rows tell
	// AsOf is the moment verdicts are given for; zero where it is not known.
	AsOf time.Time
	// Missing means that there is no report: Problems says why.
	Missing bool
	// Stale means that the report was older than Params.ReportMaxAgeHours.
	Stale bool
	// Problems are the reasons why the audit of this account is incomplete, at
	// most 100; ProblemCount is their number.
	Problems     []Problem
	ProblemCount int
	Counts       Counts
	Stats        Stats
	// Worst are the worst findings that nothing excuses, at most Options.Top.
	Worst []Finding
}

// Incomplete reports whether anything could not be judged.
func (a *AccountSummary) Incomplete() bool {
	return a.Missing || a.ProblemCount > 0 || a.Counts.Total[NoData] > 0
}

// Problem says why something could not be judged.
type Problem struct {
	Line   int    `json:"line,omitempty"` // 0 where no line is to blame
	Column string `json:"column,omitempty"`
	Text   string `json:"text"`

	ofRow bool // a finding of its row tells of it
}

// Counts counts findings by status. Suppressed ones are counted in Suppressed
// and nowhere else.
type Counts struct {
	Total      [NumStatuses]int
	Severities [NumSeverities][NumStatuses]int
	Suppressed int
	// Controls are those of the benchmark, in its order.
	Controls []ControlCounts
}

// ControlCounts is [Counts] of one control.
type ControlCounts struct {
	Control    *Control
	Statuses   [NumStatuses]int
	Suppressed int
}

// Outcome returns the result of the control: the worst verdict that nothing
// excuses, with MANUAL before PASS; NotApplicable if there is none. excused
// says that there were findings, and exceptions excuse all of them.
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

// Outcomes counts controls by what came of them. One all of whose findings are
// excused is counted in excused alone.
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

// OutcomesInWords says how many controls pass, and what came of the others.
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

// Stats describes the credentials of an account, judged or not.
type Stats struct {
	Rows  int // root included
	Users int
	// ConsoleUsers have a password; ConsoleUsersMFA have MFA as well.
	ConsoleUsers    int
	ConsoleUsersMFA int
	HumanUsers      int
	MachineUsers    int
	BreakGlassUsers int
	ActiveKeys      int // of users and of root
	InactiveKeys    int
	// ActiveCertificates counts those of users and of root.
	ActiveCertificates int
	// UnusedCredentials are the passwords and keys that nobody used for
	// Params.UnusedDays, by the rules of C7 and C8, whether these are judged or
	// not and whatever excuses them.
	UnusedCredentials int
	// Untold says for how many of them the report does not tell.
	Untold Untold
	// KeyAges counts active keys by their age, then by how long they were not
	// used: see KeyAgeLimits and KeyIdleLimits. The last of each is what is
	// beyond the limits; for idleness, the fourth of four is "never used", or
	// not told.
	KeyAges [6][4]int
	// OldestKey says when the oldest active key was created; absent for none.
	OldestKey report.Time
	Root      RootStats
}

// Untold counts what a report has no word on: what is known of an account is at
// least what [Stats] says, and maybe more.
type Untold struct {
	ConsoleUsers int // whether the user has a password, or one with a password MFA
	Keys         int // whether there is a key, or whether it is active
	Unused       int // whether a password or key is used
}

// KeyAgeLimits are the upper limits in days, inclusive, of the first five of
// Stats.KeyAges; KeyIdleLimits those of the first two for each of them, the
// third being longer and the fourth never used.
var (
	KeyAgeLimits  = [5]int{30, 60, 90, 180, 365}
	KeyIdleLimits = [2]int{45, 90}
)

// RootStats is the state of root.
type RootStats struct {
	Seen     bool // there is a row for root
	Password report.Bool
	MFA      report.Bool
	Keys     int // active ones
	// LastUsed is the latest of its recorded uses.
	LastUsed report.Time
}
