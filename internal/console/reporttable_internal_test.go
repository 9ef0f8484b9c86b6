package console

import (
	"testing"
	"time"

	"rollcall/report"
)

// A key that was never used differs from one that does not exist, though the
// report says N/A of both.
func TestReportCellNeverUsed(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 7, 5, 0, 0, 0, 0, time.UTC)
	row := &report.Row{Keys: [2]report.Key{{Active: report.True, LastRotated: report.At(made)}}}
	want := map[string]string{
		"access_key_1_last_used_date": "never", "access_key_2_last_used_date": "–", "access_key_1_last_used_region": "–",
		"access_key_2_last_rotated": "–",
	}
	for _, c := range report.KnownColumns() {
		if w := want[c.Name]; w != "" && reportCell(c, row, made).Text != w {
			t.Errorf("%s is shown as %q, want %q", c.Name, reportCell(c, row, made).Text, w)
		}
	}
}
