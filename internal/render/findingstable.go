package render

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
	"rollcall/internal/grid"
	"rollcall/internal/words"
	"rollcall/report"
)

// tableFindings writes an audit for a terminal: first the summary, then the
// worst findings by severity and account.
type tableFindings struct{ late }

func newTable(b *bufio.Writer, o *Options) Output { return tableFindings{late{b, o}} }

func (t tableFindings) Close(s *audit.Summary) error {
	t.title(s)
	t.counts(s)
	t.accounts(s)
	t.problems(s)
	t.controls(s)
	for _, group := range bySeverity(s) {
		t.group(group)
	}
	t.exceptions(s)
	t.foot(s)
	return t.b.Flush()
}

func (t tableFindings) say(style grid.Style, format string, args ...any) {
	for _, line := range t.lines(escape.Printable(fmt.Sprintf(format, args...)), 0) {
		t.b.WriteString(style.Paint(line, t.o.Colour) + "\n")
	}
}

// lines breaks a text into lines of the terminal's width.
func (t tableFindings) lines(s string, indent int) []string {
	if t.o.Width <= 0 {
		return []string{s}
	}
	return grid.Wrap(s, max(t.o.Width-indent, 16))
}

func (t tableFindings) title(s *audit.Summary) {
	name := s.Benchmark.Title
	if s.Benchmark.Version != "" {
		name += " " + s.Benchmark.Version
	}
	t.say(grid.Heading, "%s", name)
	t.say(grid.Dim, "%s", judgedFor(s))
}

// judgedFor says what was judged, and for which time.
func judgedFor(s *audit.Summary) string {
	missing := 0
	var first, last time.Time
	for _, a := range s.Accounts {
		if a.Missing {
			missing++
			continue
		}
		if first.IsZero() || a.AsOf.Before(first) {
			first = a.AsOf
		}
		if a.AsOf.After(last) {
			last = a.AsOf
		}
	}
	said := words.Count(len(s.Accounts), "account")
	if missing > 0 {
		said += fmt.Sprintf(", %d of them without a report", missing)
	}
	switch {
	case last.IsZero():
	case first.Equal(last):
		said += ", as of " + words.Time(last)
	default:
		said += ", as of " + words.Time(first) + " to " + words.Time(last)
	}
	return said
}

// shownStatuses are the statuses that require action, the worst first.
var shownStatuses = []audit.Status{audit.Fail, audit.NoData, audit.Warn, audit.Manual}

func (t tableFindings) counts(s *audit.Summary) {
	g := grid.Grid{Titles: []string{""}}
	for _, status := range shownStatuses {
		g.Titles = append(g.Titles, status.String())
	}
	for severity := audit.Severity(audit.NumSeverities); severity > 0; {
		severity--
		row, any := []grid.Cell{{Text: severity.String()}}, false
		for i, status := range shownStatuses {
			n := s.Counts.Severities[severity][status]
			c := grid.Cell{Text: fmt.Sprintf("%*d", len(g.Titles[i+1]), n), Style: styleOf(status)}
			if n == 0 {
				c.Style = grid.Dim
			}
			any = any || n > 0
			row = append(row, c)
		}
		if any {
			g.Rows = append(g.Rows, row)
		}
	}
	t.b.WriteByte('\n')
	if len(g.Rows) == 0 {
		t.say(grid.Good, "Nothing was found.")
	} else {
		g.Write(t.b, t.o.Width, t.o.Colour)
	}
	if n := s.Counts.Suppressed; n > 0 {
		t.say(grid.Usual, "%s excused by exceptions and not counted above.", words.Count(n, "finding")+verb(n))
	}
}

