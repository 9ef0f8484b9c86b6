package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/internal/guard"
	"rollcall/internal/requestid"
	"rollcall/internal/store"
)

// A job generates a report. It holds the account's lease and renews the lease
// while it works. The lease's token fences its writes: a job that was paused
// for longer than its lease can neither add to a report nor publish one.
const (
	// reportLease is the time for which a crashed job keeps others from
	// starting.
	reportLease = 5 * time.Second
	// reportJobs is the number of reports that this node generates at once.
	// Each holds a connection of the store for long and sometimes needs a
	// second one. With as many jobs as connections, none would finish.
	reportJobs = 2
	// pagePatience is the maximum time for reading the next ten thousand users.
	pagePatience = time.Minute
	// settlePatience is the time for which a base waits for transactions that
	// may not know that changes are recorded.
	settlePatience = 10 * time.Second
)

// ReportJobs returns the number of reports that this node generates or waits to
// generate.
func (s *Service) ReportJobs() int { return int(s.reporting.Load()) }

// startReport runs the job that has just taken the lease.
func (s *Service) startReport(ctx context.Context, account string, token int64) {
	ctx = requestid.With(s.jobsCtx, requestid.Of(ctx))
	s.jobs.Go(func() { _, _ = s.runReport(ctx, account, token) }) // the error is in the log
}

// runReport generates and publishes the report of a job that has just taken the
// lease.
func (s *Service) runReport(ctx context.Context, account string, token int64) (store.Report, error) {
	ctx, cancel := context.WithCancelCause(store.OnAccount(ctx, account))
	defer cancel(nil)
	start := time.Now()
	s.reporting.Add(1)
	defer s.reporting.Add(-1)
	s.jobs.Go(func() { s.keepLease(ctx, cancel, account, token) })
	report, err := s.makeReportInTurn(ctx, account, token)
	if err == nil {
		s.log.InfoContext(ctx, "credential report published", "account", account, "users", report.Users, "bytes", report.Size,
			"took", time.Since(start).Round(time.Millisecond).String())
		return report, nil
	}
	s.log.ErrorContext(ctx, "credential report failed", "account", account, "error", err, "cause", context.Cause(ctx))
	// Return the lease, so that the next request can start a report at once.
	ending, stop := context.WithTimeout(context.WithoutCancel(ctx), reportLease)
	defer stop()
	ended := s.db.Update(ending, func(tx *store.Tx) error { return tx.EndReportJob(account, token) })
	if ended != nil {
		s.log.WarnContext(ctx, "lease not released; it will expire", "account", account, "error", ended)
	}
	return report, err
}

// keepLease renews the lease until the job ends. It cancels the job if the
// lease is lost.
func (s *Service) keepLease(ctx context.Context, cancel context.CancelCauseFunc, account string, token int64) {
	tick := time.NewTicker(reportLease / 4)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.RenewReportJob(account, token, reportLease) })
		switch {
		case err == nil:
			renewed = time.Now()
		case ctx.Err() != nil:
			return
		case time.Since(renewed) > reportLease:
			cancel(fmt.Errorf("lease lost: %w", err))
			return
		}
	}
}

// makeReportInTurn waits until few enough other reports are being generated.
func (s *Service) makeReportInTurn(ctx context.Context, account string, token int64) (store.Report, error) {
	select {
	case s.reportTurn <- struct{}{}:
		defer func() { <-s.reportTurn }()
		var report store.Report
		err := guard.Run(func() (err error) {
			report, err = s.makeReport(ctx, account, token)
			return err
		})
		return report, err
	case <-ctx.Done():
		return store.Report{}, ctx.Err()
	}
}

// makeReport generates a report from the last one and the changes since. If
// that is impossible, it generates a whole one.
func (s *Service) makeReport(ctx context.Context, account string, token int64) (store.Report, error) {
	// The report must include the uses of credentials that this node has noted.
	if err := s.db.Flush(ctx); err != nil {
		return store.Report{}, fmt.Errorf("flush last use: %w", err)
	}
	report, err := s.patchReport(ctx, account, token)
	if errors.Is(err, errNoPatches) {
		if err != errNoPatches { //nolint:errorlint // it says more
			s.log.WarnContext(ctx, "the last report is damaged; a whole one is generated", "account", account,
				"error", err)
		}
		report, err = s.wholeReport(ctx, account, token)
	}
	if err != nil {
		return report, err
	}
	if err := s.db.DropReportRests(ctx, account, token); err != nil {
		s.log.WarnContext(ctx, "unused parts of reports not deleted; the next report will try again", "account", account,
			"error", err)
	}
	return report, nil
}
