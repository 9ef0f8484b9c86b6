package render

import (
	"fmt"
	"slices"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/words"
)

// Made says when a report was generated, and whether it was generated for the
// fetch or existed before.
func Made(src *audit.Source) string {
	if src.Generated.IsZero() {
		return "Nothing says when the report was generated."
	}
	text := "Report generated " + words.Time(src.Generated) + ": "
	switch src.Origin {
	case "generated":
		return text + "new when it was fetched."
	case "cached":
		return text + "reused, " + oldWhenFetched(src) + "."
	case "stale":
		return text + "stale, " + oldWhenFetched(src) + "; the service had no newer one."
	}
	return text + "read from a file."
}

func oldWhenFetched(src *audit.Source) string {
	if src.Fetched.IsZero() {
		return "generated before the request"
	}
	return words.ShortAge(max(0, src.Fetched.Sub(src.Generated))) + " old when it was fetched"
}

// made says the same about all reports of an audit.
func made(s *audit.Summary) string {
	var all []*audit.AccountSummary
	for _, a := range s.Accounts {
		if !a.Missing {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return ""
	}
	if len(all) == 1 {
		return Made(&all[0].Source)
	}
	dates := func(a, b *audit.AccountSummary) int { return a.Source.Generated.Compare(b.Source.Generated) }
	first, last := orUnknown(slices.MinFunc(all, dates)), orUnknown(slices.MaxFunc(all, dates))
	if first != last {
		first += " to " + last
	}
	text := "Reports generated " + first + ": "
	n := map[string]int{}
	for _, a := range all {
		n[a.Source.Origin]++
	}
	var parts []string
	for _, of := range []struct {
		origin, says string
	}{{"generated", "new when fetched"}, {"cached", "reused"}, {"stale", "stale"}} {
		if n[of.origin] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[of.origin], of.says))
		}
		delete(n, of.origin)
	}
	files := 0
	for _, more := range n {
		files += more
	}
	if files > 0 {
		parts = append(parts, fmt.Sprintf("%d read from files", files))
	}
	return text + strings.Join(parts, ", ") + "."
}

func orUnknown(a *audit.AccountSummary) string {
	if a.Source.Generated.IsZero() {
		return "at an unknown time"
	}
	return words.Time(a.Source.Generated)
}
