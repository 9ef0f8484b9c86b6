package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// ErrUnknown reports that nobody knows whether a transaction committed: the
// database failed meanwhile, and does not answer.
var ErrUnknown = errors.New("store: it is not known whether the change was made")

// Event is a call that may change something, on its way to the audit trail.
// Each of its committed transactions leaves a row in the outbox with the
// change, so that a crash before the record is written loses no record. The
// same row says afterwards that the transaction did commit.
type Event struct {
	// ID names the record, whichever process writes it.
	ID string
	// Record returns the record as it is written after a crash. made holds the
	// ids of what the transaction created.
	Record func(made []string) []byte

	runs    int64 // of transactions
	commits int64 // of those that are known to be durable
	unknown bool
}

// Committed reports whether a transaction of the call committed.
func (e *Event) Committed() bool { return e.commits > 0 }

// Unknown reports whether the fate of a transaction of the call is not known.
func (e *Event) Unknown() bool { return e.unknown }

type eventContext struct{}

// WithoutEvent returns the context for changes that are not the call's own:
// what is noted besides, whatever becomes of the call.
func WithoutEvent(ctx context.Context) context.Context {
	return context.WithValue(ctx, eventContext{}, (*Event)(nil))
}

// EventOf returns the event that BeginEvent put into a context, or nil.
func EventOf(ctx context.Context) *Event {
	e, _ := ctx.Value(eventContext{}).(*Event)
	return e
}

// outbox holds what this process knows about its own rows.
type outbox struct {
	mu     sync.Mutex
	flying map[string]bool // events whose record is not written yet
	done   []string        // events whose rows may be deleted
}

// BeginEvent returns the context of a call that may change something. EndEvent
// must follow.
func (db *DB) BeginEvent(ctx context.Context, e *Event) context.Context {
	ctx = context.WithValue(ctx, eventContext{}, e)
	if db.memory {
		return ctx // no row: data that would outlive a crash does not exist here
	}
	o := &db.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flying == nil {
		o.flying = map[string]bool{}
	}
	o.flying[e.ID] = true
	return ctx
}

// EndEvent says whether the record of a call was written. If it was,
// ForgetRecorded deletes the rows that the call left; if not, UnrecordedEvents
// returns them.
func (db *DB) EndEvent(e *Event, recorded bool) {
	o := &db.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.flying, e.ID)
	if recorded && e.commits > 0 && !db.memory {
		o.done = append(o.done, e.ID)
	}
}

// updateEvent is Update for a call that leaves a record.
func (db *DB) updateEvent(ctx context.Context, e *Event, fn func(*Tx) error) error {
	err := db.update(ctx, func(tx *Tx) error {
		if err := fn(tx); err != nil || db.memory {
			return err
		}
		// A transaction that is repeated leaves another row, because the place
		// of the first may be taken; see lost.
		e.runs++
		return tx.c.leave(tx.ctx, `INSERT INTO outbox (event_id, seq, node, created_ms, record)
			VALUES ($1, $2, $3, `+tx.clock+`, $4)`, []any{e.ID, e.runs, db.node, string(e.Record(tx.ids))})
	})
	switch {
	case err == nil:
		e.commits++
	case errors.Is(err, ErrUnknown):
		e.unknown = true
	}
	return err
}

// made notes the id of what a transaction creates, for the event's record.
func (tx *Tx) made(id string) { tx.ids = append(tx.ids, id) }

