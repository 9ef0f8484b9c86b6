package policy

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// instant is a moment, as seconds and nanoseconds since 1970.
type instant struct {
	sec  int64
	nsec int
}

func (i instant) compare(o instant) int {
	if i.sec != o.sec {
		return cmp.Compare(i.sec, o.sec)
	}
	return cmp.Compare(i.nsec, o.nsec)
}

// These are the years of a 64-bit count of milliseconds, AWS's own range.
const minYear, maxYear = -292275054, 292278993

// parseInstant reads seconds since 1970, or a date of ISO 8601 as tolerantly as
// IAM does: month, day, time and its parts may be missing, as may the zone,
// which then is UTC. The seconds may have a plus sign, and what is finer than a
// millisecond is dropped; both are recorded. It refuses only texts that
// CreatePolicy is known to refuse.
func parseInstant(s string) (instant, bool) {
	if !strings.ContainsAny(s, "tT-") {
		s = strings.TrimPrefix(s, "+")
		sec, err := strconv.ParseInt(s, 10, 64)
		return instant{sec: sec}, err == nil && digits(s)
	}
	date, clock, _ := cutAny(s, "tT")
	year, month, day, ok := parseDate(date)
	if !ok {
		return instant{}, false
	}
	sec, nsec, ok := parseClock(clock)
	if !ok {
		return instant{}, false
	}
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	nsec -= nsec % int(time.Millisecond)
	return instant{sec: midnight.Unix() + int64(sec), nsec: nsec}, true
}

func parseDate(s string) (year, month, day int, ok bool) {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	years, rest, hasMonth := strings.Cut(s, "-")
	months, days, hasDay := strings.Cut(rest, "-")
	month, day = 1, 1
	year, err := strconv.Atoi(sign + years)
	ok = err == nil && digits(years) && minYear <= year && year <= maxYear
	if hasMonth {
		month, ok = within(months, 1, 12, ok)
	}
	if hasDay {
		day, ok = within(days, 1, 31, ok)
	}
	return year, month, day, ok
}

// parseClock reads h:m:s.f with a zone into the seconds since midnight UTC.
func parseClock(s string) (sec, nsec int, ok bool) {
	ok = true
	if i := strings.IndexAny(s, "zZ+-"); i >= 0 {
		var zone int
		if zone, ok = parseZone(s[i:]); !ok {
			return 0, 0, false
		}
		sec, s = -zone, s[:i]
	}
	if s == "" {
		return sec, 0, true
	}
	hours, rest, hasMinutes := strings.Cut(s, ":")
	minutes, seconds, hasSeconds := strings.Cut(rest, ":")
	var h, m int
	h, ok = within(hours, 0, 23, ok)
	if hasMinutes {
		m, ok = within(minutes, 0, 59, ok)
	}
	sec += h*3600 + m*60
	if hasSeconds {
		whole, fraction, hasFraction := strings.Cut(seconds, ".")
		var n int
		n, ok = within(whole, 0, 59, ok)
		sec += n
		if hasFraction {
			nsec, ok = within(fraction, 0, 999999999, ok && len(fraction) <= 9)
			nsec *= int(math.Pow10(max(0, 9-len(fraction))))
		}
	}
	return sec, nsec, ok
}

// parseZone reads Z, +hh, +hhmm or +hh:mm into seconds.
func parseZone(s string) (sec int, ok bool) {
	if s == "z" || s == "Z" {
		return 0, true
	}
	hours, minutes, colon := strings.Cut(s[1:], ":")
	if !colon && len(hours) == 4 {
		hours, minutes, colon = hours[:2], hours[2:], true
	}
	h, ok := within(hours, 0, 23, len(hours) == 2)
	sec = h * 3600
	if colon {
		var m int
		m, ok = within(minutes, 0, 59, ok && len(minutes) == 2)
		sec += m * 60
	}
	if s[0] == '-' {
		sec = -sec
	}
	return sec, ok
}

// within reads digits as a number from low to high. ok is false if an earlier
// step failed.
func within(s string, low, high int, ok bool) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, ok && err == nil && digits(s) && low <= n && n <= high
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
