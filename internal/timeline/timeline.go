// Package timeline tells what happened to an account from report to report, for
// the page that shows it: it judges the reports of a folder one by one and
// compares each with the one before.
package timeline

import (
	"context"
	"os"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/history"
	"rollcall/internal/html"
	"rollcall/internal/reports"
)

// most is how many of an account's reports a timeline goes through, the newest
// ones: each of them is read twice.
const most = 12

// Of returns the timeline of an account of that name. The snapshots are its
// reports, oldest first, and at least one; each is judged as the options say,
// but for its own time. A report that cannot be read is left out.
func Of(ctx context.Context, name string, snapshots []history.Snapshot, judged audit.Options) (html.History, error) {
	snapshots = snapshots[max(0, len(snapshots)-most):]
	judged.AsOf, judged.Top, judged.EveryRow = time.Time{}, -1, false
	h := html.History{Account: snapshots[0].Account}
	auditor, err := audit.New(judged)
	if err != nil {
		return h, err
	}
	var before *diff.Report
	var since time.Time
	for i := range snapshots {
		src := reports.SourceOf(&snapshots[i])
		f, err := os.Open(snapshots[i].Path)
		if err != nil {
			continue
		}
		of, err := auditor.Audit(ctx, f, src, nil, nil)
		f.Close()
		if err != nil {
			return h, err
		}
		h.Partition = of.Source.Partition
		h.Snapshots = append(h.Snapshots, html.SnapshotOf(of))
		src.Path = snapshots[i].Path
		report := diff.File(src)
		if before != nil {
			err := compare(ctx, &h, diff.Series{Account: h.Account, Name: name, Old: before, New: &report}, judged, since)
			if err != nil {
				return h, err
			}
		}
		before, since = &report, src.Generated
	}
	return h, nil
}

// compare adds what happened between two reports.
func compare(ctx context.Context, h *html.History, s diff.Series, judged audit.Options, since time.Time) error {
	at := s.New.Source.Generated
	_, err := diff.Compare(ctx, s, diff.Options{Audit: judged}, func(c *diff.Change) error {
		for _, e := range c.Events {
			h.Changes = append(h.Changes, html.Change{
				At: at, Since: since, Kind: e.Kind, Severity: e.Severity, User: c.User, Credential: e.Credential.ID(),
				Text: eventText(&e),
			})
		}
		for _, f := range c.Findings {
			kind := html.NewlyFailing
			switch {
			case f.State == diff.Fixed:
				kind = html.Fixed
			case f.State != diff.New && f.State != diff.Worse || f.Status != audit.Fail:
				continue
			}
			text := f.Reason.String()
			if f.State == diff.Fixed {
				text = strings.TrimSpace(f.How + " It was: " + f.Reason.String())
			}
			h.Changes = append(h.Changes, html.Change{
				At: at, Since: since, Kind: kind, Severity: f.Severity, Control: f.Control.ID, User: c.User,
				Credential: f.Credential.ID(), Text: text,
			})
		}
		return nil
	})
	return err
}

// eventText says in a sentence what the two reports say.
func eventText(e *diff.Event) string {
	var parts []string
	if e.Was != "" {
		parts = append(parts, "was "+e.Was)
	}
	if e.Is != "" {
		parts = append(parts, "is "+e.Is)
	}
	text := strings.Join(parts, ", ")
	if text != "" {
		text = strings.ToUpper(text[:1]) + text[1:] + "."
	}
	return strings.TrimSpace(text + " " + e.Note)
}
