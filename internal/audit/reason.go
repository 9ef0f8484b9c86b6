package audit

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/report"
)

// reason says in a sentence why v is as it is. Within braces, {age}, {since}
// and {limit} are those of the verdict, and everything else is a column of the
// row.
func reason(v *verdict, row *report.Row, asOf report.Time) string {
	if row == nil {
		return v.why
	}
	if v.why == "" && len(v.columns) > 0 {
		return silence(v.columns[0], row, asOf)
	}
	b := make([]byte, 0, 256)
	for rest := v.why; ; {
		before, after, ok := strings.Cut(rest, "{")
		b = append(b, before...)
		if !ok {
			return string(b)
		}
		name, after, _ := strings.Cut(after, "}")
		rest = after
		switch name {
		case "age":
			b = appendDuration(b, v.age(asOf))
		case "since":
			b = append(b, v.since.String()...)
		case "limit":
			b = appendDuration(b, time.Duration(v.limitSec)*time.Second)
		default:
			text, _ := row.Cell(name)
			b = append(b, shorten(text)...)
		}
	}
}

// age is how long before asOf v.since lies; 0 where either is absent, and where
// it lies after it, by what clocks may differ.
func (v *verdict) age(asOf report.Time) time.Duration {
	now, known := asOf.Unix()
	since, ok := v.since.Unix()
	if !known || !ok {
		return 0
	}
	return time.Duration(max(now-since, 0)) * time.Second
}

// silence says why a column tells nothing.
func silence(column string, row *report.Row, asOf report.Time) string {
	text, ok := row.Cell(column)
	if !ok {
		return "The report has no column " + column + "."
	}
	if slices.ContainsFunc(row.Unreadable, func(c report.Cell) bool { return c.Column == column }) {
		if text == "" {
			return column + " is empty."
		}
		return column + " cannot be read: " + strconv.Quote(shorten(text)) + "."
	}
	if strings.ContainsRune(text, ':') { // a date
		if !asOf.IsPresent() {
			return "It is not known when the report was made, so that " + column + " tells no age."
		}
		return column + " is " + text + ", which is after the report was made."
	}
	return column + " is " + text + ", which does not tell."
}

// shorten keeps what a person would read of a cell.
func shorten(text string) string {
	const enough = 200
	if len(text) <= enough {
		return text
	}
	return strings.ToValidUTF8(text[:enough], "") + "…"
}

// duration writes an age: in days, with one smaller unit where there is a rest,
// so that an age one second beyond a limit does not look like the limit.
func duration(d time.Duration) string { return string(appendDuration(nil, d)) }

func appendDuration(b []byte, d time.Duration) []byte {
	parts := 0
	for _, u := range units {
		n := d / u.size
		d -= n * u.size
		if n == 0 && (parts > 0 || u.size > time.Second) || parts == 2 {
			continue
		}
		if parts++; parts == 2 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, u.name...)
		if n != 1 {
			b = append(b, 's')
		}
	}
	return b
}

var units = [...]struct {
	name string
	size time.Duration
}{{" day", 24 * time.Hour}, {" hour", time.Hour}, {" minute", time.Minute}, {" second", time.Second}}
