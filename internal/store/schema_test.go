package store_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// eachUnmigrated runs a test on every engine that stores data, each time
// without tables.
func eachUnmigrated(t *testing.T, test func(t *testing.T, cfg store.Config)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, store.Config{Path: filepath.Join(t.TempDir(), "rollcall.db")})
	})
	t.Run("postgres", func(t *testing.T) { test(t, unmigrated(t)) })
}

// unmigrated returns a PostgreSQL database whose tables are in a separate and
// empty SQL schema.
func unmigrated(t *testing.T) store.Config {
	t.Helper()
	cfg := storetest.Postgres(t)
	runSQL(t, cfg, "CREATE SCHEMA earlier")
	t.Cleanup(func() { runSQL(t, cfg, "DROP SCHEMA earlier CASCADE") })
	u, err := url.Parse(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", "earlier")
	u.RawQuery = q.Encode()
	return store.Config{URL: u.String()}
}

func runSQL(t *testing.T, cfg store.Config, sql string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(context.Background(), sql); err != nil {
		t.Fatal(err)
	}
}

// A version that would change the schema does not start while an earlier one
// runs, and does not disturb it.
func TestEarlierVersionRuns(t *testing.T) {
	t.Parallel()
	now := store.NewestSchema()
	eachUnmigrated(t, func(t *testing.T, cfg store.Config) {
		earlier := storetest.Open(t, cfg.Knowing(now-1))
		for range 2 {
			_, err := store.Open(t.Context(), cfg)
			if !errors.Is(err, store.ErrOlderRunning) || !strings.Contains(err.Error(), "stop all of them") {
				t.Fatalf("beside an earlier version: %v", err)
			}
			storetest.Open(t, cfg.Knowing(now-1)) // as before
			if err := earlier.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Once a later version has changed the schema, an earlier one does not start.
func TestLaterVersionRan(t *testing.T) {
	t.Parallel()
	now := store.NewestSchema()
	eachUnmigrated(t, func(t *testing.T, cfg store.Config) {
		earlier, err := store.Open(t.Context(), cfg.Knowing(now-1))
		if err != nil {
			t.Fatal(err)
		}
		if err := earlier.Close(); err != nil {
			t.Fatal(err)
		}
		storetest.Open(t, cfg)
		storetest.Open(t, cfg) // two of the same version
		_, err = store.Open(t.Context(), cfg.Knowing(now-1))
		if !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), "restore a backup") {
			t.Errorf("after a later version: %v", err)
		}
	})
}

// A process was cut off from PostgreSQL while a later version changed the
// schema. It does not use the new schema.
func TestSchemaChangesMeanwhile(t *testing.T) {
	t.Parallel()
	cfg := unmigrated(t)
	db := storetest.Open(t, cfg)
	runSQL(t, cfg, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	db.Reconnect()
	err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertAccount(store.Account{ID: account}) })
	if !errors.Is(err, store.ErrNewerSchema) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a change: %v", err)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("ready: %v", err)
	}
	runSQL(t, cfg, "DELETE FROM goose_db_version WHERE version_id = 99999")
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// The data of every earlier schema becomes the same, whether PostgreSQL's
// migrations change it or a restore does.
func TestEarlierDataOnPostgres(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("testdata/schemas/[0-9]*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no earlier schema: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			schema, err := strconv.ParseInt(filepath.Base(folder), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			cfg := unmigrated(t)
			earlier, err := store.Open(t.Context(), cfg.Knowing(schema))
			if err != nil {
				t.Fatal(err)
			}
			backup, master := keptBackup(t, folder)
			if err := earlier.InsertBackup(t.Context(), bytes.NewReader(backup)); err != nil {
				t.Fatal(err)
			}
			if err := earlier.Close(); err != nil {
				t.Fatal(err)
			}
			got := dump(t, storetest.Open(t, cfg))
			db := storetest.Open(t, storetest.SQLite(t))
			if _, err := db.Restore(t.Context(), bytes.NewReader(backup), true, master); err != nil {
				t.Fatal(err)
			}
			want := dump(t, db)
			for _, table := range []string{"data_keys", "report_jobs"} {
				// A restored key may have sealed more than the backup says, and the next
				// report has a token that none had before.
				if len(got[table]) != len(want[table]) {
					t.Errorf("%s: restored %q, migrated %q", table, want[table], got[table])
				}
				delete(got, table)
				delete(want, table)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-restored +migrated\n%s", diff)
			}
		})
	}
}

func keptBackup(t *testing.T, folder string) ([]byte, *seal.MasterKeys) {
	t.Helper()
	backup, err := os.ReadFile(filepath.Join(folder, "backup"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(folder, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "master.key") // which nobody else may read
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	master, err := seal.LoadMasterKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	return backup, master
}
