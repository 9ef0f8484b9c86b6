package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// A standby is promoted while the old primary still accepts changes, because the
// program that should have stopped it hangs. The store leaves the old one, and
// does not return to it.
func TestTwoPrimaries(t *testing.T) {
	t.Parallel()
	first := server(t)
	second, err := first.StartStandby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Stop() })
	db := storetest.Open(t, store.Config{URL: storetest.URLOfBoth(first, second, "postgres"), Timeout: 2 * time.Second})
	fill(t, db, "u")
	for s, want := range map[*storetest.Server]int64{first: 1, second: 0} {
		// The snapshots of a standby do not name what they do not see.
		if got := setting(t, s, store.StateSQL); got != want {
			t.Errorf("a server that is no standby: %v, states: %d", s == first, got)
		}
	}
	if err := second.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	setting(t, first, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
	real := storetest.Open(t, store.Config{URL: second.URL})
	update(t, real, func(tx *store.Tx) error { return tx.InsertUser(user("new")) })
	began := time.Now()
	for {
		if _, err := db.User(t.Context(), account, "new"); err == nil {
			break
		} else if time.Since(began) > time.Minute {
			t.Fatalf("the store still reads the old primary: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("the store left the old primary after %v", time.Since(began).Round(time.Millisecond))
	update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("newer")) })
	view(t, real, func(tx *store.Tx) error { _, err := tx.User(account, "newer"); return err })

	if err := second.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := db.User(t.Context(), account, "u"); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("with the old primary alone: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	if err := second.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.User(t.Context(), account, "newer"); err != nil {
		t.Errorf("with the new primary back: %v", err)
	}
}

// setting runs statements on a server as its operator, and returns the number of
// rows of the last one.
func setting(t *testing.T, s *storetest.Server, statements ...string) (rows int64) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, statement := range statements {
		tag, err := c.Exec(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		rows = tag.RowsAffected()
	}
	return rows
}
