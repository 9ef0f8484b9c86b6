package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/enrich"
	"rollcall/internal/fleet"
	"rollcall/internal/history"
)

// ownRunUnused are the flags that say how to reach a service.
var ownRunUnused = []string{
	"profile", "region", "endpoint-url", "ca-bundle", "allow-http", "no-session-cache", "enrich-timeout",
}

// fetchOwn saves reports of the operator's own service in the folder.
func (r *reportRun) fetchOwn(cmd *cobra.Command) error {
	named, err := r.fleet.ownMembers(r.p.stdin)
	if err != nil {
		return err
	}
	return r.own.run(cmd, func(u *ownRun) error {
		ctx, began := cmd.Context(), time.Now()
		accounts, err := u.accounts(ctx, named)
		if err != nil {
			return err
		}
		folder, err := history.Create(r.fleet.into)
		if err != nil {
			return err
		}
		s := &ownSaver{reportRun: r, folder: folder, began: began, accounts: accounts}
		outcomes, err := s.all(ctx, u)
		return r.tell(ctx, outcomes, time.Since(began), err)
	})
}

// ownMembers reads the file of --accounts if no role is assumed.
func (f *fleetFlags) ownMembers(stdin io.Reader) ([]fleet.Member, error) {
	named, err := f.members(stdin)
	for _, m := range named {
		if m.Role != "" {
			return nil, usageError("%s: with --data or --store no role is assumed: name accounts by their numbers",
				f.accounts)
		}
	}
	return named, err
}

// ownSaver saves reports of the operator's own service.
type ownSaver struct {
	*reportRun
	folder   *history.Folder
	began    time.Time
	accounts []ownAccount
}

// all saves a report of every account, and returns their outcomes. All accounts
// are expected from the beginning, as in package fleet.
func (s *ownSaver) all(ctx context.Context, u *ownRun) ([]history.Outcome, error) {
	outcomes := make([]history.Outcome, len(s.accounts))
	targets := make([]fleet.Target, len(s.accounts))
	for i := range s.accounts {
		a := &s.accounts[i]
		targets[i] = fleet.Target{Account: a.id, Name: a.name}
		outcomes[i] = s.outcome(a, history.Unfinished, "", time.Time{})
		if err := s.folder.SetOutcome(outcomes[i]); err != nil {
			return nil, err
		}
	}
	show := newLive(s.p, s.fleet.quiet)
	show.start(targets, false)
	defer show.end()
	for i := range s.accounts {
		show.tell(i, "generating")
		o, err := s.save(ctx, u, &s.accounts[i])
		if ctx.Err() != nil {
			return outcomes, ctx.Err()
		}
		if err == nil {
			err = s.folder.SetOutcome(o)
		}
		if err != nil {
			return outcomes, err
		}
		outcomes[i] = o
		show.done(i, o)
	}
	return outcomes, nil
}

// save saves a report of one account. The error ends the run.
func (s *ownSaver) save(ctx context.Context, u *ownRun, a *ownAccount) (history.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var saved history.Snapshot
	var source fleet.Source
	failed, unrecorded := u.report(ctx, a, s.maxAge, s.fleet.kinds, func(got ownReport) error {
		var content bytes.Buffer
		content.Grow(int(got.Size))
		if err := u.service.IAM.WriteReport(ctx, &content, got.Report); err != nil {
			return err
		}
		var err error
		source = got.source
		saved, err = s.folder.Save(history.Meta{
			Account: a.id, Partition: a.partition, GeneratedAt: got.Report.Generated, FetchedAt: got.fetched,
			Source: string(got.source), Store: true, Command: s.command,
		}, content.Bytes())
		if err != nil {
			return err
		}
		return s.folder.SaveFacts(saved, enrich.NewSaved(a.id, got.fetched, s.fleet.kinds, a.facts))
	})
	switch {
	case unrecorded != nil:
		return history.Outcome{}, ended(failed, unrecorded)
	case errors.Is(failed, context.DeadlineExceeded):
		why := fmt.Sprintf("no report was generated in %s", s.timeout)
		return s.outcome(a, history.Timeout, why, time.Time{}), nil
	case failed != nil:
		return s.outcome(a, history.Failed, failed.Error(), time.Time{}), nil
	case source == fleet.Cached:
		return s.outcome(a, history.Cached, "", saved.GeneratedAt), nil
	}
	return s.outcome(a, history.OK, "", saved.GeneratedAt), nil
}

func (s *ownSaver) outcome(a *ownAccount, status history.Status, why string, generated time.Time) history.Outcome {
	return history.Outcome{
		Account: a.id, Name: a.name, Partition: a.partition, Organization: a.organization.ID, Status: status,
		Message: why, NoFacts: enrich.Missing(a.facts),
		GeneratedAt: generated, At: time.Now().Truncate(time.Second), Run: s.began.Truncate(time.Second),
	}
}

// centralRoot says whether the features of an organization include the management
// of its members' root credentials.
func centralRoot(features []string) audit.Known {
	for _, f := range features {
		if f == "RootCredentialsManagement" {
			return audit.Yes
		}
	}
	return audit.No
}
