package audit

import (
	"fmt"
	"regexp"
	"strings"

	"rollcall/report"
)

// Classes says which users belong to which class. The first list with a
// matching matcher decides: BreakGlass, Machine, Human. A user without a match
// is human with a password and machine without. A class is a label and sets the
// limit of C9. It excuses nobody.
type Classes struct {
	Human, Machine, BreakGlass []Matcher
}

// Matcher matches some users. It is created by [ParseMatcher]. The zero Matcher
// matches nobody.
type Matcher struct {
	text     string
	on       matchOn
	pattern  *regexp.Regexp
	password report.Bool
}

type matchOn uint8

const (
	matchNothing matchOn = iota
	matchPassword
	matchUser
	matchPath
	matchARN
)

// ParseMatcher reads one of
//
//	password_enabled       has a password
//	no_password            has none
//	user~^svc-             the name has a match of the regular expression
//	user:svc-*             the name as a whole fits the pattern
//	path:/machines/*       so does the path
//	arn:*:user/machines/*  so does the ARN
//
// In a pattern * stands for any run of characters, and ? for one.
func ParseMatcher(s string) (Matcher, error) {
	m := Matcher{text: s}
	switch {
	case s == "password_enabled":
		m.on, m.password = matchPassword, report.True
	case s == "no_password":
		m.on, m.password = matchPassword, report.False
	case strings.HasPrefix(s, "user~"):
		re, err := regexp.Compile(strings.TrimPrefix(s, "user~"))
		if err != nil {
			return Matcher{}, fmt.Errorf("read class %q: %w", s, err)
		}
		m.on, m.pattern = matchUser, re
	case strings.HasPrefix(s, "user:"):
		m.on, m.pattern = matchUser, glob(strings.TrimPrefix(s, "user:"))
	case strings.HasPrefix(s, "path:"):
		m.on, m.pattern = matchPath, glob(strings.TrimPrefix(s, "path:"))
	case strings.HasPrefix(s, "arn:"):
		m.on, m.pattern = matchARN, glob(s)
	default:
		return Matcher{}, fmt.Errorf("read class %q: it is not one of password_enabled, no_password, user~EXPRESSION, "+
			"user:PATTERN, path:PATTERN and an ARN pattern", s)
	}
	return m, nil
}

// String returns the text that ParseMatcher has read.
func (m Matcher) String() string { return m.text }

// glob returns the regular expression for a whole text that matches a pattern
// with * and ?.
func glob(pattern string) *regexp.Regexp {
	expr := regexp.QuoteMeta(pattern)
	expr = strings.ReplaceAll(expr, `\*`, `.*`)
	expr = strings.ReplaceAll(expr, `\?`, `.`)
	return regexp.MustCompile(`\A(?s:` + expr + `)\z`)
}

func (m *Matcher) fits(row *report.Row) bool {
	switch m.on {
	case matchPassword:
		return row.PasswordEnabled == m.password
	case matchUser:
		return m.pattern.MatchString(row.User)
	case matchPath:
		return m.pattern.MatchString(row.Path())
	case matchARN:
		return m.pattern.MatchString(row.ARN)
	default:
		return false
	}
}

// Of returns the class of a row.
func (c *Classes) Of(row *report.Row) Class {
	switch {
	case row.IsRoot():
		return ClassRoot
	case fitsAny(c.BreakGlass, row):
		return ClassBreakGlass
	case fitsAny(c.Machine, row):
		return ClassMachine
	case fitsAny(c.Human, row), row.PasswordEnabled.IsTrue():
		return ClassHuman
	case row.PasswordEnabled.IsFalse():
		return ClassMachine
	default:
		return ClassUnknown
	}
}

// Named reports whether a list matches the user of a row by name, path or ARN,
// and not only by whether the user has a password.
func (c *Classes) Named(row *report.Row) bool {
	for _, list := range [][]Matcher{c.BreakGlass, c.Machine, c.Human} {
		for i := range list {
			if list[i].on != matchPassword && list[i].fits(row) {
				return true
			}
		}
	}
	return false
}

func fitsAny(matchers []Matcher, row *report.Row) bool {
	for i := range matchers {
		if matchers[i].fits(row) {
			return true
		}
	}
	return false
}
