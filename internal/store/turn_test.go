package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Changes of one account wait for one another, on one node and across nodes.
// None undoes another, although all of them update one row.
func TestTurns(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	nodes := []*store.DB{storetest.Open(t, cfg), storetest.Open(t, cfg)}
	fill(t, nodes[0])
	ctx := store.OnAccount(t.Context(), account)
	const clients, each = 100, 5
	var runs atomic.Int64
	var wait sync.WaitGroup
	for c := range clients {
		wait.Go(func() {
			for i := range each {
				name := fmt.Sprintf("u%d-%d", c, i)
				err := nodes[c%2].Update(ctx, func(tx *store.Tx) error {
					runs.Add(1)
					if err := tx.InsertUser(store.User{Account: account, NameKey: name, Name: name, Path: "/", ID: name,
						Created: tx.Now}); err != nil {
						return err
					}
					if _, err := tx.CountUser(account, 1); err != nil {
						return err
					}
					_, err := tx.Limits(account)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if n := runs.Load(); n > clients*each*5/4 {
		t.Errorf("%d changes ran %d times", clients*each, n)
	}
	view(t, nodes[0], func(tx *store.Tx) error {
		a, err := tx.Account(account)
		if a.Users != clients*each {
			t.Errorf("%d users are counted, want %d", a.Users, clients*each)
		}
		return err
	})
}

// A change waits for that of another node before it reads anything.
func TestTurnsAcrossNodes(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	one, two := storetest.Open(t, cfg), storetest.Open(t, cfg)
	fill(t, one)
	ctx := store.OnAccount(t.Context(), account)
	counted, waits, ended := make(chan bool), make(chan bool), make(chan error)
	go func() {
		ended <- one.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.CountUser(account, 1)
			close(counted)
			<-waits
			return err
		})
	}()
	<-counted
	runs := 0
	go func() {
		ended <- two.Update(ctx, func(tx *store.Tx) error {
			runs++
			_, err := tx.CountUser(account, 1)
			return err
		})
	}()
	other := session(t, cfg.URL)
	for locked := 0; locked == 0; time.Sleep(5 * time.Millisecond) { // whatever it waits for
		err := other.QueryRow(t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type "+
				"= 'Lock'").Scan(&locked)
		if err != nil {
			t.Fatal(err)
		}
	}
	close(waits)
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if runs != 1 {
		t.Errorf("the second change ran %d times", runs)
	}
}

// A failed change undoes itself and nothing of those that share its
// transaction. A change that leaves the queue does not affect the others.
func TestTurnsKeepFailuresApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		ctx := store.OnAccount(t.Context(), account)
		refused := errors.New("refused")
		var wait sync.WaitGroup
		for i := range 100 {
			wait.Go(func() {
				name := fmt.Sprintf("u%d", i)
				err := db.Update(ctx, func(tx *store.Tx) error {
					switch i % 4 {
					case 1:
						return refused // without a statement
					case 2:
						_, err := tx.User(account, "nobody")
						return err
					}
					err := tx.InsertUser(
						store.User{Account: account, NameKey: name, Name: name, Path: "/", ID: name, Created: tx.Now})
					if err != nil {
						return err
					}
					if i%4 == 3 {
						return tx.Exec("INSERT INTO user_tags VALUES ($1, 'nobody', 'a', 'a', 'a')", account)
					}
					return nil
				})
				if want := []error{nil, refused, store.ErrNotFound, store.ErrConflict}[i%4]; !errors.Is(err, want) {
					t.Errorf("change %d: %v, want %v", i, err, want)
				}
			})
		}
		wait.Wait()
		view(t, db, func(tx *store.Tx) error {
			users, err := tx.Users(account, "", "", 1000)
			if len(users) != 25 {
				t.Errorf("%d users, want 25", len(users))
			}
			return err
		})
	})
}

// onAndOffTurn runs a test for changes of an account, which wait for their
// turn, and for others.
func onAndOffTurn(t *testing.T, test func(t *testing.T, db *store.DB, url, account string)) {
	t.Helper()
	for name, of := range map[string]string{"in turn": account, "out of turn": ""} {
		t.Run(name, func(t *testing.T) {
			cfg := storetest.Postgres(t)
			db := storetest.Open(t, cfg)
			fill(t, db, "u")
			test(t, db, cfg.URL, of)
		})
	}
}

// session opens the test's own connection.
func session(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(t.Context()) })
	return c
}

