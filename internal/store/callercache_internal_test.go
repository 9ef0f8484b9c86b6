package store

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChangesCallers(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"SELECT x FROM users": false,
		"BEGIN IMMEDIATE":     false,
		"INSERT INTO users (a) VALUES ($1) ON CONFLICT DO NOTHING":                          false,
		"INSERT INTO access_keys (a) VALUES ($1)":                                           false,
		"INSERT INTO access_keys (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1":       true,
		"INSERT INTO access_key_last_used (a) SELECT 1 ON CONFLICT (a) DO UPDATE SET a = 1": false,
		"INSERT OR REPLACE INTO users (a) VALUES ($1)":                                      true,
		"UPDATE access_keys SET status = $1":                                                true,
		"UPDATE users SET name = $1":                                                        true,
		"UPDATE login_profiles SET changed = $1":                                            false,
		countUserSQL + " WHERE account = $2":                                                false,
		countUserSQL + ", aws_partition = $2":                                               true,
		"UPDATE accounts SET aws_partition = $1":                                            true,
		"DELETE FROM access_keys WHERE account = $1":                                        true,
		"DELETE FROM user_tags WHERE account = $1":                                          true,
		"DELETE FROM mfa_device_tags WHERE account = $1":                                    false,
		"INSERT INTO user_policies (a) VALUES ($1)":                                         true,
		"INSERT INTO group_attachments (a) VALUES ($1) ON CONFLICT DO NOTHING":              true,
		"DELETE FROM role_boundaries WHERE account = $1":                                    true,
		"INSERT INTO group_members (a) VALUES ($1)":                                         true,
		"INSERT INTO policy_versions (a) VALUES ($1)":                                       true,
		"UPDATE policies SET default_version = $1":                                          true,
		"INSERT INTO control_policies (a) VALUES ($1)":                                      true,
		"INSERT INTO roles (a) VALUES ($1)":                                                 false,
		"UPDATE roles SET description = $1":                                                 true,
		"INSERT INTO policy_tags (a) VALUES ($1)":                                           false,
		"UPDATE password_policies SET reuse = $1":                                           false,
		"INSERT INTO service_last_used (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1": false,
		"DELETE FROM accounts":                                                              true,
		`DELETE FROM "users"`:                                                               true,
		"WITH x AS (SELECT 1) DELETE FROM users":                                            true,
		"":                                                                                  true,
		"INSERT INTO no_such_table (a) VALUES ($1)":                                         true,
		"UPDATE no_such_table SET a = $1":                                                   true,
		"DELETE FROM no_such_table":                                                         true,
		"PRAGMA x":                                                                          true,
	} {
		if got := changesCallers(sql); got != want {
			t.Errorf("changesCallers(%q) = %v", sql, got)
		}
	}
}

