package store_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

var diskFaults = flag.Int("disk-faults", 60, "how many faults of a disk TestDiskFaults tries")

// state is the content of every table.
type state = map[string][]string

// story is a sequence of changes, each of which is one call's.
type story []func(*store.Tx) error

// everyTable returns a story that puts rows into every table, then adds users,
// renames, changes and deletes.
func everyTable(t *testing.T) (all story) {
	all = append(all, func(tx *store.Tx) error { return tx.Exec("PRAGMA wal_autocheckpoint=20") })
	for _, row := range rowsOfEverything(t) {
		for i, arg := range row.args {
			if b, ok := arg.([]byte); ok && len(b) > 20_000 {
				row.args[i] = b[:20_000]
			}
		}
		all = append(all, func(tx *store.Tx) error { return tx.Exec(row.sql, row.args...) })
	}
	for i := range 12 {
		u := user(fmt.Sprintf("Later-%d", i))
		all = append(all, func(tx *store.Tx) error { return tx.InsertUser(u) },
			func(tx *store.Tx) error { return tx.InsertAccessKey(key(u.Name, "AKIA"+u.Name)) })
	}
	return append(all,
		func(tx *store.Tx) error { return tx.RenameUser(account, "later-2", user("Renamed")) },
		func(tx *store.Tx) error { return tx.Exec("DELETE FROM access_keys WHERE key_id = 'AKIALater-3'") },
		func(tx *store.Tx) error { return tx.DeleteUser(account, "later-3") },
		func(tx *store.Tx) error { return tx.Exec("UPDATE users SET path = '/elsewhere/'") },
		func(tx *store.Tx) error { return tx.DeleteAccount("999999999999") },
	)
}

// TestDiskFaults lets the disk fail at one of the writes and syncs of a story,
// in one of the ways in which disks fail, and then cuts the power. What was
// acknowledged is there afterwards. A change that was not acknowledged is there
// as a whole or not at all.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	changes := everyTable(t)
	states, operations := undisturbed(t, changes)
	t.Logf("%d changes write and sync %d times", len(changes), operations)
	// A fault at each operation in turn if there are enough, else at some.
	random := rand.New(rand.NewPCG(1, 2))
	places := random.Perm(int(numFaults-1) * operations)
	for i := range *diskFaults {
		place := places[i%len(places)]
		f, at := fault(1+place/operations), 1+place%operations
		t.Run(fmt.Sprintf("%d %s at %d", i, f, at), func(t *testing.T) {
			disturbed(t, changes, states, f, at, uint64(i))
		})
	}
}

// undisturbed returns the state before the story and after each change, and the
// number of writes and syncs.
func undisturbed(t *testing.T, changes story) (states []state, operations int) {
	t.Helper()
	disk, name := newFaultyDisk(t, noFault, 0, 0)
	db := storetest.Open(t, storetest.SQLite(t).WithVFS(name))
	states = append(states, dump(t, db))
	for i, change := range changes {
		if err := db.Update(context.Background(), change); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		states = append(states, dump(t, db))
	}
	return states, disk.count
}

func disturbed(t *testing.T, changes story, states []state, f fault, at int, seed uint64) {
	t.Helper()
	disk, name := newFaultyDisk(t, f, at, seed)
	cfg := storetest.SQLite(t)
	db, err := store.Open(context.Background(), cfg.WithVFS(name))
	if err != nil {
		t.Fatal(err)
	}
	acknowledged, doubt := 0, false
	for acknowledged < len(changes) {
		err := db.Update(context.Background(), changes[acknowledged])
		if err == nil {
			acknowledged++
			continue
		}
		if !disk.met {
			t.Fatalf("change %d failed before the fault: %v", acknowledged, err)
		}
		if disk.dark {
			doubt = true
			break
		}
		acknowledged += whichOf(t, dump(t, db), states, acknowledged, true)
	}
	_ = db.Close() // it fails without power
	// The log is cut at moments of its own, so a story can end before the fault. Then
	// the power is cut at its end.
	left := t.TempDir()
	disk.leave(t, left)
	after := storetest.Open(t, store.Config{Path: filepath.Join(left, filepath.Base(cfg.Path))})
	view(t, after, func(tx *store.Tx) error {
		problems, err := tx.Pairs("SELECT integrity_check, '' FROM pragma_integrity_check")
		if len(problems) != 1 || problems[0][0] != "ok" {
			t.Errorf("the database is damaged: %v", problems)
		}
		return err
	})
	whichOf(t, dump(t, after), states, acknowledged, doubt)
}

// whichOf returns 0 if the state is that after the changes which were
// acknowledged, and 1 if the change in doubt is in it too.
func whichOf(t *testing.T, got state, states []state, acknowledged int, doubt bool) int {
	t.Helper()
	expected := states[acknowledged:min(acknowledged+1, len(states))]
	if doubt {
		expected = states[acknowledged:min(acknowledged+2, len(states))]
	}
	n := slices.IndexFunc(expected, func(s state) bool { return cmp.Equal(s, got) })
	if n < 0 {
		t.Fatalf("after %d acknowledged changes the disk has another state (-acknowledged +got):\n%s", acknowledged,
			cmp.Diff(expected[0], got))
	}
	return n
}