func verb(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

func styleOf(s audit.Status) grid.Style {
	switch s {
	case audit.Fail:
		return grid.Bad
	case audit.NoData, audit.Warn:
		return grid.Odd
	case audit.Pass:
		return grid.Good
	default:
		return grid.Usual
	}
}

func (t tableFindings) accounts(s *audit.Summary) {
	g := grid.Grid{
		Titles: []string{"ACCOUNT", "NAME", "FAIL", "WARN", "USERS", "MFA", "KEYS", "UNUSED", "ROOT", "GENERATED"},
		Spare:  []string{"GENERATED", "UNUSED", "KEYS", "USERS"}, Cut: "NAME", Least: 8,
	}
	named := false
	for _, a := range worstFirst(s) {
		name := grid.Text(a.Source.Name)
		id := grid.Text(cmp.Or(a.Source.Account, "unknown"))
		named = named || name.Text != ""
		if a.Missing {
			id.Style = grid.Bad
			missing := grid.Cell{Text: "no report", Style: grid.Bad}
			g.Rows = append(g.Rows,
				append([]grid.Cell{id, name, missing}, slices.Repeat([]grid.Cell{grid.Unknown}, 7)...))
			continue
		}
		n := a.Counts.Total
		row := []grid.Cell{
			id, name, number(n[audit.Fail], grid.Bad), number(n[audit.Warn], grid.Odd),
			number(a.Stats.Users, grid.Usual), share(&a.Stats),
			atLeast(a.Stats.ActiveKeys, a.Stats.Untold.Keys, grid.Usual),
			atLeast(a.Stats.UnusedCredentials, a.Stats.Untold.Unused, grid.Odd), rootCell(a),
			{Text: words.Time(a.Source.Generated)},
		}
		switch {
		case a.Source.Generated.IsZero():
			row[9] = grid.Unknown
		case a.Stale:
			row[9].Style = grid.Odd
		}
		if a.Incomplete() {
			row[0].Style = grid.Odd
		}
		g.Rows = append(g.Rows, row)
	}
	if len(g.Rows) == 0 {
		return
	}
	if !named {
		g.Remove(1)
	}
	t.b.WriteByte('\n')
	g.Write(t.b, t.o.Width, t.o.Colour)
	if g.Has(grid.Unknown) {
		t.say(grid.Dim, "%s", legend)
	}
}

// worstFirst returns the accounts: first those without a report, then those
// with the most severe findings.
func worstFirst(s *audit.Summary) []*audit.AccountSummary {
	all := slices.Clone(s.Accounts)
	slices.SortStableFunc(all, func(a, b *audit.AccountSummary) int {
		if a.Missing != b.Missing {
			return map[bool]int{true: -1, false: 1}[a.Missing]
		}
		for severity := audit.NumSeverities - 1; severity >= 0; severity-- {
			for _, status := range shownStatuses[:3] {
				if d := b.Counts.Severities[severity][status] - a.Counts.Severities[severity][status]; d != 0 {
					return d
				}
			}
		}
		return 0
	})
	return all
}

func number(n int, s grid.Style) grid.Cell {
	if n == 0 {
		s = grid.Dim
	}
	return grid.Cell{Text: strconv.Itoa(n), Style: s}
}

// atLeast returns a number that may be higher, because the report says nothing
// about some things.
func atLeast(n, untold int, s grid.Style) grid.Cell {
	switch {
	case untold == 0:
		return number(n, s)
	case n == 0:
		return grid.Unknown
	}
	return grid.Cell{Text: "≥ " + strconv.Itoa(n), Style: grid.Odd}
}

// share shows how many of the users with a password have MFA.
func share(t *audit.Stats) grid.Cell {
	text := fmt.Sprintf("%d/%d", t.ConsoleUsersMFA, t.ConsoleUsers)
	switch {
	case t.Untold.ConsoleUsers > 0 && t.ConsoleUsers == 0:
		return grid.Unknown
	case t.Untold.ConsoleUsers > 0:
		return grid.Cell{Text: text + "?", Style: grid.Odd}
	case t.ConsoleUsers == 0:
		return grid.None
	case t.ConsoleUsersMFA == t.ConsoleUsers:
		return grid.Cell{Text: text, Style: grid.Good}
	}
	return grid.Cell{Text: text, Style: grid.Bad}
}

// rootCell shows the credentials of root and their last use.
func rootCell(a *audit.AccountSummary) grid.Cell {
	r, asOf := &a.Stats.Root, a.AsOf
	switch {
	case !r.Seen && a.Source.Partition == "aws-cn": // its reports have no row of root
		return grid.None
	case !r.Seen:
		return grid.Unknown
	}
	c := rootPassword(r)
	switch {
	case r.Keys > 0 && r.UntoldKeys > 0:
		c = grid.Cell{Text: c.Text + ", ≥ " + words.Count(r.Keys, "key"), Style: grid.Bad}
	case r.Keys > 0:
		c = grid.Cell{Text: c.Text + ", " + words.Count(r.Keys, "key"), Style: grid.Bad}
	case r.UntoldKeys > 0:
		c.Text += ", keys ?"
		if c.Style == grid.Usual {
			c.Style = grid.Odd
		}
	}
	at, used := r.LastUsed.Value()
	switch {
	case used && !asOf.IsZero() && r.UntoldUse:
		c.Text += ", used at most " + ago(asOf, at)
	case used && !asOf.IsZero():
		c.Text += ", used " + ago(asOf, at)
	case r.UntoldUse:
		c.Text += ", use ?"
	}
	return c
}

// rootPassword says whether root has a password, and MFA with it. Old reports, which
// do not support the column, are of a time when root always had one.
func rootPassword(r *audit.RootStats) grid.Cell {
	mfa := map[bool]string{true: "+MFA"}[r.MFA.IsTrue()]
	switch {
	case r.Password.IsFalse():
		return grid.Cell{Text: "no password"}
	case r.Password.IsTrue() && r.MFA.IsFalse():
		return grid.Cell{Text: "password, no MFA", Style: grid.Bad}
	case r.Password.IsTrue() && mfa == "":
		return grid.Cell{Text: "password, MFA ?", Style: grid.Odd}
	case r.Password.IsTrue(), r.Password.Absence() == report.NotSupported:
		return grid.Cell{Text: "password" + mfa}
	}
	return grid.Cell{Text: "password ?" + strings.Replace(mfa, "+", ", ", 1), Style: grid.Odd}
}

// problems lists the parts that could not be judged, and the reasons.
func (t tableFindings) problems(s *audit.Summary) {
	const most = 10
	first := true
	for _, a := range worstFirst(s) {
		for i, p := range a.Problems {
			if first {
				t.b.WriteByte('\n')
				t.say(grid.Heading, "Incomplete")
				first = false
			}
			if i == most {
				t.say(grid.Usual, "  %s: %d more", called(&a.Source), a.ProblemCount-most)
				break
			}
			for j, line := range t.lines(escape.Printable(called(&a.Source)+": "+where(a, p)+p.Text), 4) {
				t.b.WriteString(strings.Repeat(" ", 2+min(j, 1)*2) + grid.Odd.Paint(line, t.o.Colour) + "\n")
			}
		}
	}
}

// where returns the position of a problem in its file.
func where(a *audit.AccountSummary, p audit.Problem) string {
	if p.Line == 0 || a.Source.Path == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", a.Source.Path, p.Line)
}

// severityGroup holds the findings of a severity, account by account.
type severityGroup struct {
	severity audit.Severity
	accounts []accountGroup
}

type accountGroup struct {
	account  *audit.AccountSummary
	findings []audit.Finding
	more     int // number of findings that are not among the worst, and so not shown
}

// bySeverity groups the worst findings. It omits findings that repeat a problem
// of the account: without a report, or with an unreadable rest of it, each
// control is NO_DATA.
func bySeverity(s *audit.Summary) []severityGroup {
	var groups []severityGroup
	for severity := audit.Severity(audit.NumSeverities); severity > 0; {
		severity--
		group := severityGroup{severity: severity}
		for _, a := range worstFirst(s) {
			var of []audit.Finding
			for _, f := range a.Worst {
				if f.Severity == severity && (f.Status != audit.NoData || f.Line > 0 || a.ProblemCount == 0) {
					of = append(of, f)
				}
			}
			if more := omittedOf(a, severity); len(of) > 0 || more > 0 {
				group.accounts = append(group.accounts, accountGroup{a, of, more})
			}
		}
		if len(group.accounts) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

func (t tableFindings) group(group severityGroup) {
	t.b.WriteByte('\n')
	title := group.severity.String()
	t.say(grid.Heading, "%s%s", strings.ToUpper(title[:1]), title[1:])
	for _, account := range group.accounts {
		t.say(grid.Usual, "%s", called(&account.account.Source))
		g := grid.Grid{
			Titles: []string{"STATUS", "CONTROL", "USER", "CREDENTIAL", "LINE", "WHY"},
			Spare:  []string{"LINE"}, Wrap: true, Indent: "  ", Blocks: true,
		}
		if t.o.Width < 120 && t.o.Width > 0 {
			g.Titles = slices.Delete(g.Titles, 4, 5)
		}
		lined := len(g.Titles) == 6
		for i := range account.findings {
			f := &account.findings[i]
			row := []grid.Cell{
				{Text: f.Status.String(), Style: styleOf(f.Status)}, {Text: string(f.Control.ID)},
				grid.Text(f.User), {Text: credentialName(f)},
			}
			if f.User == "" {
				row[2] = grid.None
			}
			if row[3].Text == "" {
				row[3] = grid.None
			}
			if lined {
				row = append(row, lineCell(f.Line))
			}
			g.Rows = append(g.Rows, append(row, grid.Text(why(f))))
		}
		if len(g.Rows) > 0 {
			g.Write(t.b, t.o.Width, t.o.Colour)
		}
		if account.more > 0 {
			more := leftOut(account.more, group.severity, len(g.Rows) > 0)
			t.say(grid.Dim, "  %s: see --top, or --output csv for all.", more)
		}
	}
}

func lineCell(line int) grid.Cell {
	if line == 0 {
		return grid.None
	}
	return grid.Cell{Text: strconv.Itoa(line)}
}

// why returns the reason with notes of enrichment.
func why(f *audit.Finding) string {
	text := f.Reason.String()
	if f.Note != "" {
		text += " " + f.Note
	}
	return text
}

// exceptions lists the exceptions that need attention.
func (t tableFindings) exceptions(s *audit.Summary) {
	g := grid.Grid{Titles: []string{"EXCEPTION", "STATE", "CONTROL", "EXPIRES", "OWNER", "TICKET"},
		Spare: []string{"TICKET", "OWNER"}, Cut: "EXCEPTION", Least: 12}
	for _, use := range s.Exceptions {
		if use.State == audit.ExceptionActive {
			continue
		}
		e := &use.Exception
		g.Rows = append(g.Rows, []grid.Cell{
			grid.Text(e.ID), {Text: string(use.State), Style: grid.Odd}, grid.Text(e.Control),
			{Text: e.Expires.String()},
			grid.Text(e.Owner), grid.Text(e.Ticket),
		})
	}
	if len(g.Rows) == 0 {
		return
	}
	t.b.WriteByte('\n')
	g.Write(t.b, t.o.Width, t.o.Colour)
}

// foot says what is omitted, and what a credential report never shows.
func (t tableFindings) foot(s *audit.Summary) {
	t.b.WriteByte('\n')
	for _, skipped := range t.o.Skipped {
		t.say(grid.Dim, "Account %s is %s and not audited.", strings.TrimSpace(skipped.Account+" "+skipped.Name),
			skipped.Status)
	}
	t.say(grid.Dim, "%s", notInReports)
	if said := made(s); said != "" {
		t.say(grid.Dim, "%s", said)
	}
}

// notInReports is important for every reader of an audit of a credential
// report.
const notInReports = "A credential report does not show key ids, SSH keys, service-specific credentials, kinds of " +
	"MFA device, groups or permissions. 'rollcall controls' explains the controls."
