package timeline

import (
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/report"
)

func TestEveryEventHasASentence(t *testing.T) {
	at := report.At(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))
	for _, e := range audit.Events() {
		event := diff.Event{Kind: e.Kind, At: at, Was: "before", Is: "after",
			Credential: audit.Credential{Kind: audit.AccessKey, Created: at}}
		text := sentence(&event)
		if text == "" || strings.ContainsAny(text, "{}") || !strings.HasSuffix(text, ".") {
			t.Errorf("%s: %q", e.Kind, text)
		}
	}
}

func TestSentence(t *testing.T) {
	at := report.At(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))
	key := audit.Credential{Kind: audit.AccessKey, Created: at}
	for _, test := range []struct {
		event diff.Event
		want  string
	}{
		{diff.Event{Kind: audit.KeyAdded, At: at, Is: "active, never used", Note: "Two were created in that second."},
			"A new access key was created at 2026-11-20 08:00 UTC. It is active and was never used. " +
				"Two were created in that second."},
		{diff.Event{Kind: audit.KeyRemoved, Credential: key, Was: "inactive, used 2025-01-02T03:04:05Z"},
			"The access key of 2026-11-20 08:00 UTC was deleted. " +
				"It was inactive and was last used 2025-01-02 03:04 UTC."},
		{diff.Event{Kind: audit.KeyRotated, At: at, Was: "key:2025-01-02T03:04:05Z"},
			"The access key was replaced by one created at 2026-11-20 08:00 UTC. The old one was of 2025-01-02 03:04 UTC."},
		{diff.Event{Kind: audit.RootUseSeen, Was: "N/A", Is: "2026-11-20T08:00:00Z"},
			"Root was used at 2026-11-20 08:00 UTC. The use before that was at an unknown time."},
		{diff.Event{Kind: audit.LastUsedRegion, Credential: key, Was: "N/A", Is: "eu-west-1"},
			"The access key of 2026-11-20 08:00 UTC was last used in eu-west-1, and before that in an unknown one."},
		{diff.Event{Kind: audit.UserRenamed, Was: "{is}", Is: "b"}, "The user was called {is} and is called b now."},
	} {
		if got := sentence(&test.event); got != test.want {
			t.Errorf("%s:\n%s, want\n%s", test.event.Kind, got, test.want)
		}
	}
}

// Ordinary uses are counted by the page, and others are shown.
func TestUsual(t *testing.T) {
	for _, test := range []struct {
		event diff.Event
		want  string
	}{
		{diff.Event{Kind: audit.PasswordUsed}, "password used"},
		{diff.Event{Kind: audit.KeyFirstUsed, Severity: audit.Low}, "key used for the first time"},
		{diff.Event{Kind: audit.KeyFirstUsed, Severity: audit.Medium}, ""},
		{diff.Event{Kind: audit.KeyAdded, Severity: audit.Medium}, ""},
	} {
		if got := usual(&test.event); got != test.want {
			t.Errorf("%s of severity %s counts as %q, want %q", test.event.Kind, test.event.Severity, got, test.want)
		}
	}
}
