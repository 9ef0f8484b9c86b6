package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

const account = "123456789012"

var created = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func update(t testing.TB, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Update(store.Patiently(context.Background(), 0), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func user(name string) store.User {
	return store.User{Account: account, NameKey: strings.ToLower(name), Name: name, Path: "/",
		ID: "AIDA" + name, Created: created}
}

func key(name, id string) store.AccessKey {
	return store.AccessKey{Account: account, NameKey: strings.ToLower(name), ID: id, Status: "Active",
		Created: created, Secret: []byte{0, 1, 2}}
}

// fill creates an account with root and the named users.
func fill(t testing.TB, db *store.DB, names ...string) {
	t.Helper()
	update(t, db, func(tx *store.Tx) error {
		if err := tx.InsertAccount(store.Account{ID: account, Partition: "aws", Created: created}); err != nil {
			return err
		}
		for _, name := range append([]string{""}, names...) {
			if err := tx.InsertUser(user(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "Bob", "alice", "_x", "carol")
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.User(account, "bob")
			if err != nil {
				return err
			}
			if diff := cmp.Diff(user("Bob"), got); diff != "" {
				t.Error(diff)
			}
			all, err := tx.Users(account, "", "/", 3)
			if err != nil {
				return err
			}
			var names []string
			for _, u := range all {
				names = append(names, u.Name)
			}
			if want := []string{"_x", "alice", "Bob"}; !slices.Equal(names, want) {
				t.Errorf("users %q, want %q: byte order of the folded name, on every engine", names, want)
			}
			if _, err := tx.User(account, "nobody"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("missing user: %v", err)
			}
			return nil
		})
		err := db.Update(context.Background(), func(tx *store.Tx) error { return tx.InsertUser(user("BOB")) })
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("second Bob: %v", err)
		}
	})
}

func TestRenameUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "old", "other")
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertAccessKey(key("old", "AKIA1")), tx.SetTag(store.UserTags, account, "old",
				store.Tag{Fold: "k", Key: "K", Value: "v"}))
		})
		db.KeyUsed("AKIA1", store.LastUsed{At: created, Region: "eu-west-1", Service: "iam"})
		if err := db.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		update(t, db, func(tx *store.Tx) error { return tx.RenameUser(account, "old", user("New")) })
		view(t, db, func(tx *store.Tx) error {
			o, err := tx.KeyOwner("AKIA1")
			if err != nil || o.User.Name != "New" {
				t.Errorf("owner %+v, %v", o.User, err)
			}
			if use, err := tx.KeyLastUsed("AKIA1"); err != nil || use.Region != "eu-west-1" {
				t.Errorf("last use %+v, %v", use, err)
			}
			if tags, err := tx.Tags(store.UserTags, account, "new", 10); err != nil || len(tags) != 1 {
				t.Errorf("tags %v, %v", tags, err)
			}
			return nil
		})
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.RenameUser(account, "new", user("Other"))
		})
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("rename to a taken name: %v", err)
		}
		err = db.Update(context.Background(), func(tx *store.Tx) error { return tx.DeleteUser(account, "new") })
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("delete a user with a key: %v", err)
		}
	})
}

// A failed update undoes all of its changes and none of those that shared its
// commit.
func TestUpdateGroup(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		refused := errors.New("refused")
		var wait sync.WaitGroup
		for i := range 40 {
			wait.Go(func() {
				err := db.Update(context.Background(), func(tx *store.Tx) error {
					if err := tx.InsertUser(user(fmt.Sprintf("u%02d", i))); err != nil {
						return err
					}
					if i%2 == 1 {
						return refused
					}
					return nil
				})
				if i%2 == 1 && err != refused || i%2 == 0 && err != nil {
					t.Errorf("update %d: %v", i, err)
				}
			})
		}
		wait.Wait()
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.Users(account, "", "", 100)
			if len(all) != 20 {
				t.Errorf("%d users, want 20", len(all))
			}
			return err
		})
	})
}

func TestUpdatePanic(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.SQLite(t))
	fill(t, db)
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		tx.InsertUser(user("half"))
		panic("boom")
	})
	if err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("panic came back as %v", err)
	}
	view(t, db, func(tx *store.Tx) error {
		if _, err := tx.User(account, "half"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("half an update: %v", err)
		}
		return nil
	})
}

