package identity

import (
	"context"
	"time"

	"rollcall/internal/store"
)

// FromScratch returns the report that the store would give now, without any
// earlier one.
func (s *Service) FromScratch(ctx context.Context, account string) (content []byte, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		basis, err := tx.ReportBasis(account)
		if err != nil {
			return err
		}
		rows := newReportRows(basis)
		content = rows.columns.AppendHeader(nil)
		return tx.ScanCredentials(account, func(r *store.CredentialRow) error {
			if rows.shows(r) {
				content = rows.append(append(content, '\n'), r)
			}
			return nil
		})
	})
	return content, err
}

// AbandonReport does the first steps of a whole report and leaves it, as a
// crash would. The lease lasts for a moment.
func (s *Service) AbandonReport(ctx context.Context, account string, steps int) error {
	const lease = 200 * time.Millisecond
	return s.db.Update(ctx, func(tx *store.Tx) error {
		token, err := tx.StartReportJob(account, "lost", lease)
		if err == nil && steps > 0 {
			err = tx.StartReportBase(account, token)
		}
		if err == nil && steps > 1 {
			err = tx.AddReportChunks(account, token, 0, []store.ReportChunk{{Size: 4, Data: []byte("lost")}}, lease)
		}
		return err
	})
}
