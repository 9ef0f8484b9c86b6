package store

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"rollcall/internal/trail"
)

// ErrUnknown reports that a transaction may or may not have committed: the
// database failed at that moment, and does not answer.
var ErrUnknown = errors.New("store: it is not known whether the change was made")

// Event is a call that may change something, on its way to the audit trail.
// Each of its committed transactions leaves a row in the outbox with the
// change, so a crash before the record is written loses no record. The same row
// later shows that the transaction committed.
type Event struct {
	// ID identifies the record, whichever process writes it.
	ID string
	// Record returns the record in the form that is written after a crash. made
	// holds the ids of everything that the transaction created.
	Record func(made []string) []byte

	runs    int64 // number of transactions
	commits int64 // number of those that are known to be durable
	unknown bool
}

// Committed reports whether a transaction of the call committed.
func (e *Event) Committed() bool { return e.commits > 0 }

// Unknown reports whether it is unknown if a transaction of the call committed.
func (e *Event) Unknown() bool { return e.unknown }

type eventContext struct{}

// WithoutEvent returns a context for changes that do not belong to the call,
// and that happen whatever the call's result.
func WithoutEvent(ctx context.Context) context.Context {
	return context.WithValue(ctx, eventContext{}, (*Event)(nil))
}

// EventOf returns the event that BeginEvent put into a context, or nil.
func EventOf(ctx context.Context) *Event {
	e, _ := ctx.Value(eventContext{}).(*Event)
	return e
}

// outbox holds the facts that this process knows about its own rows.
type outbox struct {
	mu     sync.Mutex
	flying map[string]bool // events whose record has not been written
	done   []string        // events whose rows may be deleted
	head   trail.Head      // of the trail, as this process stored it last
	headAt time.Time       // when it was last compared with the trail
}

// BeginEvent returns the context of a call that may change something. EndEvent
// must follow.
func (db *DB) BeginEvent(ctx context.Context, e *Event) context.Context {
	ctx = context.WithValue(ctx, eventContext{}, e)
	if db.memory {
		return ctx // no row: in memory, no data survives a crash
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
		// A repeated transaction leaves another row, because the place of the
		// first may be taken; see lost.
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

// made adds the id of a thing that a transaction creates to the event's record.
func (tx *Tx) made(id string) { tx.ids = append(tx.ids, id) }

// aside changes rows of the outbox. It takes at most Config.Timeout.
func (db *DB) aside(ctx context.Context, fn func(conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.timeout)
	defer cancel()
	return db.engine.aside(ctx, fn)
}

// outboxBatch limits one transaction that removes rows of the outbox.
const outboxBatch = 500

// ForgetRecorded removes the rows of events whose records were written. flush
// first makes these records durable, and returns the head of the trail's file,
// nil if the trail is no file. The head is stored in the same transaction, and
// from time to time also if there are no rows. Rows that cannot be removed now
// are removed the next time.
func (db *DB) ForgetRecorded(ctx context.Context, flush func() (*trail.KnownHead, error)) error {
	o := &db.outbox
	o.mu.Lock()
	done, idle := o.done, time.Since(o.headAt) < headAge
	o.mu.Unlock()
	if len(done) == 0 && (idle || db.memory) {
		return nil
	}
	head, err := flush()
	if err != nil {
		return err
	}
	if o.hasHead(head) {
		head = nil
	}
	for len(done) > 0 || head != nil {
		ids := done[:min(len(done), outboxBatch)]
		args := make([][]any, len(ids))
		for i, id := range ids {
			args[i] = []any{id}
		}
		err := db.aside(ctx, func(c conn) error {
			if head != nil {
				if _, err := c.exec(ctx, db.keepHeadSQL(), headArgs(head)); err != nil {
					return err
				}
			}
			if len(args) == 0 {
				return nil
			}
			return c.execMany(ctx, `DELETE FROM outbox WHERE event_id = $1`, args)
		})
		if err != nil {
			return err
		}
		o.forgot(len(ids), head)
		done, head = done[len(ids):], nil
	}
	return nil
}

// hasHead reports whether there is nothing to store: no head, or the stored one.
func (o *outbox) hasHead(head *trail.KnownHead) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.headAt = time.Now()
	return head == nil || head.Head == o.head
}

// forgot notes that n rows were removed, and that a head was stored.
func (o *outbox) forgot(n int, head *trail.KnownHead) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done = o.done[n:]
	if head != nil {
		o.head = head.Head
	}
}

// Unrecorded is a change without a written record.
type Unrecorded struct {
	EventID string
	Record  []byte
}

const (
	// eventAge is the age at which another node writes the record of a living
	// node's row. It is longer than a record may take.
	eventAge = 15 * time.Second
	// deadAge is the same for a node without a connection. A living node may
	// have lost all of its connections for a moment.
	deadAge = time.Second
	// markAge is the time for which rows are kept that only show the fate of a
	// transaction.
	markAge = time.Hour
)

// UnrecordedEvents returns changes whose records were not written, because
// their process has ended or is too slow. starting says that this process has
// just begun: if it alone has the file, all others have ended.
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

// outboxRow is a row whose record may not have been written.
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

// mine returns the events that this process will write, or has written.
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

// EventsRecorded stores that the records of other nodes' events were written.
// Their rows stay for a while, so that the other node can still find out the
// fate of the transaction.
func (db *DB) EventsRecorded(ctx context.Context, ids []string) error {
	args := make([][]any, len(ids))
	for i, id := range ids {
		args[i] = []any{id}
	}
	return db.aside(ctx, func(c conn) error {
		return c.execMany(ctx, `UPDATE outbox SET record = '-' WHERE event_id = $1 AND record <> ''`, args)
	})
}

// ForgetEvents removes old rows that only show the fate of a transaction, and
// the heads of files of the trail that nobody writes any more.
func (db *DB) ForgetEvents(ctx context.Context) error {
	if db.memory {
		return nil
	}
	return db.aside(ctx, func(c conn) error {
		_, err := c.exec(ctx, `DELETE FROM trail_heads WHERE stored_ms < `+db.clock+` - CAST($1 AS BIGINT)`,
			[]any{headLife.Milliseconds()})
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, `DELETE FROM outbox WHERE (record = '-' OR record = '') AND created_ms < `+
			db.clock+` - CAST($1 AS BIGINT)`,
			[]any{markAge.Milliseconds()})
		return err
	})
}
