package identity

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/store"
)

// FromScratch returns the report that the store would give now without any
// earlier report.
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
		token, err := tx.StartReportJob(account, "lost", reportLease)
		if err == nil && steps > 0 {
			err = tx.StartReportBase(account, token)
		}
		if err == nil && steps > 1 {
			err = tx.AddReportChunks(account, token, 0, []store.ReportChunk{{Size: 4, Data: []byte("lost")}}, reportLease)
		}
		return errors.Join(err, tx.RenewReportJob(account, token, lease))
	})
}

// DamagedReport publishes a report whose base cannot be read: its only piece is
// not packed, or its only chunk is missing.
func (s *Service) DamagedReport(ctx context.Context, account string, missing bool) error {
	const lease = time.Minute
	return s.db.Update(ctx, func(tx *store.Tx) error {
		basis, err := tx.ReportBasis(account)
		if err != nil {
			return err
		}
		token, err := tx.StartReportJob(account, s.node, lease)
		if err != nil {
			return err
		}
		chunk, r := store.ReportChunk{Size: 7, Data: []byte("damaged"), Pieces: appendPlace(nil, 7, "")}, store.Report{
			Account: account, Token: token, Base: token, Generated: second(tx.Now), Size: 7, Users: 1}
		at := int64(0)
		if missing {
			chunk.Pieces, at = appendPlace(chunk.Pieces, 7, ""), 1
		}
		return errors.Join(tx.StartReportBase(account, token),
			tx.AddReportChunks(account, token, at, []store.ReportChunk{chunk}, lease),
			tx.PublishReport(r, store.ReportHistory{}), tx.KeepRecording(account, token, newReportRows(basis).shape()))
	})
}

// PanicInUnpacking makes the unpacking of the last report panic until mend is
// called.
func (s *Service) PanicInUnpacking() (mend func()) {
	unpack := s.unpack
	s.unpack = nil
	return func() { s.unpack = unpack }
}

// ReportsWithoutStore returns the errors of a report and of its rows, both of
// which panic because there is no store.
func ReportsWithoutStore(ctx context.Context, account string) (job, rows error) {
	_, job = (&Service{reportTurn: make(chan struct{}, 1)}).makeReportInTurn(ctx, account, 1)
	out := func(formatted) error { return nil }
	return job, formatRanges(ctx, []*store.Tx{nil, nil}, account, &reportRows{}, 1, out)
}
