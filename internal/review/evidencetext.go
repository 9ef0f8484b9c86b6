package review

import (
	"cmp"
	"strings"
	"time"

	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// This file has the texts of the page of evidence.

// shown escapes invisible characters in a text of others.
func shown(text string) string { return escape.Printable(text) }

func timeText(t time.Time) string {
	return cmp.Or(strings.Replace(strings.TrimSuffix(words.Time(t), "Z"), "T", " ", 1)+utc(t), "not recorded")
}

func dayText(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func parenthesised(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// extent counts what the review is about.
func (e *evidence) extent() string {
	return words.Count(len(e.M.Accounts), "account") + ", " + words.Count(e.M.Users, "user") + ", " +
		words.Count(e.M.Items, "line")
}

// outcome returns the outcome of a decision, and whether it was in time.
func (c *Check) outcome() string {
	if c.InTime == "" {
		return string(c.Outcome)
	}
	return string(c.Outcome) + ", in time: " + string(c.InTime)
}

// decision returns the decision of the previous review.
func (g *Gone) decision() string {
	text := "none"
	if g.Decision != nil {
		text = string(g.Decision.Verb)
	}
	if g.Unknown {
		text += ", and nobody knows: the account has no report now"
	}
	return text
}

func (r *decisionRow) auditClass() string {
	if r.Fails {
		return "fail"
	}
	return ""
}

func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " UTC"
}

var stateClasses = map[AccountState]string{
	Reviewed: "pass", Incomplete: "no-data", Missing: "no-data", Inactive: "muted", Unlisted: "warn",
}

func (c *Check) class() string {
	switch {
	case c.Outcome == Overdue, c.Outcome == Lapsed, c.InTime == Late:
		return "fail"
	case c.Outcome == Unknown:
		return "no-data"
	case c.Outcome == Pending, c.InTime == NotShown:
		return "warn"
	}
	return "pass"
}
