// Package timeline describes the changes of an account from report to report,
// for the page that shows them. It judges reports one by one and compares each
// with the previous one.
package timeline

import (
	"context"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/audit/diff/show"
	"rollcall/internal/html"
)

// Of returns the timeline of an account with a name. all are its reports,
// oldest first. Each is judged with the options, for its own time, and is read
// twice. Unreadable ones are omitted.
func Of(ctx context.Context, account, name string, all []diff.Report, judged audit.Options) (html.History, error) {
	judged.AsOf, judged.Top, judged.EveryRow = time.Time{}, -1, false
	h := html.History{Account: account}
	auditor, err := audit.New(judged)
	if err != nil {
		return h, err
	}
	var before *diff.Report
	for i := range all {
		f, err := all[i].Open()
		if err != nil {
			continue
		}
		of, err := auditor.Audit(ctx, f, all[i].Source, nil, nil)
		f.Close()
		if err != nil {
			return h, err
		}
		h.Partition = of.Source.Partition
		h.Snapshots = append(h.Snapshots, html.SnapshotOf(of))
		if before != nil {
			s := diff.Series{Account: h.Account, Name: name, Old: before, New: &all[i]}
			if err := compare(ctx, &h, s, judged, before.Source.Generated); err != nil {
				return h, err
			}
		}
		before = &all[i]
	}
	return h, nil
}

// compare adds the events between two reports.
func compare(ctx context.Context, h *html.History, s diff.Series, judged audit.Options, since time.Time) error {
	at := s.New.Source.Generated
	_, err := diff.Compare(ctx, s, diff.Options{Audit: judged}, func(c *diff.Change) error {
		for _, e := range c.Events {
			h.Changes = append(h.Changes, html.Change{
				At: at, Since: since, Kind: e.Kind, Severity: e.Severity, User: c.User, Credential: e.Credential.ID(),
				Text: sentence(&e), Usual: usual(&e),
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

// usual returns the name under which an ordinary use is counted, "" for an event
// to show.
func usual(e *diff.Event) string {
	if e.Severity > audit.Low {
		return ""
	}
	return show.Usual(e.Kind)
}
