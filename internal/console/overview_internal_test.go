package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"rollcall/internal/audit"
	"rollcall/internal/html"
)

// A figure of one has its noun in the singular.
func TestTiles(t *testing.T) {
	t.Parallel()
	v := &visit{r: httptest.NewRequest(http.MethodGet, "/", nil)}
	said := func(st audit.Stats) (all []string) {
		for _, tile := range v.tiles(&st) {
			all = append(all, tile.Figure+" "+tile.Text)
		}
		return all
	}
	ones := said(audit.Stats{Rows: 1, HumanUsers: 1, MachineUsers: 1, ConsoleUsers: 2, ConsoleUsersMFA: 1, ActiveKeys: 1,
		InactiveKeys: 1})
	if want := []string{"1 row, root included", "1 person", "1 machine", "2 console users", "1 console user with MFA",
		"1 console user without MFA", "1 active key", "1 inactive key"}; !slices.Equal(ones, want) {
		t.Errorf("the tiles say %q", ones)
	}
	if many := said(audit.Stats{Rows: 3000, HumanUsers: 2}); many[0] != "3,000 rows, root included" ||
		many[1] != "2 people" || many[6] != "0 active keys" {
		t.Errorf("the tiles say %q", many)
	}
}

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
