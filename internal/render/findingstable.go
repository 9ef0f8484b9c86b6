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
)

// tableFindings writes an audit for a terminal: the summary first, then the
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

func (t tableFindings) say(style style, format string, args ...any) {
	for _, line := range t.lines(printable(fmt.Sprintf(format, args...)), 0) {
		t.b.WriteString(cell{line, style}.paint(t.o.Colour) + "\n")
	}
}

// lines breaks a text to the width of the terminal.
func (t tableFindings) lines(s string, indent int) []string {
	if t.o.Width <= 0 {
		return []string{s}
	}
	return wrapText(s, max(t.o.Width-indent, 16))
}

func (t tableFindings) title(s *audit.Summary) {
	name := s.Benchmark.Title
	if s.Benchmark.Version != "" {
		name += " " + s.Benchmark.Version
	}
	t.say(heading, "%s", name)
	t.say(dim, "%s", judgedFor(s))
}

// judgedFor says what was judged, and for which moment.
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
	said := count(len(s.Accounts), "account")
	if missing > 0 {
		said += fmt.Sprintf(", %d of them without a report", missing)
	}
	switch {
	case last.IsZero():
	case first.Equal(last):
		said += ", as of " + stamp(last)
	default:
		said += ", as of " + stamp(first) + " to " + stamp(last)
	}
	return said
}

// shownStatuses are what people are to act upon, the worst first.
var shownStatuses = []audit.Status{audit.Fail, audit.NoData, audit.Warn, audit.Manual}

func (t tableFindings) counts(s *audit.Summary) {
	g := grid{titles: []string{""}}
	for _, status := range shownStatuses {
		g.titles = append(g.titles, status.String())
	}
	for severity := audit.Severity(audit.NumSeverities); severity > 0; {
		severity--
		row, any := []cell{{severity.String(), usual}}, false
		for i, status := range shownStatuses {
			n := s.Counts.Severities[severity][status]
			c := cell{fmt.Sprintf("%*d", len(g.titles[i+1]), n), styleOf(status)}
			if n == 0 {
				c.style = dim
			}
			any = any || n > 0
			row = append(row, c)
		}
		if any {
			g.rows = append(g.rows, row)
		}
	}
	t.b.WriteByte('\n')
	if len(g.rows) == 0 {
		t.say(good, "Nothing was found.")
	} else {
		g.write(t.b, t.o.Width, t.o.Colour)
	}
	if n := s.Counts.Suppressed; n > 0 {
		t.say(usual, "%s excused by exceptions and not counted above.", count(n, "finding")+verb(n))
	}
}

