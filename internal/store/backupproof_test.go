package store_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// tampered returns a backup of the store with changed contents, and the
// original proof: somebody unpacked the file, changed policies and computed a
// new sum.
func tampered(t *testing.T, file []byte, prove func(sum []byte) []byte) []byte {
	t.Helper()
	changed := 0
	b, err := store.RewriteBackup(file, func(table string, args []any) {
		if table == "user_policies" {
			args[len(args)-1] = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
			changed++
		}
	}, prove)
	if err != nil {
		t.Fatal(err)
	}
	if changed != 3 {
		t.Fatalf("%d policies changed, want 3", changed)
	}
	return b
}

func proofStore(t *testing.T, db *store.DB) (file []byte) {
	fill(t, db, "a", "b", "c")
	update(t, db, func(tx *store.Tx) error {
		var errs []error
		for _, name := range []string{"a", "b", "c"} {
			errs = append(errs, tx.Exec(`INSERT INTO user_policies VALUES ($1, $2, 'p', '{}')`, account, name))
		}
		return errors.Join(errs...)
	})
	file, info := backup(t, db)
	if !info.Verified {
		t.Error("the backup has no proof")
	}
	return file
}

// A backup that somebody changed and gave a new sum is refused before any of it
// is in the store.
func TestTamperedBackup(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		file := proofStore(t, db)
		before := dump(t, db)
		other := seal.InMemoryMasterKeys()
		k, err := seal.NewDataKey(other, seal.Rows)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := seal.NewKeyring(other, []seal.WrappedKey{k})
		if err != nil {
			t.Fatal(err)
		}
		for name, prove := range map[string]func([]byte) []byte{
			"its old proof":    nil,
			"a made-up proof":  func([]byte) []byte { return make([]byte, 32) },
			"another's proof":  func(sum []byte) []byte { return ring.MAC("backup", sum) },
			"without a proof":  func([]byte) []byte { return []byte{} },
			"as an older form": store.UnprovenForm,
		} {
			b := tampered(t, file, prove)
			_, err := db.Restore(t.Context(), bytes.NewReader(b), true, master)
			if !errors.Is(err, store.ErrUnverified) && !errors.Is(err, store.ErrBadBackup) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Errorf("a restore that was refused changed the store: %s", diff)
		}
		// The rewriting itself does not cause the refusal.
		same, err := store.RewriteBackup(file, func(string, []any) {}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := db.Restore(t.Context(), bytes.NewReader(same), true, master); err != nil || !info.Verified {
			t.Errorf("%+v, %v", info, err)
		}
		// With the option, an unverified backup is restored, and the result
		// says so.
		b := tampered(t, file, store.UnprovenForm)
		if info, err := db.Restore(t.Context(), bytes.NewReader(b), true, nil); err != nil || info.Verified {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

// The key of another installation verifies no backup, and the backups of
// earlier versions have no proof.
func TestUnverifiedBackup(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, store.Config{Memory: true})
	file := proofStore(t, db)
	_, err := store.CheckBackup(bytes.NewReader(file), seal.InMemoryMasterKeys())
	if !errors.Is(err, store.ErrUnverified) || !errors.Is(err, seal.ErrWrongMasterKey) {
		t.Errorf("another's key: %v", err)
	}
	var old bytes.Buffer
	if _, err := db.Backup(context.Background(), &old, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := store.CheckBackup(bytes.NewReader(old.Bytes()), master); !errors.Is(err, store.ErrUnverified) {
		t.Errorf("without a proof: %v", err)
	}
	if info, err := store.CheckBackup(bytes.NewReader(old.Bytes()), nil); err != nil || info.Verified {
		t.Errorf("%+v, %v", info, err)
	}
}
