package audit

import (
	"regexp"
	"time"

	"rollcall/report"
)

// excuse is an exception prepared for matching.
type excuse struct {
	exception *Exception
	control   text
	account   text
	user      text
	arn       text
	path      text
}

// text matches one text exactly, or the texts of a pattern. "" matches all.
type text struct {
	exact   string
	pattern *regexp.Regexp
}

func textOf(s string) text {
	if hasWildcard(s) {
		return text{pattern: glob(s)}
	}
	return text{exact: s}
}

func (t *text) fits(s string) bool {
	if t.pattern != nil {
		return t.pattern.MatchString(s)
	}
	return t.exact == "" || t.exact == s
}

func compileExcuse(e *Exception) excuse {
	return excuse{e, textOf(e.Control), textOf(e.Account), textOf(e.User), textOf(e.ARN), textOf(e.Path)}
}

// excuser finds the exceptions for the rows of one report.
type excuser struct {
	excuses []excuse
	expired []bool // by exception
	known   bool   // whether the day is known
	// byUser holds the exceptions for one user name, and others holds the rest.
	byUser map[string][]int
	others []int

	current *report.Row
	looked  bool
	found   []int // for the current row
}

func newExcuser(excuses []excuse, when time.Time) excuser {
	x := excuser{
		excuses: excuses, known: !when.IsZero(),
		expired: make([]bool, len(excuses)), byUser: make(map[string][]int),
	}
	for i := range excuses {
		e := excuses[i].exception
		x.expired[i] = !when.Before(e.Expires.start().AddDate(0, 0, 1))
		if e.User != "" && !hasWildcard(e.User) {
			x.byUser[e.User] = append(x.byUser[e.User], i)
		} else {
			x.others = append(x.others, i)
		}
	}
	return x
}

// row sets the row that find looks at.
func (x *excuser) row(row *report.Row) { x.current, x.looked = row, false }

// excused is the effect of the exceptions on a finding.
type excused struct {
	index      int // index of the exception, -1 for none
	suppresses bool
}

var noExcuse = excused{index: -1}

// find returns the exception that matches a verdict. It prefers one in force to
// an expired one.
func (x *excuser) find(control ControlID, v *verdict, s *sight) excused {
	if len(x.excuses) == 0 || !x.known || s.row == nil || control == Evidence {
		return noExcuse
	}
	if !x.looked {
		x.look(s)
	}
	best := noExcuse
	for _, i := range x.found {
		e := &x.excuses[i]
		if !e.control.fits(string(control)) ||
			e.exception.Credential != "" && e.exception.Credential != v.credential(s.row).ID() {
			continue
		}
		if !x.expired[i] {
			return excused{i, true}
		}
		if best.index < 0 {
			best.index = i
		}
	}
	return best
}

// look finds the exceptions that may match the current row.
func (x *excuser) look(s *sight) {
	x.looked, x.found = true, x.found[:0]
	for _, list := range [2][]int{x.byUser[s.row.User], x.others} {
		for _, i := range list {
			e := &x.excuses[i]
			if e.account.fits(s.row.AccountID()) && e.user.fits(s.row.User) && e.arn.fits(s.row.ARN) &&
				(e.exception.Path == "" || e.path.fits(s.row.Path())) {
				x.found = append(x.found, i)
			}
		}
	}
}

// exceptionUses returns the uses of all exceptions.
func (a *Auditor) exceptionUses() []ExceptionUse {
	var latest time.Time
	for _, account := range a.accounts {
		if account.AsOf.After(latest) {
			latest = account.AsOf
		}
	}
	if latest.IsZero() {
		latest = a.options.Now
	}
	uses := make([]ExceptionUse, len(a.exceptions))
	for i := range a.exceptions {
		e := &a.exceptions[i]
		end := e.exception.Expires.start().AddDate(0, 0, 1)
		uses[i] = ExceptionUse{Exception: *e.exception, State: ExceptionActive, Matched: a.matched[i]}
		switch {
		case !latest.IsZero() && !latest.Before(end):
			uses[i].State = ExceptionExpired
		case a.matched[i] == 0 && !a.tested(e):
			uses[i].State = ExceptionUntested
		case a.matched[i] == 0:
			uses[i].State = ExceptionUnmatched
		case !latest.AddDate(0, 0, expiringDays).Before(end):
			uses[i].State = ExceptionExpiring
		}
	}
	return uses
}

// tested reports whether an exception could have matched: its control was
// judged in a report of its account.
func (a *Auditor) tested(e *excuse) bool {
	for _, account := range a.accounts {
		if account.Missing || !e.account.fits(account.Source.Account) {
			continue
		}
		for _, r := range a.rules {
			if e.control.fits(string(r.control.ID)) {
				return true
			}
		}
	}
	return false
}
