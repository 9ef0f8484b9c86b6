package console

import (
	"slices"
	"testing"
)

// A day belongs to one range. Ranges end with the days of audit's limits.
func TestRangesOfKeys(t *testing.T) {
	want := []string{"0–30 days", "31–60 days", "61–90 days", "91–180 days", "181–365 days", "over 365 days"}
	if got := keyAgeNames(); !slices.Equal(got, want) {
		t.Errorf("ages %q", got)
	}
	want = []string{"used within 45 days", "used 46–90 days ago", "used over 90 days ago", "never used"}
	if got := keyIdleNames(); !slices.Equal(got, want) {
		t.Errorf("uses %q", got)
	}
}
