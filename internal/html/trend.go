package html

import (
	"cmp"
	"slices"
	"time"

	"rollcall/internal/audit"
)

// maxTrendPoints is the maximum number of bars of the trend.
const maxTrendPoints = 24

// trendPoint holds the failures of all accounts at one time.
type trendPoint struct {
	At int64 `json:"at"`
	// Accounts is the number of accounts that had a report by then.
	Accounts int                      `json:"accounts"`
	Failing  [audit.NumSeverities]int `json:"failing"`
}

// trend returns the failures of the whole organization over time. There is a point
// for each day with a report, up to maxTrendPoints. At each point, every account
// counts with its newest report so far. So the last point has the figures of the
// audit itself.
func (b *Builder) trend(s *audit.Summary) []trendPoint {
	var all [][]Snapshot
	days := map[time.Time]time.Time{} // of each day, the time of the last report
	for _, a := range s.Accounts {
		if a.Missing {
			continue
		}
		known := b.snapshots(a)
		all = append(all, known)
		for _, k := range known {
			if day := k.Generated.UTC().Truncate(24 * time.Hour); k.Generated.After(days[day]) {
				days[day] = k.Generated
			}
		}
	}
	var times []time.Time
	for _, t := range days {
		times = append(times, t)
	}
	slices.SortFunc(times, time.Time.Compare)
	points := []trendPoint{}
	for _, t := range spread(times, maxTrendPoints) {
		p := trendPoint{At: seconds(t)}
		for _, known := range all {
			p.add(known, t)
		}
		points = append(points, p)
	}
	return points
}

// add adds the state of an account at a time. Its snapshots are in order of time. A
// snapshot without a time comes last and always counts.
func (p *trendPoint) add(known []Snapshot, at time.Time) {
	for i := len(known) - 1; i >= 0; i-- {
		if known[i].Generated.After(at) {
			continue
		}
		p.Accounts++
		for severity, n := range known[i].Failing {
			p.Failing[severity] += n
		}
		return
	}
}

// snapshots returns the reports of an account in order of time. The newest has the
// results of this audit, which may be for another time than the report's own.
func (b *Builder) snapshots(a *audit.AccountSummary) []Snapshot {
	now := SnapshotOf(a)
	h := b.historyOf(a)
	if h == nil || now.Generated.IsZero() {
		return []Snapshot{now}
	}
	before := slices.DeleteFunc(slices.Clone(h.Snapshots),
		func(s Snapshot) bool { return !s.Generated.Before(now.Generated) })
	slices.SortFunc(before, func(x, y Snapshot) int { return cmp.Compare(x.Generated.Unix(), y.Generated.Unix()) })
	return append(before, now)
}

// spread returns at most n of the times, from the first to the last.
func spread(times []time.Time, n int) []time.Time {
	if len(times) <= n {
		return times
	}
	some := make([]time.Time, n)
	for i := range some {
		some[i] = times[i*(len(times)-1)/(n-1)]
	}
	return some
}
