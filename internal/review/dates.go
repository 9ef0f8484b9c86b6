package review

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// readDay reads a day in the forms of people and spreadsheets: 2027-03-31,
// 2027/03/31, 31.03.2027, and 31/03/2027 or 3/31/2027 if only one reading is
// possible.
func readDay(text string) (time.Time, error) {
	wrong := fmt.Errorf("%.50q is not a day such as 2027-03-31", text)
	text, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "'"), " ") // a spreadsheet may add a time
	if day, rest, ok := strings.Cut(text, "T"); ok && strings.HasPrefix(rest, "00:00") {
		text = day
	}
	separator := strings.IndexAny(text, "-/.")
	if separator < 0 {
		return time.Time{}, wrong
	}
	parts := strings.Split(text, text[separator:separator+1])
	if len(parts) != 3 {
		return time.Time{}, wrong
	}
	var n [3]int
	for i, part := range parts {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil || n[i] < 1 || len(part) > 4 {
			return time.Time{}, wrong
		}
	}
	var at time.Time
	var ok bool
	switch {
	case len(parts[0]) == 4:
		at, ok = dayOf(n[0], n[1], n[2])
	case len(parts[2]) != 4:
	case text[separator] == '.':
		at, ok = dayOf(n[2], n[1], n[0])
	default:
		european, isEuropean := dayOf(n[2], n[1], n[0])
		american, isAmerican := dayOf(n[2], n[0], n[1])
		if isEuropean && isAmerican && !european.Equal(american) {
			return time.Time{}, fmt.Errorf("%q may be %s or %s: write it as %s", text, european.Format("2 January"),
				american.Format("2 January"), european.Format(time.DateOnly))
		}
		at, ok = european, isEuropean
		if !ok {
			at, ok = american, isAmerican
		}
	}
	if !ok {
		return time.Time{}, wrong
	}
	return at, nil
}

func dayOf(year, month, day int) (time.Time, bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t, t.Year() == year && int(t.Month()) == month && t.Day() == day
}

// momentForms are the forms in which spreadsheets save a time, with their
// precision. If a form has day and month as numbers, both orders are tried.
var momentForms = []struct {
	form  string
	whole time.Duration
}{
	{"2006-01-02 15:04:05", time.Second}, {"2006-01-02T15:04:05", time.Second}, {"2006-01-02 15:04", time.Minute},
	{"2006/01/02 15:04:05", time.Second}, {"2006/01/02 15:04", time.Minute},
	{"02.01.2006 15:04:05", time.Second}, {"02.01.2006 15:04", time.Minute}, {"02.01.06 15:04", time.Minute},
	{"2/1/2006 15:04:05", time.Second}, {"2/1/2006 15:04", time.Minute}, {"02/01/06 15:04", time.Minute},
	{"1/2/2006 15:04:05", time.Second}, {"1/2/2006 15:04", time.Minute}, {"01/02/06 15:04", time.Minute},
	{"1/2/2006 3:04:05 PM", time.Second}, {"1/2/2006 3:04 PM", time.Minute},
	{"2006-01-02", 24 * time.Hour}, {"02.01.2006", 24 * time.Hour}, {"2/1/2006", 24 * time.Hour},
	{"1/2/2006", 24 * time.Hour},
}

// sameMoment reports whether a cell is a time of the report in the form of a
// spreadsheet.
func sameMoment(want, cell string) bool {
	at, err := time.Parse(time.RFC3339, want)
	if err != nil {
		return false
	}
	for _, f := range momentForms {
		if got, err := time.Parse(f.form, cell); err == nil && got.Equal(at.UTC().Truncate(f.whole)) {
			return true
		}
	}
	return false
}
