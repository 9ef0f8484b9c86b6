package store_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"rollcall/internal/trail"
)

// eventOf returns an event whose record contains the created ids.
func eventOf(id string) *store.Event {
	return &store.Event{ID: id, Record: func(made []string) []byte {
		return []byte(id + ":" + strings.Join(made, ","))
	}}
}

func noHead() (*trail.KnownHead, error) { return nil, nil }

// outboxRows returns the rows of the outbox.
func outboxRows(t *testing.T, db *store.DB) (rows [][2]string) {
	t.Helper()
	view(t, db, func(tx *store.Tx) (err error) {
		rows, err = tx.Pairs("SELECT event_id, record FROM outbox ORDER BY event_id, seq")
		return err
	})
	return rows
}

// onDisk runs a test on the engines whose data outlive the process.
func onDisk(t *testing.T, test func(t *testing.T, cfg store.Config)) {
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.Postgres(t)) })
}

// A change leaves a row until its record has been written. A failed change
// leaves none.
func TestOutboxRowIsOfItsChange(t *testing.T) {
	t.Parallel()
	onDisk(t, func(t *testing.T, cfg store.Config) {
		db := storetest.Open(t, cfg)
		fill(t, db)
		e := eventOf("e1")
		ctx := db.BeginEvent(t.Context(), e)
		if err := db.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertUser(user(""))
		}); !errors.Is(err, store.ErrExists) {
			t.Fatal(err)
		}
		if rows := outboxRows(t, db); len(rows) > 0 || e.Committed() {
			t.Errorf("a change that was not made left %q", rows)
		}
		if err := db.Update(ctx, func(tx *store.Tx) error { return tx.InsertUser(user("a")) }); err != nil {
			t.Fatal(err)
		}
		if err := db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
			return tx.InsertUser(user("b"))
		}); err != nil {
			t.Fatal(err)
		}
		if rows := outboxRows(t, db); len(rows) != 1 || rows[0] != [2]string{"e1", "e1:AIDAa"} || !e.Committed() {
			t.Errorf("the outbox holds %q", rows)
		}
		if events, err := db.UnrecordedEvents(t.Context(), true); len(events) > 0 || err != nil {
			t.Errorf("the record of a call under way was asked for: %v %v", events, err)
		}
		db.EndEvent(e, true)
		torn := errors.New("the disk does not answer")
		if err := db.ForgetRecorded(t.Context(), func() (*trail.KnownHead, error) { return nil, torn }); err != torn ||
			len(outboxRows(t, db)) != 1 {
			t.Errorf("the row of a record that may be lost: error %v, rows %q", err, outboxRows(t, db))
		}
		if err := db.ForgetRecorded(t.Context(), noHead); err != nil {
			t.Fatal(err)
		}
		if rows := outboxRows(t, db); len(rows) > 0 {
			t.Errorf("the outbox keeps %q", rows)
		}
	})
}

