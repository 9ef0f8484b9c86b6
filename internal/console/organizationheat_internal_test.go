package console

import (
	"testing"

	"rollcall/internal/audit"
)

func TestHeatCell(t *testing.T) {
	t.Parallel()
	head := &heatControl{Called: "2.10", Title: "MFA"}
	for _, c := range []struct {
		fail, noData, warn, manual, pass, excused int32
		sign, class, text                         string
	}{
		{0, 0, 0, 0, 0, 0, "–", "zero", "not applicable"},
		{0, 0, 0, 0, 9, 0, "✓", "pass", "9 PASS"},
		{0, 0, 0, 1, 9, 0, "◇", "manual", "1 MANUAL, 9 PASS"},
		{0, 0, 0, 1, 9, 2, "exc", "excused", "1 MANUAL, 9 PASS, 2 excused"},
		{0, 0, 3, 1, 9, 2, "!3", "warn", "3 WARN, 1 MANUAL, 9 PASS, 2 excused"},
		{0, 4, 3, 0, 0, 0, "?", "no-data", "4 NO DATA, 3 WARN"},
		{9, 0, 0, 0, 91, 0, "9", "heat-1", "9 FAIL, 91 PASS"},
		{10, 0, 0, 0, 90, 0, "10", "heat-2", "10 FAIL, 90 PASS"},
		{1, 0, 0, 0, 3, 0, "1", "heat-3", "1 FAIL, 3 PASS"},
		// The share does not count what a person must judge, and what is excused.
		{1, 0, 0, 7, 2, 9, "1", "heat-3", "1 FAIL, 7 MANUAL, 2 PASS, 9 excused"},
		// An organization may have thousands of accounts with thousands of users each.
		{30_000_000, 0, 0, 0, 10_000_000, 0, "30,000,000", "heat-4", "30,000,000 FAIL, 10,000,000 PASS"},
		{2500, 2500, 0, 0, 0, 0, "2,500", "heat-4", "2,500 FAIL, 2,500 NO DATA"},
	} {
		tally := controlTally{excused: c.excused}
		tally.statuses[audit.Fail], tally.statuses[audit.NoData], tally.statuses[audit.Warn] = c.fail, c.noData, c.warn
		tally.statuses[audit.Manual], tally.statuses[audit.Pass] = c.manual, c.pass
		want := heatCell{c.sign, "x, 2.10 MFA: " + c.text, c.class, "/to"}
		if got := cellOf(&tally, "x", head, "/to"); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
