package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rollcall/report"
)

// maxProblems is the maximum number of problems of a report that a summary
// describes.
const maxProblems = 100

// run is the audit of one report.
type run struct {
	auditor *Auditor
	out     *AccountSummary
	visit   func(*Row) error
	sight   sight
	facts   *Enrichment
	excuser excuser
	reasons reasons
	brief   StatusSet // see sight
	matched []int     // by exception
	row     Row
	prefix  string // prefix of the ARNs of the account
	last    string // user of the previous row
	names   names
	broken  bool // some rows were not read
	fetched time.Time

	// These count rows with unreadable cells, and rows that do not belong to
	// the report. The lines are those of the first ones.
	unreadable, firstUnreadable int
	stray, firstStray           int
}

func (a *Auditor) newRun(src Source, facts *Enrichment, visit func(*Row) error) *run {
	if facts == nil {
		facts = &Enrichment{}
	}
	asOf := a.asOf(&src)
	u := &run{
		auditor: a, visit: visit, facts: facts, matched: make([]int, len(a.exceptions)),
		out: &AccountSummary{Source: src, AsOf: asOf, Counts: a.newCounts()},
	}
	if u.fetched = src.Fetched; u.fetched.IsZero() {
		u.fetched = a.options.Now
	}
	u.out.Stats.OldestKey = report.None(report.NotApplicable)
	u.sight = sight{credentials: blank, asOf: reportTime(asOf), params: &a.params, account: facts,
		management: a.options.ManagementAccount}
	if !src.Generated.IsZero() && asOf.After(src.Generated) {
		u.sight.after = int64(asOf.Sub(src.Generated) / time.Second)
	}
	u.reasons.chosen = !a.options.AsOf.IsZero() && !asOf.Equal(src.Generated)
	when := asOf
	if when.IsZero() {
		when = a.options.Now
	}
	u.excuser = newExcuser(a.exceptions, when)
	if u.brief = SetOf(Pass, NotApplicable); visit != nil {
		u.brief &^= a.options.Statuses
	}
	u.learn(src.Account, src.Partition)
	return u
}

// learn completes the source from a row.
func (u *run) learn(account, partition string) {
	s := &u.out.Source
	s.Account = cmp.Or(s.Account, account)
	s.Partition = cmp.Or(s.Partition, partition)
	if s.Account != "" && s.Partition != "" {
		u.prefix = "arn:" + s.Partition + ":iam::" + s.Account + ":"
	}
}

// read judges the rows. It only returns errors of the context and the visit.
// Everything else is a problem of the report.
func (u *run) read(ctx context.Context, r io.Reader) error {
	rd, err := report.NewReader(r)
	if err != nil {
		return u.damage(ctx, err, 1)
	}
	next, stop := u.auditor.rowsOf(rd)
	defer stop() // the caller may close the file next
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row := next()
		switch {
		case row.err == io.EOF:
			return nil
		case row.err != nil:
			return u.damage(ctx, row.err, row.line)
		case n == u.auditor.options.MaxRows:
			u.broken = true
			u.problem(Problem{Line: row.line,
				Text: fmt.Sprintf("The report has more than %d rows; the rest was not read.", n)})
			return nil
		}
		if err := u.judge(&row.Row, row.line); err != nil {
			return err
		}
	}
}

// damage records why the rest of a file is unreadable.
func (u *run) damage(ctx context.Context, err error, line int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	u.broken = true
	p := Problem{Line: line, Text: fmt.Sprintf("The report cannot be read from line %d on: %v.", line, err)}
	var where *report.Error
	if errors.As(err, &where) {
		p.Line, p.Column = where.Line, where.Column
		column := ""
		if p.Column != "" {
			column = fmt.Sprintf(", column %.100q", p.Column)
		}
		p.Text = fmt.Sprintf("The report cannot be read from line %d%s on: %v.", p.Line, column, where.Err)
	}
	u.problem(p)
	return nil
}

func (u *run) problem(p Problem) {
	u.out.ProblemCount++
	if len(u.out.Problems) < maxProblems {
		u.out.Problems = append(u.out.Problems, p)
	}
}

