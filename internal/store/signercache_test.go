package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// If nothing was committed, the look-up of a key reads no table. Tests of other
// databases commit to the server that all tests share.
func TestSignerIsRemembered(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, store.Config{URL: server(t).URL})
	fill(t, db, "u")
	update(t, db, func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
	for began := time.Now(); time.Since(began) < time.Minute; {
		before := db.Stats()
		if _, _, err := db.Signer(t.Context(), "AKIA1"); err != nil {
			t.Fatal(err)
		}
		if after := db.Stats(); after.Remembered > before.Remembered && after.Read == before.Read {
			return
		}
	}
	t.Error("each look-up read the tables")
}

// Every commit changes the state of the database as others see it, whenever its
// transaction began.
func TestCommitsChangeTheState(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t).URL
	db := storetest.Open(t, store.Config{URL: url})
	fill(t, db)
	ctx := context.Background()
	begun := func(in string) *pgx.Conn {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(ctx) })
		insert := "INSERT INTO code_guesses VALUES ('123456789012', '" + in + "', 1, 1)"
		if _, err := c.Exec(ctx, "BEGIN; "+in+"; "+insert); err != nil {
			t.Fatal(err)
		}
		return c
	}
	old, nested, newest := begun("SELECT 1"), begun("SAVEPOINT one"), begun("SELECT 2")
	before, err := db.State(ctx)
	if err != nil || before == (store.DatabaseState{}) {
		t.Fatalf("%v, %v", before, err)
	}
	for _, c := range []*pgx.Conn{newest, old, nested} {
		if _, err := c.Exec(ctx, "COMMIT"); err != nil {
			t.Fatal(err)
		}
		after, err := db.State(ctx)
		if err != nil || after == before {
			t.Errorf("before %v, after a commit %v, %v", before, after, err)
		}
		before = after
	}
}

// Each connection is noted, because what was read before it may not be current.
func TestConnectionsAreNoted(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Postgres(t))
	fill(t, db)
	if _, opened := db.Connections(); db.ConnectionsNoted() != opened || opened == 0 {
		t.Errorf("%d connections, %d noted", opened, db.ConnectionsNoted())
	}
}
