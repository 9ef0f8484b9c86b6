package console

import (
	"fmt"
	"testing"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// The parts of a bar are stacked without a gap, and are as high together as
// all findings are.
func TestTrendParts(t *testing.T) {
	t.Parallel()
	var s html.Snapshot
	s.Failing[audit.Medium], s.Failing[audit.High], s.Failing[audit.Critical] = 10, 5, 1
	want := "[{medium 30 30} {high 15 15} {critical 12 3}]"
	if got := fmt.Sprint(trendParts(&s, 20)); got != want {
		t.Errorf("the parts are %s, want %s", got, want)
	}
	if got := trendParts(&html.Snapshot{}, 1); len(got) != 0 {
		t.Errorf("a report without findings has a bar of %v", got)
	}
}
