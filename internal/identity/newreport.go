package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rollcall/internal/store"
)

// reportPoll is the time between two checks of a job of another process.
const reportPoll = 50 * time.Millisecond

// NewReport generates a report of an account for operators, even if a recent
// one exists. It waits for a running job, because the report of that job may be
// older than this call.
func (s *Service) NewReport(ctx context.Context, account string) (report store.Report, err error) {
	token, err := s.takeReportJob(ctx, account)
	if err == nil {
		report, err = s.runReport(ctx, account, token)
	}
	if err != nil {
		return report, fmt.Errorf("generate credential report: %w", err)
	}
	return report, nil
}

// WriteReport writes the bytes of a stored report.
func (s *Service) WriteReport(ctx context.Context, w io.Writer, report store.Report) error {
	return s.writeReport(ctx, w, report)
}

// takeReportJob waits for the account's lease. The name of a report is the
// second at which it was generated, so takeReportJob also waits until the
// second of the last report is over.
func (s *Service) takeReportJob(ctx context.Context, account string) (token int64, err error) {
	for {
		wait := reportPoll
		err := s.db.Update(ctx, func(tx *store.Tx) error {
			token = 0
			if _, err := tx.Account(account); err != nil {
				return errNoAccount(account, err)
			}
			last, err := absent(tx.LatestReport(account))
			if err != nil {
				return err
			}
			if !last.Generated.IsZero() && last.Generated.Equal(second(tx.Now)) {
				wait = last.Generated.Add(time.Second).Sub(tx.Now)
				return nil
			}
			token, err = tx.StartReportJob(account, s.node, reportLease)
			if errors.Is(err, store.ErrExists) {
				err = nil
			}
			return err
		})
		if err != nil || token != 0 {
			return token, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
