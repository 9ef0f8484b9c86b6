package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/history"
	"rollcall/internal/html"
)

// mostHistory is how many of an account's reports a timeline goes through: each
// of them is read twice.
const mostHistory = 12

// histories tells what folders hold of the reports before the ones audited, for
// the one output that shows it.
func (a *auditing) histories(ctx context.Context, inputs []auditInput, wanted []outputSpec, judged audit.Options) ([]html.History, error) {
	if !slices.ContainsFunc(wanted, func(o outputSpec) bool { return o.format == "html" }) {
		return nil, nil
	}
	// What was, is judged for its own time.
	judged.AsOf, judged.Top, judged.EveryRow = time.Time{}, -1, false
	var all []html.History
	for i := range inputs {
		if len(inputs[i].reports) < 2 {
			continue
		}
		h, err := historyOf(ctx, inputs[i].src.Name, inputs[i].reports, judged)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// earlier are the reports of a folder up to one of them, oldest first, and that
// one last.
func earlier(folder *history.Folder, newest *history.Snapshot) ([]history.Snapshot, error) {
	all, err := folder.Snapshots(newest.Account)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s history.Snapshot) bool { return s.GeneratedAt.After(newest.GeneratedAt) })
	return all[max(0, len(all)-mostHistory):], nil
}

// historyOf judges the reports of an account one by one and compares each with
// the one before. One that cannot be read is left out.
func historyOf(ctx context.Context, name string, reports []history.Snapshot, judged audit.Options) (html.History, error) {
	h := html.History{Account: reports[0].Account}
	auditor, err := audit.New(judged)
	if err != nil {
		return h, usageError("%w", err)
	}
	var before *diff.Report
	var since time.Time
	for i := range reports {
		src := sourceOf(&reports[i])
		f, err := os.Open(reports[i].Path)
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
		src.Path = reports[i].Path
		report := diff.File(src)
		if before != nil {
			err := compared(ctx, &h, diff.Series{Account: h.Account, Name: name, Old: before, New: &report}, judged, since)
			if err != nil {
				return h, err
			}
		}
		before, since = &report, src.Generated
	}
	return h, nil
}

// compared adds what happened between two reports.
func compared(ctx context.Context, h *html.History, s diff.Series, judged audit.Options, since time.Time) error {
	at := s.New.Source.Generated
	_, err := diff.Compare(ctx, s, diff.Options{Audit: judged}, func(c *diff.Change) error {
		for _, e := range c.Events {
			h.Changes = append(h.Changes, html.Change{
				At: at, Since: since, Kind: e.Kind, Severity: e.Severity, User: c.User, Credential: e.Credential.ID(), Text: eventText(&e),
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
			text := f.Reason
			if f.State == diff.Fixed {
				text = strings.TrimSpace(f.How + " It was: " + f.Reason)
			}
			h.Changes = append(h.Changes, html.Change{
				At: at, Since: since, Kind: kind, Severity: f.Severity, Control: f.Control.ID, User: c.User, Credential: f.Credential.ID(), Text: text,
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