// aside changes rows of the outbox, until Config.Timeout at most.
func (db *DB) aside(ctx context.Context, fn func(conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	return db.engine.aside(ctx, fn)
}

// outboxBatch bounds one transaction that removes rows of the outbox.
const outboxBatch = 500

// ForgetRecorded removes the rows of events whose records were written, after
// flush has made sure that they stay written. What cannot be removed now is
// removed the next time.
func (db *DB) ForgetRecorded(ctx context.Context, flush func() error) error {
	o := &db.outbox
	o.mu.Lock()
	done := o.done
	o.mu.Unlock()
	if len(done) == 0 {
		return nil
	}
	if err := flush(); err != nil {
		return err
	}
	for ids := range slices.Chunk(done, outboxBatch) {
		args := make([][]any, len(ids))
		for i, id := range ids {
			args[i] = []any{id}
		}
		err := db.aside(ctx, func(c conn) error {
			return c.execMany(ctx, `DELETE FROM outbox WHERE event_id = $1`, args)
		})
		if err != nil {
			return err
		}
		o.mu.Lock()
		o.done = o.done[len(ids):]
		o.mu.Unlock()
	}
	return nil
}

// Unrecorded is a change whose record nobody has written yet.
type Unrecorded struct {
	EventID string
	Record  []byte
}

const (
	// eventAge is the age of a living node's row before another node writes its
	// record. It is longer than a record may take.
	eventAge = 15 * time.Second
	// deadAge is the same for a node without a connection. A living node may
	// have lost all of them for a moment.
	deadAge = time.Second
	// markAge is the time for which rows are kept that only say what became of
	// a transaction.
	markAge = time.Hour
)

// UnrecordedEvents returns changes whose records were not written: their
// process has ended, or did not write them for long. starting says that this
// process has just begun: if it has the file for itself, all others have ended.
func (db *DB) UnrecordedEvents(ctx context.Context, starting bool) ([]Unrecorded, error) {
	if db.memory {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	rows, err := db.outboxRows(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	living, err := db.engine.living(ctx)
	if err != nil {
		return nil, err
	}
	skip := db.outbox.mine()
	var all []Unrecorded
	for _, r := range rows {
		dead := living == nil && starting || living != nil && !living[r.node] && r.age > deadAge
		// A negative age comes from a clock that was set back.
		if !skip[r.EventID] && (dead || r.age > eventAge || r.age < 0) {
			skip[r.EventID] = true // a call may have left several
			all = append(all, r.Unrecorded)
		}
	}
	return all, nil
}

// outboxRow is a row whose record is not known to be written.
type outboxRow struct {
	Unrecorded
	node string
	age  time.Duration
}

func (db *DB) outboxRows(ctx context.Context) ([]outboxRow, error) {
	type row struct {
		outboxRow
		record string
		ms     int64
	}
	var rows []row
	err := db.engine.glance(ctx, func(c conn) (err error) {
		tx := &Tx{ctx: ctx, c: c, dialect: db.dialect}
		rows, err = list(tx, func(r *row) []any { return []any{&r.EventID, &r.node, &r.record, &r.ms} },
			`SELECT event_id, node, record, `+tx.clock+` - created_ms FROM outbox
			WHERE record <> '' AND record <> '-' ORDER BY created_ms, event_id, seq LIMIT 1000`)
		return err
	})
	all := make([]outboxRow, len(rows))
	for i, r := range rows {
		all[i] = r.outboxRow
		all[i].Record, all[i].age = []byte(r.record), time.Duration(r.ms)*time.Millisecond
	}
	return all, err
}

// mine holds the events that this process will write, or has written.
func (o *outbox) mine() map[string]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	ids := maps.Clone(o.flying)
	if ids == nil {
		ids = map[string]bool{}
	}
	for _, id := range o.done {
		ids[id] = true
	}
	return ids
}

// EventsRecorded says that the records of events were written for others. Their
// rows stay for a while, so that the other node can still find out what became
// of the transaction.
func (db *DB) EventsRecorded(ctx context.Context, ids []string) error {
	args := make([][]any, len(ids))
	for i, id := range ids {
		args[i] = []any{id}
	}
	return db.aside(ctx, func(c conn) error {
		return c.execMany(ctx, `UPDATE outbox SET record = '-' WHERE event_id = $1 AND record <> ''`, args)
	})
}

// ForgetEvents removes old rows that only say what became of a transaction.
func (db *DB) ForgetEvents(ctx context.Context) error {
	if db.memory {
		return nil
	}
	return db.aside(ctx, func(c conn) error {
		_, err := c.exec(ctx, `DELETE FROM outbox WHERE (record = '-' OR record = '') AND created_ms < `+
			db.clock+` - CAST($1 AS BIGINT)`,
			[]any{markAge.Milliseconds()})
		return err
	})
}
