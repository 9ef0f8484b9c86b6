package service

import (
	"context"
	"errors"

	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Act is the function Act for the service's store.
func (s *Service) Act(
	ctx context.Context, t *trail.Trail, record func(error) *trail.Record, fn func(context.Context) error,
) (failed, unrecorded error) {
	t.SignWith(s.IAM.SignTrail)
	return act(ctx, s.db, t, s.IAM.TrailMAC, record, fn)
}

// Act runs an operator's change and writes its record to t. record creates the
// record from the change's error. As with a call, the change stores its record
// in the database. If the record cannot be written to t now, the service writes
// it later. failed is the error of fn. unrecorded says that the record is not
// in t.
func Act(
	ctx context.Context, db *store.DB, t *trail.Trail, record func(error) *trail.Record, fn func(context.Context) error,
) (failed, unrecorded error) {
	return act(ctx, db, t, nil, record, fn)
}

// act is Act. mac proves the head of the trail; without it none is stored.
func act(
	ctx context.Context, db *store.DB, t *trail.Trail, mac trail.MAC, record func(error) *trail.Record,
	fn func(context.Context) error,
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
	unrecorded = errors.Join(unrecorded, db.ForgetRecorded(ctx, flush(t, mac)))
	if mac != nil {
		unrecorded = errors.Join(unrecorded, db.KeepTrailHead(ctx, t.Known(mac)))
	}
	return failed, unrecorded
}