// judge applies the rules to a row.
func (u *run) judge(row *report.Row, line int) error {
	s := &u.sight
	s.row, s.facts = row, nil
	s.credentials.see(row)
	s.class = u.auditor.options.Classes.Of(row)
	if s.brief = u.brief; s.isRoot() {
		s.brief = 0
	}
	note := u.lookUp(row)
	problem := u.evidence(row, line)
	if len(row.Unreadable) > 0 {
		if u.unreadable++; u.unreadable == 1 {
			u.firstUnreadable = line
		}
	}
	u.out.Stats.count(s)
	u.row = Row{Line: line, Report: row, Class: s.class, Findings: u.row.Findings[:0]}
	s.accountID = u.out.Source.Account
	u.excuser.row(row)
	for i, r := range u.auditor.rules {
		s.verdicts = s.verdicts[:0]
		switch {
		case r.on == onReport:
			if problem != "" {
				s.say(NoData, problem, columnsOfRow)
			}
		case r.on == onAll, r.on == onRoot && s.isRoot(), r.on == onUsers && !s.isRoot():
			r.judge(s)
		}
		u.take(i, note)
	}
	u.countUnusedOf()
	if problem != "" {
		if u.stray++; u.stray == 1 {
			u.firstStray = line
		}
		u.problem(Problem{Line: line, Column: "arn",
			Text: u.reasons.of(&verdict{why: problem}, row, s.asOf).String(), ofRow: true})
	}
	u.last = row.User
	return u.show()
}

// evidence returns a reason if a row does not fit into this report, "" if it
// does.
func (u *run) evidence(row *report.Row, line int) string {
	s := &u.out.Source
	u.sight.partition = s.Partition
	switch row.User {
	case "":
		return "The row has no user name."
	case u.last:
		return "The user has two rows."
	}
	root := &u.out.Stats.Root
	if u.sight.isRoot() {
		if root.Seen {
			return "The report has a second row for root."
		}
		root.Seen = true
	} else {
		u.names.add(row.User, line)
	}
	if u.prefix != "" && strings.HasPrefix(row.ARN, u.prefix) {
		return ""
	}
	account, partition := row.AccountID(), row.Partition()
	if account == "" || partition == "" {
		return "The ARN names no account: {arn}."
	}
	u.learn(account, partition)
	u.sight.partition = partition
	switch {
	case account != s.Account:
		return "The row is of another account: {arn}."
	case partition != s.Partition:
		return "The row is of another partition: {arn}."
	}
	return ""
}

// take counts the verdicts of a rule and creates the selected findings.
func (u *run) take(ruleIndex int, note string) {
	counts := &u.out.Counts
	of := &counts.Controls[ruleIndex]
	severity := u.auditor.severities[ruleIndex]
	if u.sight.brief != 0 {
		for _, status := range [...]Status{Pass, NotApplicable} {
			n := u.sight.counted[status]
			of.Statuses[status] += n
			counts.Total[status] += n
			counts.Severities[severity][status] += n
			u.sight.counted[status] = 0
		}
	}
	for i := range u.sight.verdicts {
		v := &u.sight.verdicts[i]
		severity := max(severity, v.atLeast)
		if v.status == Manual { // an undecided verdict must not count as a critical finding
			severity = Info
		}
		excuse := noExcuse
		if v.status == Fail || v.status == Warn {
			excuse = u.excuser.find(of.Control.ID, v, &u.sight)
			if excuse.index >= 0 {
				u.matched[excuse.index]++
			}
		}
		if excuse.suppresses {
			of.Suppressed++
			counts.Suppressed++
		} else {
			of.Statuses[v.status]++
			counts.Total[v.status]++
			counts.Severities[severity][v.status]++
		}
		wanted := u.visit != nil && u.auditor.options.Statuses.Has(v.status)
		worst := !excuse.suppresses && u.isWorst(severity, v)
		if !wanted && !worst {
			continue
		}
		f := u.finding(of.Control, severity, v, excuse, note)
		if wanted {
			u.row.Findings = append(u.row.Findings, f)
		}
		if worst {
			u.keepWorst(f)
		}
	}
}