// A transaction can safely read a count and act on it: lost updates are
// repeated.
func TestUpdateSerializable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u")
		var wait sync.WaitGroup
		full := errors.New("full")
		// The first transactions have all read before any of them writes, unless the
		// engine runs one after the other.
		var reading sync.WaitGroup
		reading.Add(4)
		read := make(chan struct{})
		go func() { reading.Wait(); close(read) }()
		for i := range 12 {
			first := i < 4
			wait.Go(func() {
				err := db.Update(context.Background(), func(tx *store.Tx) error {
					have, err := tx.AccessKeys(account, "u")
					if err != nil {
						return err
					}
					if first {
						first = false
						reading.Done()
						select {
						case <-read:
						case <-time.After(100 * time.Millisecond):
						}
					}
					if len(have) >= 2 {
						return full
					}
					return tx.InsertAccessKey(key("u", fmt.Sprintf("AKIA%d", i)))
				})
				if err != nil && err != full {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		view(t, db, func(tx *store.Tx) error {
			have, err := tx.AccessKeys(account, "u")
			if len(have) != 2 {
				t.Errorf("%d keys, want 2", len(have))
			}
			return err
		})
	})
}

func TestViewSnapshot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "a")
		view(t, db, func(tx *store.Tx) error {
			if _, err := tx.User(account, "a"); err != nil {
				return err
			}
			update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("b")) })
			if _, err := tx.User(account, "b"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the snapshot moved: %v", err)
			}
			return nil
		})
	})
}

func TestLastUsed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u")
		update(t, db, func(tx *store.Tx) error { return tx.InsertAccessKey(key("u", "AKIA1")) })
		use := func(sec int, region string) {
			db.KeyUsed("AKIA1",
				store.LastUsed{At: created.Add(time.Duration(sec) * time.Second), Region: region, Service: "iam"})
		}
		check := func(want int, region string) {
			t.Helper()
			if err := db.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
			view(t, db, func(tx *store.Tx) error {
				got, err := tx.KeyLastUsed("AKIA1")
				if sec := int(got.At.Sub(created).Seconds()); sec != want || got.Region != region {
					t.Errorf("last used at %d in %s, want %d in %s", sec, got.Region, want, region)
				}
				return err
			})
		}
		use(10, "a")
		use(20, "b")
		check(20, "b")
		use(15, "c") // late: time does not move back
		check(20, "b")
		use(21, "d")
		check(21, "d")
		db.SetUseSpan(15 * time.Minute)
		use(100, "e")
		check(21, "d")
		use(21+900, "f")
		use(21+900+10, "g")
		check(21+900, "f")
		db.KeyUsed("AKIAGONE", store.LastUsed{At: created})
		if err := db.Flush(context.Background()); err != nil {
			t.Errorf("use of a deleted key: %v", err)
		}
	})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		if cfg.Memory {
			return
		}
		db, err := store.Open(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, db, "kept")
		update(t, db, func(tx *store.Tx) error { return tx.InsertAccessKey(key("kept", "AKIA1")) })
		db.KeyUsed("AKIA1", store.LastUsed{At: created, Region: "r", Service: "s"})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Update(context.Background(), func(*store.Tx) error { return nil }); err == nil {
			t.Error("update of a closed store succeeded")
		}
		db = storetest.Open(t, cfg)
		view(t, db, func(tx *store.Tx) error {
			if _, err := tx.KeyLastUsed("AKIA1"); err != nil {
				t.Errorf("use noted before Close: %v", err)
			}
			_, err := tx.User(account, "kept")
			return err
		})
	})
}

func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u")
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertAccessKey(key("u", "AKIA1")), tx.InsertAlias(account, "name"),
				tx.SetLimit(account, "L", 3))
		})
		update(t, db, func(tx *store.Tx) error { return tx.DeleteAccount(account) })
		view(t, db, func(tx *store.Tx) error {
			if _, err := tx.Account(account); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("account: %v", err)
			}
			if _, err := tx.AccessKey("AKIA1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("key: %v", err)
			}
			return nil
		})
	})
}
