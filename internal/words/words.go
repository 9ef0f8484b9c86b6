// Package words formats counts, times and ages for every output of the tool.
package words

import (
	"fmt"
	"strings"
	"time"

	"rollcall/report"
)

// Count returns a number with its noun: "1 key", "2 keys".
func Count[N int | int64](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Time returns the time in RFC 3339 in UTC, for programs; "" for the zero time.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// ReportTime returns the time in the form of the report; "" for an absence.
func ReportTime(t report.Time) string {
	if !t.IsPresent() {
		return ""
	}
	return t.String()
}

// ShortAge returns a duration in the single most informative unit. Days never
// become months, because rules count days.
func ShortAge(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// Sentence returns the text with a full stop at its end, unless it has one or
// is empty.
func Sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}
