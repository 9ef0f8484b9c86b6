package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Window is a time of the week in which changes may be made.
type Window struct {
	Days     [7]bool // by time.Weekday
	From, To int     // minutes of the day, without To
}

var dayNames = [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// ParseWindow reads days and hours: "Tue 09:00-12:00", "Mon-Thu,Sat
// 08:00-16:30". A window ends on the day it begins, at 24:00 at the latest.
func ParseWindow(s string) (w Window, err error) {
	fields := strings.Fields(s)
	if len(fields) != 2 {
		return w, fmt.Errorf("%q is not a window such as 'Tue 09:00-12:00'", s)
	}
	for part := range strings.SplitSeq(fields[0], ",") {
		first, last, several := strings.Cut(part, "-")
		a, ok := weekday(first)
		b := a
		if several && ok {
			b, ok = weekday(last)
		}
		if !ok {
			return w, fmt.Errorf("%q is not a day or days such as Tue, Mon-Thu or Tue,Thu", part)
		}
		for d := a; ; d = (d + 1) % 7 {
			w.Days[d] = true
			if d == b {
				break
			}
		}
	}
	from, to, ok := strings.Cut(fields[1], "-")
	if w.From, err = minutes(from); err != nil || !ok {
		return w, cmp.Or(err, fmt.Errorf("%q is not a time such as 09:00-12:00", fields[1]))
	}
	if w.To, err = minutes(to); err != nil {
		return w, err
	}
	if w.To <= w.From {
		return w, fmt.Errorf("%q ends before it begins: a window that spans midnight must be given as two", fields[1])
	}
	return w, nil
}

func weekday(s string) (int, bool) {
	i := slices.IndexFunc(dayNames[:], func(name string) bool { return strings.EqualFold(name, s) })
	return i, i >= 0
}

func minutes(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	n := hour*60 + minute
	if !ok || err1 != nil || err2 != nil || len(h) != 2 || len(m) != 2 || hour < 0 || minute < 0 ||
		minute > 59 || n > 24*60 {
		return 0, fmt.Errorf("%q is not a time of day such as 09:00", s)
	}
	return n, nil
}

// String returns the window in the form of ParseWindow.
func (w Window) String() string {
	var days []string
	for i := range 7 {
		if d := (i + 1) % 7; w.Days[d] { // Monday first
			days = append(days, dayNames[d])
		}
	}
	return fmt.Sprintf("%s %02d:%02d-%02d:%02d", strings.Join(days, ","), w.From/60, w.From%60, w.To/60, w.To%60)
}

// next returns the first time at or after t that is in one of the windows. If
// there are no windows it returns t.
func next(t time.Time, windows []Window) time.Time {
	var first time.Time
	for _, w := range windows {
		for day := range 8 {
			y, m, d := t.AddDate(0, 0, day).Date()
			from := time.Date(y, m, d, 0, w.From, 0, 0, t.Location())
			to := time.Date(y, m, d, 0, w.To, 0, 0, t.Location())
			if !w.Days[from.Weekday()] || !to.After(t) {
				continue
			}
			if from.Before(t) {
				from = t
			}
			if first.IsZero() || from.Before(first) {
				first = from
			}
			break
		}
	}
	if first.IsZero() {
		return t
	}
	return first
}