func verb(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

func styleOf(s audit.Status) style {
	switch s {
	case audit.Fail:
		return bad
	case audit.NoData, audit.Warn:
		return odd
	case audit.Pass:
		return good
	default:
		return usual
	}
}

func (t tableFindings) accounts(s *audit.Summary) {
	g := grid{
		titles: []string{"ACCOUNT", "NAME", "FAIL", "WARN", "USERS", "MFA", "KEYS", "UNUSED", "ROOT", "GENERATED"},
		spare:  []string{"GENERATED", "UNUSED", "KEYS", "USERS"}, cut: "NAME", least: 8,
	}
	named := false
	for _, a := range worstFirst(s) {
		name := cell{printable(a.Source.Name), usual}
		id := cell{printable(cmp.Or(a.Source.Account, "unknown")), usual}
		named = named || name.text != ""
		if a.Missing {
			id.style = bad
			missing := cell{"no report", bad}
			g.rows = append(g.rows, append([]cell{id, name, missing}, slices.Repeat([]cell{unknown}, 7)...))
			continue
		}
		n := a.Counts.Total
		row := []cell{
			id, name, number(n[audit.Fail], bad), number(n[audit.Warn], odd),
			number(a.Stats.Users, usual), share(&a.Stats), atLeast(a.Stats.ActiveKeys, a.Stats.Untold.Keys, usual),
			atLeast(a.Stats.UnusedCredentials, a.Stats.Untold.Unused, odd), rootCell(a),
			{stamp(a.Source.Generated), usual},
		}
		switch {
		case a.Source.Generated.IsZero():
			row[9] = unknown
		case a.Stale:
			row[9].style = odd
		}
		if a.Incomplete() {
			row[0].style = odd
		}
		g.rows = append(g.rows, row)
	}
	if len(g.rows) == 0 {
		return
	}
	if !named {
		g.remove(1)
	}
	t.b.WriteByte('\n')
	g.write(t.b, t.o.Width, t.o.Colour)
	if g.has(unknown) {
		t.say(dim, "%s", legend)
	}
}

// worstFirst are the accounts: those without a report, then those with the
// most severe findings.
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

func number(n int, s style) cell {
	if n == 0 {
		s = dim
	}
	return cell{strconv.Itoa(n), s}
}

// atLeast is a number to which comes what the report does not tell of.
func atLeast(n, untold int, s style) cell {
	switch {
	case untold == 0:
		return number(n, s)
	case n == 0:
		return unknown
	}
	return cell{"≥ " + strconv.Itoa(n), odd}
}

// share is how many of those with a password have MFA.
func share(t *audit.Stats) cell {
	text := fmt.Sprintf("%d/%d", t.ConsoleUsersMFA, t.ConsoleUsers)
	switch {
	case t.Untold.ConsoleUsers > 0 && t.ConsoleUsers == 0:
		return unknown
	case t.Untold.ConsoleUsers > 0:
		return cell{text + "?", odd}
	case t.ConsoleUsers == 0:
		return none
	case t.ConsoleUsersMFA == t.ConsoleUsers:
		return cell{text, good}
	}
	return cell{text, bad}
}

// rootCell is what root could be used with, and when it was.
func rootCell(a *audit.AccountSummary) cell {
	r, asOf := &a.Stats.Root, a.AsOf
	switch {
	case !r.Seen && a.Source.Partition == "aws-cn": // whose reports have no row for root
		return none
	case !r.Seen:
		return unknown
	}
	c := cell{"no password", usual}
	if !r.Password.IsFalse() {
		c.text = "password"
		switch {
		case r.MFA.IsTrue():
			c.text += "+MFA"
		case r.Password.IsTrue():
			c.text, c.style = "password, no MFA", bad
		}
	}
	if r.Keys > 0 {
		c = cell{c.text + ", " + count(r.Keys, "key"), bad}
	}
	if at, ok := r.LastUsed.Value(); ok && !asOf.IsZero() {
		c.text += ", used " + age(asOf.Sub(at)) + " ago"
	}
	return c
}

// problems say what could not be judged and why.
func (t tableFindings) problems(s *audit.Summary) {
	const most = 10
	first := true
	for _, a := range worstFirst(s) {
		for i, p := range a.Problems {
			if first {
				t.b.WriteByte('\n')
				t.say(heading, "Incomplete")
				first = false
			}
			if i == most {
				t.say(usual, "  %s: %d more", called(&a.Source), a.ProblemCount-most)
				break
			}
			for j, line := range t.lines(printable(called(&a.Source)+": "+where(a, p)+p.Text), 4) {
				t.b.WriteString(strings.Repeat(" ", 2+min(j, 1)*2) + cell{line, odd}.paint(t.o.Colour) + "\n")
			}
		}
	}
}

// where is the place of a problem in its file.
func where(a *audit.AccountSummary, p audit.Problem) string {
	if p.Line == 0 || a.Source.Path == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", a.Source.Path, p.Line)
}

// severityGroup are the findings of a severity, account by account.
type severityGroup struct {
	severity audit.Severity
	accounts []accountGroup
}

type accountGroup struct {
	account  *audit.AccountSummary
	findings []audit.Finding
	more     int // that are not among the worst, and so not shown
}

// bySeverity groups the worst findings. Left out is what the problems of an
// account have told already: that there is no report, or that the rest of it
// cannot be read, is NO_DATA for each control.
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
	t.say(heading, "%s%s", strings.ToUpper(title[:1]), title[1:])
	for _, account := range group.accounts {
		t.say(usual, "%s", called(&account.account.Source))
		g := grid{
			titles: []string{"STATUS", "CONTROL", "USER", "CREDENTIAL", "LINE", "WHY"},
			spare:  []string{"LINE"}, wrap: true, indent: "  ", blocks: true,
		}
		if t.o.Width < 120 && t.o.Width > 0 {
			g.titles = slices.Delete(g.titles, 4, 5)
		}
		lined := len(g.titles) == 6
		for i := range account.findings {
			f := &account.findings[i]
			row := []cell{
				{f.Status.String(), styleOf(f.Status)}, {string(f.Control.ID), usual}, {printable(f.User), usual}, {credentialName(f), usual},
			}
			if f.User == "" {
				row[2] = none
			}
			if row[3].text == "" {
				row[3] = none
			}
			if lined {
				row = append(row, lineCell(f.Line))
			}
			g.rows = append(g.rows, append(row, cell{printable(why(f)), usual}))
		}
		if len(g.rows) > 0 {
			g.write(t.b, t.o.Width, t.o.Colour)
		}
		if account.more > 0 {
			more := leftOut(account.more, group.severity, len(g.rows) > 0)
			t.say(dim, "  %s: see --top, or --output csv for all.", more)
		}
	}
}

func lineCell(line int) cell {
	if line == 0 {
		return none
	}
	return cell{strconv.Itoa(line), usual}
}

// why is the reason with what enrichment has to say.
func why(f *audit.Finding) string {
	text := f.Reason
	if f.Note != "" {
		text += " " + f.Note
	}
	return text
}

// exceptions tell of those a person should look at.
func (t tableFindings) exceptions(s *audit.Summary) {
	g := grid{titles: []string{"EXCEPTION", "STATE", "CONTROL", "EXPIRES", "OWNER", "TICKET"}, spare: []string{"TICKET", "OWNER"}, cut: "EXCEPTION", least: 12}
	for _, use := range s.Exceptions {
		if use.State == audit.ExceptionActive {
			continue
		}
		e := &use.Exception
		g.rows = append(g.rows, []cell{
			{printable(e.ID), usual}, {string(use.State), odd}, {printable(e.Control), usual}, {e.Expires.String(), usual},
			{printable(e.Owner), usual}, {printable(e.Ticket), usual},
		})
	}
	if len(g.rows) == 0 {
		return
	}
	t.b.WriteByte('\n')
	g.write(t.b, t.o.Width, t.o.Colour)
}

// foot says what is not shown, and what a credential report never shows.
func (t tableFindings) foot(s *audit.Summary) {
	t.b.WriteByte('\n')
	for _, skipped := range t.o.Skipped {
		t.say(dim, "Account %s is %s and not audited.", strings.TrimSpace(skipped.Account+" "+skipped.Name), skipped.Status)
	}
	t.say(dim, "%s", notInReports)
	if said := made(s); said != "" {
		t.say(dim, "%s", said)
	}
}

// notInReports is what a reader of any audit of a credential report must know.
const notInReports = "A credential report does not show key ids, SSH keys, service-specific credentials, kinds of MFA device, groups or permissions. 'rollcall controls' explains the controls."
