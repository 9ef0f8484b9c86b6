package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// A database whose name leads to another file accepts no changes, for whatever
// reason, and is not ready.
func TestMovedDatabase(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(path string) error{
		"moved away":           func(path string) error { return os.Rename(path, path+".old") },
		"deleted":              os.Remove,
		"replaced":             func(path string) error { return copyOver(path, path) },
		"write-ahead log gone": func(path string) error { return os.Remove(path + "-wal") },
		"write-ahead log new":  func(path string) error { return copyOver(path+"-wal", path+"-wal") },
		"shared memory gone":   func(path string) error { return os.Remove(path + "-shm") },
		"directory moved": func(path string) error {
			return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "rollcall.db")
			db := storetest.Open(t, store.Config{Path: path})
			add := func(id string) error {
				return db.Update(t.Context(), func(tx *store.Tx) error {
					return tx.InsertAccount(store.Account{ID: id, Partition: "aws"})
				})
			}
			if err := errors.Join(add("111111111111"), db.Ping(t.Context())); err != nil {
				t.Fatal(err)
			}
			if err := move(path); err != nil {
				t.Fatal(err)
			}
			if err := add("222222222222"); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("a change: %v", err)
			}
			if err := db.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("ready: %v", err)
			}
		})
	}
}

// copyOver replaces a file by a copy.
func copyOver(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	g, err := os.Create(to + ".new")
	if err != nil {
		return err
	}
	if _, err := io.Copy(g, f); err != nil {
		return err
	}
	return errors.Join(g.Close(), os.Rename(to+".new", to))
}

// If a database disappears during a change, the store notices before it
// acknowledges the change. When the database is back, it accepts changes again.
func TestDatabaseMovesDuringChange(t *testing.T) {
	t.Parallel()
	path := storetest.SQLite(t).Path
	db := storetest.Open(t, store.Config{Path: path})
	add := func(id string, during func() error) error {
		return db.Update(t.Context(), func(tx *store.Tx) error {
			return errors.Join(during(), tx.InsertAccount(store.Account{ID: id, Partition: "aws"}))
		})
	}
	away := func() error { return os.Rename(path, path+".old") }
	if err := add("111111111111", away); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(add("222222222222", func() error { return nil }), db.Ping(t.Context())); err != nil {
		t.Error(err)
	}
}

// A database behind a link has its files next to it, and counts as moved when
// the link leads elsewhere.
func TestLinkedDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link, path := filepath.Join(dir, "link.db"), filepath.Join(t.TempDir(), "rollcall.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, store.Config{Path: link})
	if _, err := os.Stat(path + "-wal"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(link + "-wal"); err == nil {
		t.Error("there is a write-ahead log beside the link, which nobody uses")
	}
	if err := errors.Join(os.Remove(link), os.WriteFile(link, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
