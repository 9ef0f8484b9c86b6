package words_test

import (
	"testing"
	"time"

	"rollcall/internal/words"
	"rollcall/report"
)

func TestWords(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 5, 9, time.FixedZone("", 3600))
	for _, test := range []struct{ got, want string }{
		{words.Count(0, "key"), "0 keys"},
		{words.Count(1, "key"), "1 key"},
		{words.Count(int64(2), "row"), "2 rows"},
		{words.Time(at), "2026-11-30T11:00:05Z"},
		{words.Time(time.Time{}), ""},
		{words.ReportTime(report.At(at)), "2026-11-30T11:00:05Z"},
		{words.ReportTime(report.None(report.NoInformation)), ""},
		{words.Sentence("It is gone"), "It is gone."},
		{words.Sentence("It is gone."), "It is gone."},
		{words.Sentence(""), ""},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestShortAge(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		d    time.Duration
		want string
	}{
		{-time.Hour, "0s"}, {0, "0s"}, {59 * time.Second, "59s"}, {time.Minute, "1m"}, {time.Hour - 1, "59m"},
		{time.Hour, "1h"}, {day - 1, "23h"}, {day, "1d"}, {90*day - 1, "89d"}, {90 * day, "90d"}, {4000 * day, "4000d"},
	}
	for _, test := range tests {
		if got := words.ShortAge(test.d); got != test.want {
			t.Errorf("ShortAge(%s) = %s, want %s", test.d, got, test.want)
		}
	}
}
