package service

import (
	"context"
	"errors"

	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Act is Act on the service's store.
func (s *Service) Act(
	ctx context.Context, t *trail.Trail, record func(error) *trail.Record, fn func(context.Context) error,
) (failed, unrecorded error) {
	return Act(ctx, s.db, t, record, fn)
}

// Act runs what an operator does, and leaves its record, which record makes of
// the error that it ended with, in t. As with a call, the change leaves its
// record in the store: where it cannot be written to t now, the service writes
// it. failed is the error that fn returned, unrecorded says that its record is
// not in t.
func Act(
	ctx context.Context, db *store.DB, t *trail.Trail, record func(error) *trail.Record, fn func(context.Context) error,
) (failed, unrecorded error) {
	if t.Off() {
		return fn(ctx), nil
	}
	e := &store.Event{ID: trail.NewEventID()}
	e.Record = func([]string) []byte {
		rec := record(nil)
		rec.EventID, rec.AdditionalEventData = e.ID, []byte(`{"recovered":true}`)
		return rec.AppendJSON(nil)
	}
	failed = fn(db.BeginEvent(ctx, e))
	rec := record(failed)
	rec.EventID = e.ID
	if e.Unknown() {
		rec.AdditionalEventData = []byte(`{"outcome":"unknown"}`)
	}
	unrecorded = t.Write(rec)
	db.EndEvent(e, unrecorded == nil)
	ctx = context.WithoutCancel(ctx)
	return failed, errors.Join(unrecorded, db.ForgetRecorded(ctx, t.Flush))
}
