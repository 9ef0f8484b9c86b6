package timeline_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/history"
	"rollcall/internal/html"
	"rollcall/internal/reports"
	"rollcall/internal/timeline"
)

const account = "111111111111"

func csvOf(active bool) string {
	return fmt.Sprintf("user,arn,user_creation_time,password_enabled,"+
		"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active\n"+
		"amy,arn:aws:iam::%s:user/amy,2025-01-01T00:00:00Z,false,%t,2025-01-02T00:00:00Z,N/A,false\n", account, active)
}

// TestOf uses fourteen reports, of which the newest twelve count. A key that
// has been old for long is deactivated and activated again.
func TestOf(t *testing.T) {
	folder, err := history.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range 14 {
		at := first.AddDate(0, 0, i)
		meta := history.Meta{Account: account, Partition: "aws", GeneratedAt: at, FetchedAt: at, Source: "generated"}
		if _, err := folder.Save(meta, []byte(csvOf(i < 5 || i > 9))); err != nil {
			t.Fatal(err)
		}
	}
	snapshots, err := folder.Snapshots(account)
	if err != nil {
		t.Fatal(err)
	}
	h, err := timeline.Of(t.Context(), account, "payments", reports.Newest(snapshots, 12), audit.Options{
		Controls: []audit.ControlID{audit.KeyAge}, AsOf: first.AddDate(-1, 0, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.Account != account || h.Partition != "aws" || len(h.Snapshots) != 12 ||
		h.Snapshots[0].Findings[audit.Fail] != 1 || h.Snapshots[4].Keys != 0 {
		t.Errorf("%+v", h)
	}
	var got []string
	for _, c := range h.Changes {
		got = append(got, fmt.Sprint(c.At.Day(), " ", c.Kind))
	}
	want := []string{
		fmt.Sprint(6, " ", audit.KeyDeactivated), fmt.Sprint(6, " ", html.Fixed),
		fmt.Sprint(11, " ", audit.KeyReactivated), fmt.Sprint(11, " ", html.NewlyFailing),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for _, c := range h.Changes {
		if c.Text == "" || c.User != "amy" {
			t.Errorf("%+v", c)
		}
	}
}