// The classified tables are exactly those of the schema.
func TestCallerTablesAreTheSchema(t *testing.T) {
	t.Parallel()
	var tables []string
	err := mustOpen(t, Config{Memory: true}).View(t.Context(), func(tx *Tx) (err error) {
		tables, err = list(tx, func(name *string) []any { return []any{name} },
			`SELECT name FROM sqlite_master
				WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'goose_db_version' ORDER BY name`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tables, slices.Sorted(maps.Keys(callerTables))); diff != "" {
		t.Errorf("a change of which table drops what is remembered? -schema +callerTables\n%s", diff)
	}
}

func mustOpen(t *testing.T, cfg Config) *DB {
	t.Helper()
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustUpdate(t *testing.T, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// insertKey adds account 1, its user u and the user's key AKIA1.
func insertKey(tx *Tx) error {
	return errors.Join(
		tx.InsertAccount(Account{ID: "1", Partition: "aws"}),
		tx.InsertUser(User{Account: "1", NameKey: "u", Name: "u"}),
		tx.InsertAccessKey(AccessKey{Account: "1", NameKey: "u", ID: "AKIA1"}),
	)
}

// Cached keys stay valid only after commits of this store that change no owner.
func TestCallerCacheKeeps(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := Config{Path: filepath.Join(t.TempDir(), "rollcall.db")}
	a, b := mustOpen(t, cfg), mustOpen(t, cfg)
	change := func(db *DB, fn func(*Tx) error) {
		t.Helper()
		mustUpdate(t, db, fn)
	}
	remembered := func() bool {
		t.Helper()
		version, ok := a.engine.version()
		if !ok {
			t.Fatal("no version")
		}
		_, ok = a.callers.get(keyOwnerKey("AKIA1"), version)
		return ok
	}
	change(a, insertKey)
	addUser := func(name string) func(*Tx) error {
		return func(tx *Tx) error {
			_, err := tx.CountUser("1", 1)
			if err != nil {
				return err
			}
			return tx.InsertUser(User{Account: "1", NameKey: name, Name: name})
		}
	}
	for _, step := range []struct {
		name   string
		change func()
		keeps  bool
	}{
		{"a user was added", func() { change(a, addUser("v")) }, true},
		{"a status was changed", func() {
			change(a, func(tx *Tx) error {
				return tx.SetCredentialStatus(AccessKeyCredential, "1", "u", "AKIA1", "Inactive")
			})
		}, false},
		{"another store added a user", func() { change(b, addUser("w")) }, false},
		{"the last of two stores added a user", func() { change(b, addUser("x")); change(a, addUser("y")) }, false},
		{"a user was renamed", func() {
			change(a, func(tx *Tx) error { return tx.RenameUser("1", "u", User{NameKey: "z", Name: "z"}) })
		}, false},
	} {
		if _, err := a.KeyOwner(ctx, "AKIA1"); err != nil {
			t.Fatal(err)
		}
		if !remembered() {
			t.Fatalf("before %s: not remembered", step.name)
		}
		step.change()
		if remembered() != step.keeps {
			t.Errorf("after %s: remembered is %v", step.name, !step.keeps)
		}
	}
}

// Another process may revoke a key right after this one's commit. A commit
// without changes creates no new version, so the version after it may come from
// the other process.
func TestCallerCacheAfterCommitWithoutChange(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := Config{Path: filepath.Join(t.TempDir(), "rollcall.db")}
	a, b := mustOpen(t, cfg), mustOpen(t, cfg)
	mustUpdate(t, a, insertKey)
	limit := func(tx *Tx) error {
		_, err := tx.exec(
			`INSERT INTO account_limits VALUES ('1', 'x', 2) ON CONFLICT (account, name) DO UPDATE SET value = ` +
				`excluded.value`)
		return err
	}
	mustUpdate(t, a, limit)
	for name, fn := range map[string]func(*Tx) error{
		"nothing":  func(*Tx) error { return nil },
		"refused":  func(tx *Tx) error { return tx.InsertUser(User{Account: "1", NameKey: "u", Name: "u"}) },
		"the same": limit,
	} {
		t.Run(name, func(t *testing.T) {
			mustUpdate(t, a, func(tx *Tx) error {
				return tx.SetCredentialStatus(AccessKeyCredential, "1", "u", "AKIA1",
					"Active")
			})
			if _, err := a.KeyOwner(ctx, "AKIA1"); err != nil {
				t.Fatal(err)
			}
			w := a.engine.(*sqlite).writer
			version, calls := w.version, 0
			w.version = func() (walHeader, bool) {
				if calls++; calls == 2 {
					mustUpdate(t, b, func(tx *Tx) error {
						return tx.SetCredentialStatus(AccessKeyCredential, "1", "u", "AKIA1",
							"Inactive")
					})
				}
				return version()
			}
			a.Update(ctx, fn)
			o, err := a.KeyOwner(ctx, "AKIA1")
			if err != nil {
				t.Fatal(err)
			}
			if o.Key.Status != "Inactive" {
				t.Errorf("a key that another store revoked is %s", o.Key.Status)
			}
			mustUpdate(t, a, func(*Tx) error { w.version = version; return nil })
		})
	}
}

func TestCallersAreNotForgottenAtOnce(t *testing.T) {
	t.Parallel()
	var c callerCache
	now := func() (walHeader, bool) { return walHeader{}, true }
	for i := range callerCacheSize + 10 {
		c.put(i, i, walHeader{}, now)
	}
	if len(c.entries) != callerCacheSize {
		t.Errorf("%d callers are remembered, want %d", len(c.entries), callerCacheSize)
	}
}
