package html

import (
	"strings"
	"time"

	"rollcall/internal/audit"
)

// In a template, numberMark stands for a number and momentMark for a time in
// the report's form, both of which are in args.
const (
	numberMark = '\x01'
	momentMark = '\x02'
)

// template takes the numbers and times out of a reason, and puts them into
// args: what is left are few texts, each of which is stored once.
func (s *rows) template(reason string) string {
	var b strings.Builder
	for i := 0; i < len(reason); {
		c := reason[i]
		if sec, ok := momentAt(reason[i:]); ok {
			b.WriteByte(momentMark)
			s.args.number(sec)
			i += len(momentForm)
			continue
		}
		if n, length := numberAt(reason[i:]); length > 0 {
			b.WriteByte(numberMark)
			s.args.number(n)
			i += length
			continue
		}
		switch c {
		case numberMark:
			b.WriteString(`\x01`)
		case momentMark:
			b.WriteString(`\x02`)
		default:
			b.WriteByte(c)
		}
		i++
	}
	return b.String()
}

const momentForm = "2006-01-02T15:04:05Z"

// momentAt reads the time a text begins with. One that would not be written
// the same way again is none.
func momentAt(s string) (int64, bool) {
	if len(s) < len(momentForm) || s[len(momentForm)-1] != 'Z' || s[4] != '-' {
		return 0, false
	}
	t, err := time.Parse(momentForm, s[:len(momentForm)])
	return t.Unix(), err == nil && t.Format(momentForm) == s[:len(momentForm)]
}

// numberAt reads the number a text begins with, and returns its length: 0
// where there is none, or it would not be written the same way again.
func numberAt(s string) (n int64, length int) {
	for length < len(s) && '0' <= s[length] && s[length] <= '9' {
		if length == 15 { // beyond it numbers of JavaScript are not exact
			return 0, 0
		}
		n = n*10 + int64(s[length]-'0')
		length++
	}
	if s[:length] != "0" && strings.HasPrefix(s, "0") {
		return 0, 0
	}
	return n, length
}

// marked is the cell in which the column stands that a finding blames first.
func marked(f *audit.Finding) int {
	if len(f.Columns) == 0 {
		return userCell
	}
	column := f.Columns[0]
	switch {
	case column == "mfa_active":
		return mfaCell
	case column == "user", column == "arn", column == "user_creation_time":
		return userCell
	case strings.HasSuffix(column, "_active"), column == "password_enabled":
		return stateCell
	case strings.HasSuffix(column, "_last_rotated"), column == "password_last_changed", column == "password_next_rotation":
		return madeCell
	case strings.HasSuffix(column, "_last_used_date"), column == "password_last_used":
		return usedCell
	case strings.HasSuffix(column, "_last_used_region"), strings.HasSuffix(column, "_last_used_service"):
		return whereCell
	}
	return credentialCell
}