// finding formats a verdict.
func (u *run) finding(c *Control, severity Severity, v *verdict, e excused, note string) Finding {
	s := &u.sight
	f := Finding{
		Control: c, Status: v.status, Severity: severity,
		Account: u.out.Source.Account, Partition: s.partition, Class: s.class, Line: u.row.Line,
		UserCreated: report.None(report.MissingColumn),
		Columns:     v.columns, Since: v.since, Approximate: v.approx, Note: note, Facts: s.facts,
		Suppressed: e.suppresses,
		Reason:     u.reasonOf(v),
	}
	if v.since.IsPresent() {
		f.Age, f.Limit = v.age(s.asOf), time.Duration(v.limitSec)*time.Second
	}
	if e.index >= 0 {
		id := u.auditor.options.Exceptions[e.index].ID
		if e.suppresses {
			f.Exception = id
		} else {
			f.ExpiredException = id
			f.Reason.add("Exception {exception} has expired.", TextValue(id))
		}
	}
	if s.row == nil {
		if s.class == ClassRoot {
			f.User, f.ARN = report.RootUser, u.rootARN()
		}
		return f
	}
	f.User, f.ARN, f.UserCreated = s.row.User, s.row.ARN, s.row.Created
	f.Credential = v.credential(s.row)
	f.nameKeys()
	return f
}

func (u *run) reasonOf(v *verdict) Reason {
	if v.own != nil {
		return v.own.say(&u.sight, v)
	}
	return u.reasons.of(v, u.sight.row, u.sight.asOf)
}

func (u *run) rootARN() string {
	if u.prefix == "" {
		return ""
	}
	return u.prefix + "root"
}

// credential returns the credential that a verdict concerns.
func (v *verdict) credential(row *report.Row) Credential {
	c := Credential{Kind: v.kind}
	var mine, other report.Time
	switch v.kind {
	case AccessKey:
		mine, other = row.Keys[v.slot].LastRotated, row.Keys[1-v.slot].LastRotated
	case Certificate:
		mine, other = row.Certificates[v.slot].LastRotated, row.Certificates[1-v.slot].LastRotated
	default:
		return c
	}
	c.Slot, c.Created, c.Tied = int(v.slot)+1, mine, mine.IsPresent() && mine == other
	return c
}

// show visits the row if there is something to show.
func (u *run) show() error {
	if u.visit == nil || len(u.row.Findings) == 0 && (!u.auditor.options.EveryRow || u.row.Report == nil) {
		return nil
	}
	return u.visit(&u.row)
}

// end judges everything that needs the whole report: a root user without a row,
// the rows that were not read, and the evidence itself.
func (u *run) end() error {
	s := &u.sight
	s.row, s.facts, s.partition, s.brief = nil, nil, u.out.Source.Partition, 0
	u.row = Row{Findings: u.row.Findings[:0]}
	u.out.Stale = u.stale()
	if first, second := u.names.twice(); second > 0 && !u.broken {
		u.problem(Problem{Line: int(second), Column: "user",
			Text: fmt.Sprintf("The report has a user with two rows, on lines %d and %d.", first, second)})
	}
	for i, r := range u.auditor.rules {
		s.verdicts, s.class = s.verdicts[:0], ClassUnknown
		switch {
		case r.on == onReport:
			u.row.Line = judgeEvidence(s, u)
		case r.on == onRoot:
			s.class = ClassRoot
			u.judgeNoRoot(s)
		case u.broken || u.out.Missing:
			s.say(NoData, u.out.Problems[len(u.out.Problems)-1].Text, nil)
		case r.on == onAccount:
			r.judgeAccount(s, &u.out.Stats)
		}
		u.take(i, "")
		u.row.Line = 0
	}
	u.countUnused()
	slices.SortStableFunc(u.out.Worst, worseFirst)
	return u.show()
}

// judgeNoRoot adds the verdict of a rule of root if there was no row of root.
func (u *run) judgeNoRoot(s *sight) {
	switch {
	case u.out.Stats.Root.Seen:
	case u.out.Missing:
		s.say(NoData, u.out.Problems[0].Text, nil)
	case s.partition == "aws-cn":
		s.say(NotApplicable, "Reports of aws-cn have no row for root.", nil)
	case u.broken:
		s.say(NoData, "The report broke off before a row for root came.", nil)
	default:
		s.say(NoData, "The report has no row for root.", nil)
	}
}

// stale reports whether the report is older than allowed.
func (u *run) stale() bool {
	src := &u.out.Source
	if src.Origin == "stale" {
		return true
	}
	limit := time.Duration(u.auditor.params.ReportMaxAgeHours) * time.Hour
	return !src.Generated.IsZero() && !u.fetched.IsZero() && u.fetched.Sub(src.Generated) > limit
}