// If a process ends before it writes its records, the next process finds them
// once. It does not touch rows of a living process.
func TestOutboxOfTheDead(t *testing.T) {
	t.Parallel()
	onDisk(t, func(t *testing.T, cfg store.Config) {
		dead := storetest.Open(t, cfg)
		fill(t, dead)
		if err := dead.Update(dead.BeginEvent(t.Context(), eventOf("e1")), func(tx *store.Tx) error {
			return tx.InsertUser(user("a"))
		}); err != nil {
			t.Fatal(err)
		}
		db := storetest.Open(t, cfg)
		if events, err := db.UnrecordedEvents(t.Context(), false); len(events) > 0 || err != nil {
			t.Errorf("the record of a living node was asked for: %v %v", events, err)
		}
		if err := dead.Close(); err != nil {
			t.Fatal(err)
		}
		var events []store.Unrecorded
		for end := time.Now().Add(2 * time.Minute); len(events) == 0 &&
			time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			var err error
			if events, err = db.UnrecordedEvents(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		}
		if len(events) != 1 || events[0].EventID != "e1" || string(events[0].Record) != "e1:AIDAa" {
			t.Fatalf("found %+v", events)
		}
		if err := db.EventsRecorded(t.Context(), []string{"e1"}); err != nil {
			t.Fatal(err)
		}
		if events, err := db.UnrecordedEvents(t.Context(), true); len(events) > 0 || err != nil {
			t.Errorf("asked for again: %v %v", events, err)
		}
		// For a while, the row shows the fate of the transaction.
		if err := db.ForgetEvents(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows := outboxRows(t, db); len(rows) != 1 {
			t.Errorf("the outbox holds %q", rows)
		}
		update(t, db, func(tx *store.Tx) error { return tx.Exec("UPDATE outbox SET created_ms = 0") })
		if err := db.ForgetEvents(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows := outboxRows(t, db); len(rows) > 0 {
			t.Errorf("the outbox keeps %q", rows)
		}
	})
}

// If a living process does not write a record, others do.
func TestOutboxOfTheSlow(t *testing.T) {
	t.Parallel()
	onDisk(t, func(t *testing.T, cfg store.Config) {
		slow, db := storetest.Open(t, cfg), storetest.Open(t, cfg)
		fill(t, slow)
		if err := slow.Update(slow.BeginEvent(t.Context(), eventOf("e1")), func(tx *store.Tx) error {
			return tx.InsertUser(user("a"))
		}); err != nil {
			t.Fatal(err)
		}
		update(t, db, func(tx *store.Tx) error { return tx.Exec("UPDATE outbox SET created_ms = created_ms - 16000") })
		if events, err := db.UnrecordedEvents(t.Context(), false); len(events) != 1 || err != nil {
			t.Errorf("found %v %v", events, err)
		}
	})
}

// The store finds out the fate of a commit whose answer was lost: the change
// happened, or never will and is repeated. It never happens twice.
func TestFateOfCommit(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		cut cut
		try string // the attempt that took effect
	}{
		"lost on the way": {cutBefore, "2"},
		"answer lost":     {cutAfter, "1"},
		"late on the way": {cutDelayed, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := storetest.Postgres(t)
			real := storetest.Open(t, cfg)
			fill(t, real)
			p := startProxy(t, cfg.URL)
			db := storetest.Open(t, store.Config{URL: p.url})
			commit := func(name string) error {
				tries := 0
				return db.Update(db.BeginEvent(t.Context(), eventOf(name)), func(tx *store.Tx) error {
					tries++
					return tx.InsertUser(user(name + strconv.Itoa(tries)))
				})
			}
			if err := commit("before"); err != nil { // statements are prepared
				t.Fatal(err)
			}
			p.arm(want.cut)
			if err := commit("cut"); err != nil {
				t.Errorf("told %v", err)
			}
			p.wait(t)
			view(t, real, func(tx *store.Tx) error {
				for _, try := range []string{"1", "2"} {
					if _, err := tx.User(account, "cut"+try); (err == nil) != (try == want.try) {
						t.Errorf("try %s: %v", try, err)
					}
				}
				return nil
			})
			if err := commit("after"); err != nil {
				t.Error(err)
			}
		})
	}
}

// If the database does not come back, the fate is unknown, and the error says
// so.
func TestFateUnknown(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	real := storetest.Open(t, cfg)
	fill(t, real)
	p := startProxy(t, cfg.URL)
	db, err := store.Open(context.Background(), store.Config{URL: p.url})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetFindOutPatience(100 * time.Millisecond)
	e := eventOf("a")
	ctx := db.BeginEvent(t.Context(), e)
	if err := db.Update(ctx, func(tx *store.Tx) error { return tx.InsertUser(user("a")) }); err != nil {
		t.Fatal(err)
	}
	p.arm(cutForGood)
	err = db.Update(ctx, func(tx *store.Tx) error { return tx.InsertUser(user("b")) })
	if !errors.Is(err, store.ErrUnknown) || !e.Unknown() {
		t.Errorf("told %v, the event says %v", err, e.Unknown())
	}
}

// While a commit waits for a replica, the client's end lets the server show the
// change, although no replica has it. It is not acknowledged before one has.
func TestFateWithoutReplica(t *testing.T) {
	t.Parallel()
	first := server(t)
	second, err := first.StartStandby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Stop() })
	db := storetest.Open(t, store.Config{URL: first.URL, Timeout: time.Second})
	fill(t, db)
	db.SetFindOutPatience(3 * time.Second)
	change := func(name string) error {
		return db.Update(db.BeginEvent(t.Context(), eventOf(name)), func(tx *store.Tx) error {
			return tx.InsertUser(user(name))
		})
	}
	if err := second.Freeze(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Thaw() }) // it can stop only if it runs
	if err := change("alone"); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("without the replica: %v", err)
	}
	// The replica returns while the store finds out.
	db.SetFindOutPatience(time.Minute)
	go func() {
		time.Sleep(2 * time.Second)
		_ = second.Thaw()
	}()
	if err := change("late"); err != nil {
		t.Errorf("with the replica back: %v", err)
	}
}
