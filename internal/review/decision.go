package review

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/internal/words"
)

// Verb is the kind of a decision.
type Verb string

// These are the verbs.
const (
	Keep      Verb = "keep"      // it is needed as it is
	Revoke    Verb = "revoke"    // it is removed
	Change    Verb = "change"    // it is needed, but something about it must change
	Exception Verb = "exception" // it may break a rule for some time
)

// Verbs lists all verbs.
var Verbs = []Verb{Keep, Revoke, Change, Exception}

// Decision is a decision about an item.
type Decision struct {
	Line    string `json:"line"`
	Verb    Verb   `json:"decision"`
	Reason  string `json:"reason,omitempty"`
	Expires string `json:"expires,omitempty"` // a day
	Ticket  string `json:"ticket,omitempty"`
	Comment string `json:"comment,omitempty"`
	// By and At come from the file with the decision. At is the time when it
	// was collected.
	By string    `json:"by"`
	At time.Time `json:"at,omitzero"`
}

// maxText is the number of characters of a reason or a comment.
const maxText = 4000

// answered is a decision in a file, with its place.
type answered struct {
	Decision
	where string // such as line 12
	facts string // digest of the facts that were shown; "" if altered lists them
	// altered lists the facts of a sheet that differ from the frozen ones.
	altered  []string
	reviewer string // the reviewer that the line names
	freeze   string
}

// check returns the problems of a decision about an item.
func (a *answered) check(i *Item, started time.Time) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch a.Verb {
	case "":
		say("there is no decision")
		return problems
	case Keep:
		if a.Reason == "" && i.Fails() {
			say("it is kept although the audit fails it, and the reason is missing")
		}
	case Change:
		if a.Reason == "" {
			say("the reason is missing: it says what must change")
		}
	case Exception:
		for _, need := range []struct{ value, name string }{
			{a.Reason, "reason"}, {a.Expires, "last day"}, {a.Ticket, "ticket"},
		} {
			if need.value == "" {
				say("the %s of the exception is missing", need.name)
			}
		}
	case Revoke:
	default:
		say("%.50q is not one of keep, revoke, change, exception%s", string(a.Verb),
			words.DidYouMean(string(a.Verb), verbNames()))
	}
	for _, text := range []struct{ value, name string }{
		{a.Reason, "reason"}, {a.Ticket, "ticket"}, {a.Comment, "comment"},
	} {
		switch {
		case utf8.RuneCountInString(text.value) > maxText:
			say("the %s is longer than %d characters", text.name, maxText)
		case isCellError(text.value):
			say("the %s is %s: the spreadsheet took what was typed for a formula", text.name, text.value)
		}
	}
	if a.Expires != "" {
		if problem := a.readExpires(started); problem != "" {
			say("%s", problem)
		}
	}
	return problems
}

func verbNames() []string {
	names := make([]string, len(Verbs))
	for i, v := range Verbs {
		names[i] = string(v)
	}
	return names
}

// readExpires reads the last day of an exception, and returns a problem if it
// has one.
func (a *answered) readExpires(started time.Time) (problem string) {
	at, err := readDay(a.Expires)
	switch {
	case err != nil:
		return err.Error()
	case a.Verb != Exception:
		return "only an exception expires, and the decision is " + string(a.Verb)
	case !at.After(started):
		return "the exception expires on " + at.Format(time.DateOnly) + ", and the review began on " +
			started.Format(time.DateOnly)
	case at.After(started.AddDate(maxExceptionYears, 0, 0)):
		return fmt.Sprintf("the exception expires on %s, which is more than %d years away", at.Format(time.DateOnly),
			maxExceptionYears)
	}
	a.Expires = at.Format(time.DateOnly)
	return ""
}

// maxExceptionYears limits the length of an exception.
const maxExceptionYears = 2

// isCellError reports whether a text is the error that a spreadsheet shows for
// a formula.
func isCellError(text string) bool {
	if !strings.HasPrefix(text, "#") {
		return false
	}
	for _, e := range []string{"#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#N/A", "#NULL!", "#NUM!"} {
		if strings.EqualFold(text, e) {
			return true
		}
	}
	return false
}
