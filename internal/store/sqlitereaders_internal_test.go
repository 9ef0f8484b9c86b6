package store

import (
	"context"
	"testing"
	"time"
)

// The start of an emulator opens only the writer and one reader, because each
// connection parses the schema, which takes a millisecond.
func TestReadersInMemoryAreOpenedByUse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, err := Open(ctx, Config{Memory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	e := db.engine.(*sqlite)
	for deadline := time.Now().Add(time.Minute); len(e.readers.ready) < e.readers.count(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the first reader does not open")
		}
	}
	for range 3 {
		if err := db.View(ctx, func(tx *Tx) error { _, err := tx.DataKeys(); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if n := e.opened.Load(); n != 2 {
		t.Errorf("%d connections were opened, not 2", n)
	}
	// Two readers at the same time each have a connection.
	err = db.View(ctx, func(*Tx) error {
		return db.View(ctx, func(tx *Tx) error { _, err := tx.DataKeys(); return err })
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := e.opened.Load(); n != 3 {
		t.Errorf("%d connections were opened, not 3", n)
	}
}
