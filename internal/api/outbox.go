package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// Outbox stores the record of every change with the change, until the trail has
// it. flush makes the written records durable; see store.ForgetRecorded. Recover
// writes the records that a crash has kept from the trail. Outbox must be called
// before the first call of an action.
func (a *API) Outbox(db *store.DB, flush func() (*trail.KnownHead, error)) {
	if !a.trail.Off() {
		a.db, a.flush = db, flush
	}
}

// begin tells the store that a call may change something.
func (k *run) begin(ctx context.Context) context.Context {
	if k.db == nil || k.action.readOnly() {
		return ctx
	}
	e := &store.Event{ID: trail.NewEventID()}
	e.Record = func(made []string) []byte {
		rec := k.record(k.call, k.action.Service, k.action.Name, nil)
		rec.EventID, rec.UserIdentity, rec.RecipientAccountID = e.ID, k.by, k.by.AccountID
		rec.RequestParameters = k.members.Request(k.in)
		rec.AdditionalEventData = recovered(made)
		return rec.AppendJSON(nil)
	}
	return k.db.BeginEvent(ctx, e)
}

// tell adds to a record the known facts about the call's change. A record of a
// failure must not belong to a call that changed something.
func tell(e *store.Event, rec *trail.Record, refused *awsmodel.Error) {
	rec.EventID = e.ID
	switch {
	case e.Unknown():
		rec.AdditionalEventData = json.RawMessage(`{"outcome":"unknown"}`)
	case e.Committed() && refused != nil:
		rec.ErrorCode, rec.ErrorMessage = "", ""
		rec.AdditionalEventData = json.RawMessage(`{"answer":"` + refused.Code + `"}`)
	}
}

// recovered marks a record as written after a crash. It has the facts that were
// known at the change; the answer is missing.
func recovered(made []string) json.RawMessage {
	text, err := json.Marshal(struct {
		Recovered bool     `json:"recovered"`
		Made      []string `json:"made,omitempty"`
	}{true, made})
	if err != nil {
		panic(err) // texts and a truth value
	}
	return text
}

const (
	// tidyEvery is the interval at which the rows of written records are removed.
	tidyEvery = time.Second
	// recoverEvery is the interval at which the store is asked for the records
	// of nodes that died before they wrote them.
	recoverEvery = 2 * time.Second
	forgetEvery  = 10 * time.Minute
	// lastTidy limits the time of the last removal, because a disk may hang.
	lastTidy = 5 * time.Second
)

// Recover writes the records of changes that a crash kept from the trail. It
// returns when it has written those that are known at the start. It continues in
// the background until ctx ends, and then closes stopped.
func (a *API) Recover(ctx context.Context) (stopped <-chan struct{}) {
	done := make(chan struct{})
	if a.db == nil {
		close(done)
		return done
	}
	a.recover(ctx, true)
	go func() {
		defer close(done)
		a.keepOutbox(ctx)
	}()
	return done
}

// keepOutbox does the recurring work until ctx ends.
func (a *API) keepOutbox(ctx context.Context) {
	tidy := tidier{a, make(chan struct{}, 1)}
	often, recover, forget := time.NewTicker(tidyEvery), time.NewTicker(recoverEvery), time.NewTicker(forgetEvery)
	defer often.Stop()
	defer recover.Stop()
	defer forget.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-often.C:
			tidy.start(ctx)
		case <-recover.C:
			a.recover(ctx, false)
		case <-forget.C:
			if err := a.db.ForgetEvents(ctx); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "outbox not emptied", "error", err)
			}
		}
	}
	tidy.end(ctx)
}

// tidier removes the rows of written records. Nothing waits for it while the
// service runs, because the disk of the trail may hang.
type tidier struct {
	a    *API
	busy chan struct{} // holds an entry while it works
}

func (t tidier) start(ctx context.Context) {
	select {
	case t.busy <- struct{}{}:
		go t.work(ctx)
	default:
	}
}

func (t tidier) work(ctx context.Context) {
	if err := t.a.db.ForgetRecorded(context.WithoutCancel(ctx), t.a.flush); err != nil {
		t.a.log.WarnContext(ctx, "outbox not emptied", "error", err)
	}
	<-t.busy
}

// end waits for the removal in progress, and removes the remaining rows.
func (t tidier) end(ctx context.Context) {
	patience := time.After(lastTidy)
	select {
	case t.busy <- struct{}{}:
		go t.work(ctx)
	case <-patience:
		return
	}
	select {
	case t.busy <- struct{}{}:
	case <-patience:
	}
}

func (a *API) recover(ctx context.Context, starting bool) {
	if !a.trail.Healthy() {
		return
	}
	events, err := a.db.UnrecordedEvents(ctx, starting)
	if err == nil && len(events) > 0 {
		err = a.recordFor(ctx, events)
	}
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "records of a crash not recovered", "error", err)
	}
}

// recordFor writes the records of events that the trail does not have.
func (a *API) recordFor(ctx context.Context, events []store.Unrecorded) error {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.EventID
	}
	there := a.trail.Recent(ids)
	written := 0
	var err error
	for i, e := range events {
		if there[e.EventID] {
			continue
		}
		if err = a.trail.Write(&trail.Record{EventID: e.EventID, Line: e.Record}); err != nil {
			ids = ids[:i]
			break
		}
		written++
	}
	if written > 0 {
		a.log.WarnContext(ctx, "records written that a crash kept from the trail", "records", written)
	}
	if len(ids) == 0 {
		return err
	}
	return errors.Join(err, a.db.EventsRecorded(ctx, ids))
}