// A transaction that others undo is repeated until the call's deadline, however
// often that happens.
func TestRepeatedUntilTheDeadline(t *testing.T) {
	onAndOffTurn(t, func(t *testing.T, db *store.DB, url, of string) {
		other := session(t, url)
		runs := 0
		err := db.Update(store.OnAccount(t.Context(), of), func(tx *store.Tx) error {
			if _, err := tx.User(account, "u"); err != nil {
				return err
			}
			if runs++; runs <= 60 {
				if _, err := other.Exec(t.Context(), "UPDATE users SET path = $1 WHERE name_key = 'u'",
					fmt.Sprintf("/%d/", runs)); err != nil {
					return err
				}
			}
			return tx.Exec("UPDATE users SET path = '/mine/' WHERE account = $1 AND name_key = 'u'", account)
		})
		if err != nil || runs != 61 {
			t.Errorf("after %d runs: %v", runs, err)
		}
	})
}

// A transaction that the server ended before COMMIT is repeated.
func TestEndedBeforeCommit(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, tx *store.Tx, other *pgx.Conn) error{
		"by an administrator": func(t *testing.T, tx *store.Tx, other *pgx.Conn) error {
			return terminate(t, other)
		},
		"by its timeout": func(t *testing.T, tx *store.Tx, other *pgx.Conn) error {
			err := tx.Exec("SET LOCAL idle_in_transaction_session_timeout = 10")
			time.Sleep(200 * time.Millisecond)
			return err
		},
		"without memory for locks": func(t *testing.T, tx *store.Tx, other *pgx.Conn) error {
			return tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'out of shared memory' USING ERRCODE = '53200'; END $$")
		},
	} {
		t.Run(name, func(t *testing.T) {
			onAndOffTurn(t, func(t *testing.T, db *store.DB, url, of string) {
				other := session(t, url)
				for _, last := range []bool{false, true} { // whether the end comes after the last statement
					runs := 0
					err := db.Update(store.OnAccount(t.Context(), of), func(tx *store.Tx) error {
						runs++
						if !last && runs == 1 {
							if err := end(t, tx, other); err != nil {
								return err
							}
						}
						if err := tx.SetLimit(account, "L", runs); err != nil {
							return err
						}
						if last && runs == 1 {
							return end(t, tx, other)
						}
						return nil
					})
					if err != nil {
						t.Errorf("last %t, after %d runs: %v", last, runs, err)
					}
				}
			})
		})
	}
}

// terminate ends all sessions but the test's own.
func terminate(t *testing.T, other *pgx.Conn) error {
	_, err := other.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	return err
}

// If a reader's session ends after it has read everything, the result is valid.
func TestEndedAfterReading(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	db := storetest.Open(t, cfg)
	fill(t, db, "u")
	other := session(t, cfg.URL)
	runs := 0
	view(t, db, func(tx *store.Tx) error {
		runs++
		if _, err := tx.User(account, "u"); err != nil {
			return err
		}
		return terminate(t, other)
	})
	if runs != 1 {
		t.Errorf("%d runs", runs)
	}
}

// If a reader's session ends before it has read anything, it begins again.
func TestEndedBeforeReading(t *testing.T) {
	t.Parallel()
	cfg := storetest.Postgres(t)
	db := storetest.Open(t, cfg)
	fill(t, db, "u")
	other := session(t, cfg.URL)
	runs := 0
	view(t, db, func(tx *store.Tx) error {
		if runs++; runs == 1 {
			if err := terminate(t, other); err != nil {
				return err
			}
		}
		_, err := tx.User(account, "u")
		return err
	})
}
