package plan

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseWindow(t *testing.T) {
	for in, want := range map[string]string{
		"Tue 09:00-12:00": "Tue 09:00-12:00", "mon-THU,Sat 08:00-16:30": "Mon,Tue,Wed,Thu,Sat 08:00-16:30",
		"Sat-Mon 00:00-24:00": "Mon,Sat,Sun 00:00-24:00", "Sun 23:59-24:00": "Sun 23:59-24:00",
	} {
		w, err := ParseWindow(in)
		if err != nil || w.String() != want {
			t.Errorf("%q: %v, %v", in, w, err)
		}
	}
	for _, in := range []string{
		"", "Tue", "09:00-12:00", "Tue 9:00-12:00", "Tue 09:00", "Tue 12:00-09:00", "Tue 09:00-09:00",
		"Tue 09:00-24:01", "Tue 09:60-12:00",
		"Tuesday 09:00-12:00", "Tue- 09:00-12:00", "Tue,, 09:00-12:00", "Tue -1:00-12:00",
		"Tue 09:00-12:00 UTC", "Tue 22:00-02:00",
	} {
		if w, err := ParseWindow(in); err == nil {
			t.Errorf("%q is %v", in, w)
		}
	}
}

func FuzzParseWindow(f *testing.F) {
	f.Add("Tue 09:00-12:00")
	f.Add("Mon-Thu,Sat 08:00-16:30")
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWindow(s)
		if err != nil {
			return
		}
		again, err := ParseWindow(w.String())
		if err != nil || again != w {
			t.Fatalf("%q is %v, read again %v, %v", s, w, again, err)
		}
	})
}

// TestNext compares the result with a search minute by minute, in zones with
// and without summer time.
func TestNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(
			rapid.SampledFrom([]string{"UTC", "Asia/Kolkata", "Pacific/Auckland"}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		// Skip the nights when clocks change: a window within such an hour is as
		// long as the wall clock says.
		at := time.Date(2026, 6, 1, 0, rapid.IntRange(0, 60*24*60).Draw(t, "minute"), 0, 0, zone)
		var windows []Window
		for range rapid.IntRange(0, 3).Draw(t, "windows") {
			w := Window{From: rapid.IntRange(0, 1439).Draw(t, "from")}
			w.To = rapid.IntRange(w.From+1, 1440).Draw(t, "to")
			w.Days[rapid.IntRange(0, 6).Draw(t, "day")] = true
			windows = append(windows, w)
		}
		got := next(at, windows)
		if len(windows) == 0 {
			if !got.Equal(at) {
				t.Fatal(got)
			}
			return
		}
		want := at
		for !inOne(want, windows) {
			want = want.Add(time.Minute)
		}
		if !got.Equal(want) {
			t.Fatalf("after %v in %v: %v, want %v", at, windows, got, want)
		}
	})
}

func inOne(t time.Time, windows []Window) bool {
	minute := t.Hour()*60 + t.Minute()
	for _, w := range windows {
		if w.Days[t.Weekday()] && minute >= w.From && minute < w.To {
			return true
		}
	}
	return false
}
