package store_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// A table or column that the backup forgets would be lost with the next
// restore.
func TestBackupKnowsTheWholeSchema(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.SQLite(t))
	var want []string
	view(t, db, func(tx *store.Tx) error {
		pairs, err := tx.Pairs(`SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'
			AND m.name NOT LIKE 'turns_%' -- never hold a row
			AND m.name NOT IN ('outbox', 'trail_heads') -- between this store and its trail
			AND m.name NOT IN ('report_marks', 'report_recordings') -- for the next report of this store`)
		for _, p := range pairs {
			want = append(want, p[0]+"."+p[1])
		}
		return err
	})
	got := store.BackupColumns()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// master wraps the data keys of all stores here.
var master = seal.InMemoryMasterKeys()

func dataKey(t testing.TB, purpose seal.Purpose) seal.WrappedKey {
	t.Helper()
	k, err := seal.NewDataKey(master, purpose)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// everything adds rows to every table, with values that are hard to transfer.
func everything(t *testing.T, db *store.DB) {
	t.Helper()
	insert(t, db, rowsOfEverything(t))
}

// statement is a test's own statement.
type statement struct {
	sql  string
	args []any
}

func insert(t *testing.T, db *store.DB, rows []statement) {
	t.Helper()
	update(t, db, func(tx *store.Tx) error {
		var errs []error
		for _, row := range rows {
			errs = append(errs, tx.Exec(row.sql, row.args...))
		}
		return errors.Join(errs...)
	})
}

func rowsOfEverything(t *testing.T) []statement {
	t.Helper()
	rows, tokens := dataKey(t, seal.Rows), dataKey(t, seal.Tokens)
	return []statement{
		{`INSERT INTO data_keys VALUES ($1, $2, $3, 9, 'rows', 0)`, []any{rows.ID, rows.MasterKeyID, rows.Wrapped}},
		{`INSERT INTO data_keys VALUES ($1, $2, $3, 5, 'tokens', 17)`,
			[]any{tokens.ID, tokens.MasterKeyID, tokens.Wrapped}},
		{`INSERT INTO accounts VALUES ('123456789012', 'aws', 7, 2, 'ACCT1')`, nil},
		{`INSERT INTO accounts VALUES ('999999999999', 'aws-cn', 0, 0, '')`, nil},
		{`INSERT INTO account_aliases VALUES ('123456789012', 'example')`, nil},
		{`INSERT INTO account_limits VALUES ('123456789012', 'AccessKeysPerUser', 4)`, nil},
		{`INSERT INTO password_policies VALUES ('123456789012', 14, 1, 0, 1, 0, 1, 90, 24, 2)`, nil},
		{`INSERT INTO users VALUES ('123456789012', '', '', '/', '123456789012', 7)`, nil},
		{`INSERT INTO users VALUES ('123456789012', 'bill', 'Bill', '/a/', 'AIDA1', 1700000000)`, nil},
		{`INSERT INTO users VALUES ('123456789012', '=1+1', '=1+1', '/', 'AIDA2', 1700000001)`, nil},
		{`INSERT INTO users VALUES ('999999999999', '', '', '/', '999999999999', 7)`, nil},
		{`INSERT INTO user_tags VALUES ('123456789012', 'bill', 'größe', 'Größe', $1)`,
			[]any{"zwei\nZeilen\t€ \U0001F600"}},
		{`INSERT INTO login_profiles VALUES ('123456789012', '', '$argon2id$v=19$…', 1, 2, 1)`, nil},
		{`INSERT INTO password_history VALUES ('123456789012', '', -3, '$argon2id$')`, nil},
		{`INSERT INTO password_last_used VALUES ('123456789012', '', 99)`, nil},
		{`INSERT INTO access_keys VALUES ('123456789012', 'bill', 'AKIA1', 'Active', 8, $1)`,
			[]any{bytes.Repeat([]byte{7}, 300)}},
		{`INSERT INTO access_key_last_used VALUES ('123456789012', 'bill', 'AKIA1', 100, 'eu', 's3')`, nil},
		{`INSERT INTO mfa_devices VALUES ('123456789012', 'arn:a', '1', NULL, $1, 1, 0, 0, -1)`, []any{[]byte{}}},
		{`INSERT INTO mfa_devices VALUES ('123456789012', 'arn:b', '2', '', $1, 1, 2, 3, 0)`, []any{[]byte{1}}},
		{`INSERT INTO passkeys VALUES ('123456789012', 'bill', 'arn:f', '3', 'credential_id', $1, 7, 7)`,
			[]any{[]byte{5}}},
		{`INSERT INTO signin_sessions VALUES ('123456789012', 'session1', 'bill', 'handle1', $1, 'address', 'user_agent',
			7, 7, 7)`, []any{[]byte{5}}},
		{`INSERT INTO signin_sessions VALUES ('123456789012', 'session2', NULL, 'handle2', $1, 'address', 'user_agent',
			7, 7, 7)`, []any{[]byte{5}}},
		{`INSERT INTO signin_tickets VALUES ('123456789012', 'ticket1', 'bill', 'purpose', $1, 7, 7, 7)`,
			[]any{[]byte{5}}},
		{`INSERT INTO signin_tickets VALUES ('123456789012', 'ticket2', NULL, 'purpose', $1, 7, 7, 7)`,
			[]any{[]byte{5}}},
		{`INSERT INTO tool_sessions VALUES ('123456789012', 'tool1', 'bill', 'code1', 'token1', 'handle1', $1, 'proof_key', 7,
			'address', 'user_agent', 7, 7, 7, '')`, []any{[]byte{5}}},
		{`INSERT INTO tool_sessions VALUES ('123456789012', 'tool2', NULL, 'code2', 'token2', 'handle2', $1, 'proof_key', 7,
			'address', 'user_agent', 7, 7, 7, 'ended')`, []any{[]byte{5}}},
		{`INSERT INTO tool_proofs VALUES ('123456789012', 'proof_id', 7)`, nil},
		{`INSERT INTO signin_pauses VALUES ('place', 7, 7)`, nil},
		{`INSERT INTO signin_places VALUES ('123456789012', 'bill', 'place', 7)`, nil},
		{`INSERT INTO password_guesses VALUES ('123456789012', 'bill', 1700000002, 4)`, nil},
		{`INSERT INTO code_guesses VALUES ('123456789012', 'arn:gone', 1700000100, 9)`, nil},
		{`INSERT INTO mfa_used_codes VALUES ('123456789012', 'arn:b', 59000000)`, nil},
		{`INSERT INTO mfa_device_tags VALUES ('123456789012', 'arn:b', 'K', 'v')`, nil},
		{`INSERT INTO signing_certificates VALUES ('123456789012', 'bill', 'C1', 'PEM', 'Active', 4)`, nil},
		{`INSERT INTO ssh_public_keys VALUES ('123456789012', 'bill', 'APKA1', 'ssh-rsa', 'ab:cd', 'd1', 'Active', 4)`,
			nil},
		{`INSERT INTO service_specific_credentials VALUES ('123456789012', 'bill', 'ACCA1', 'codecommit', 'bill-at', ` +
			`$1, 'Active', 4, 0)`, []any{[]byte{9}}},
		{`INSERT INTO user_groups VALUES ('123456789012', 'x', 'name', 'path', 'group_id', 7)`, nil},
		{`INSERT INTO group_members VALUES ('123456789012', 'x', 'bill')`, nil},
		{`INSERT INTO policies VALUES ('123456789012', 'x', 'name', 'path', 'arn', 'policy_id', 'description', 7, ` +
			`7, 7, 7)`, nil},
		{`INSERT INTO policy_versions VALUES ('123456789012', 'x', 7, 'document', 7)`, nil},
		{`INSERT INTO policy_tags VALUES ('123456789012', 'x', 'tag_key', 'tag_value')`, nil},
		{`INSERT INTO roles VALUES ('123456789012', 'x', 'name', 'path', 'role_id', 'description', 'trust_policy', ` +
			`'trusted_ids', 7, 'service', 7)`, nil},
		{`INSERT INTO role_tags VALUES ('123456789012', 'x', 'key_fold', 'tag_key', 'tag_value')`, nil},
		{`INSERT INTO user_policies VALUES ('123456789012', 'bill', 'x', 'document')`, nil},
		{`INSERT INTO group_policies VALUES ('123456789012', 'x', 'x', 'document')`, nil},
		{`INSERT INTO role_policies VALUES ('123456789012', 'x', 'x', 'document')`, nil},
		{`INSERT INTO user_attachments VALUES ('123456789012', 'bill', 'policy_arn')`, nil},
		{`INSERT INTO group_attachments VALUES ('123456789012', 'x', 'policy_arn')`, nil},
		{`INSERT INTO role_attachments VALUES ('123456789012', 'x', 'policy_arn')`, nil},
		{`INSERT INTO user_boundaries VALUES ('123456789012', 'bill', 'policy_arn')`, nil},
		{`INSERT INTO role_boundaries VALUES ('123456789012', 'x', 'policy_arn')`, nil},
		{`INSERT INTO control_policies VALUES ('123456789012', 'name', 'document')`, nil},
		{`INSERT INTO account_settings VALUES ('123456789012', 'name', 'value')`, nil},
		{`INSERT INTO instance_profiles VALUES ('123456789012', 'x', 'name', 'path', 'profile_id', 7)`, nil},
		{`INSERT INTO instance_profile_roles VALUES ('123456789012', 'x', 'x')`, nil},
		{`INSERT INTO instance_profile_tags VALUES ('123456789012', 'x', 'tag_key', 'tag_value')`, nil},
		{`INSERT INTO oidc_providers VALUES ('123456789012', 'x', 'thumbprints', 7)`, nil},
		{`INSERT INTO oidc_client_ids VALUES ('123456789012', 'x', 'client_id', 2)`, nil},
		{`INSERT INTO oidc_provider_tags VALUES ('123456789012', 'x', 'tag_key', 'tag_value')`, nil},
		{`INSERT INTO saml_providers VALUES ('123456789012', 'x', 'provider_id', 'metadata', 'encryption', 7, 7)`, nil},
		{`INSERT INTO saml_private_keys VALUES ('123456789012', 'x', 'key_id', $1, 7)`, []any{[]byte{5}}},
		{`INSERT INTO saml_provider_tags VALUES ('123456789012', 'x', 'tag_key', 'tag_value')`, nil},
		{`INSERT INTO token_issuers VALUES ('123456789012', 'issuer_id', 1, 7)`, nil},
		{`INSERT INTO token_keys VALUES ('123456789012', 'x', 7, $1, $2, 7, 7)`, []any{[]byte{5}, []byte{6}}},
		{`INSERT INTO server_certificates VALUES ('123456789012', 'x', 'name', 'path', 'certificate_id', 'body', ` +
			`'chain', $1, 7, 7)`, []any{[]byte{5}}},
		{`INSERT INTO server_certificate_tags VALUES ('123456789012', 'x', 'tag_key', 'tag_value')`, nil},
		{`INSERT INTO service_last_used VALUES ('123456789012', 'principal_id', 'service', 'action', 7, 'region')`,
			nil},
		{`INSERT INTO access_jobs VALUES ('123456789012', 'job_id', 'arn', 7, $1)`, []any{[]byte{5}}},
		{`INSERT INTO deletion_tasks VALUES ('123456789012', 'task_id', 7, 'status')`, nil},
		{`INSERT INTO report_jobs VALUES ('123456789012', 3, 'node', 0, 4102444800000)`, nil},
		{`INSERT INTO reports VALUES ('123456789012', 2, 1700000000, 1700000000123, 3, 2, 'ab', 2, 0)`, nil},
		{`INSERT INTO report_bases VALUES ('123456789012', 2)`, nil},
		{`INSERT INTO report_chunks VALUES ('123456789012', 2, 0, 3, $1)`,
			[]any{bytes.Repeat([]byte("chunk"), 500_000)}},
		{`INSERT INTO report_chunks VALUES ('123456789012', 2, 1, 3, $1)`, []any{[]byte{3}}},
		{`INSERT INTO report_pieces VALUES ('123456789012', 2, 0, $1)`, []any{[]byte{5}}},
		{`INSERT INTO report_patches VALUES ('123456789012', 2, 'bill', 2, 'Bill,"data"')`, nil},
	}
}

func dump(t *testing.T, db *store.DB) (all map[string][]string) {
	t.Helper()
	view(t, db, func(tx *store.Tx) (err error) {
		all, err = tx.Dump()
		return err
	})
	return all
}

func backup(t *testing.T, db *store.DB) ([]byte, store.BackupInfo) {
	t.Helper()
	var keys []seal.WrappedKey
	view(t, db, func(tx *store.Tx) (err error) {
		keys, err = tx.DataKeys()
		return err
	})
	if len(keys) == 0 {
		update(t, db, func(tx *store.Tx) error {
			return tx.InsertDataKey(store.DataKey{WrappedKey: dataKey(t, seal.Rows)})
		})
	}
	var file bytes.Buffer
	info, err := db.Backup(context.Background(), &file, master)
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), info
}

// A backup of one engine can be restored on every other.
func TestBackup(t *testing.T) {
	t.Parallel()
	engines := map[string]func(testing.TB) store.Config{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
	for from, source := range engines {
		for to, target := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				a, b := storetest.Open(t, source(t)), storetest.Open(t, target(t))
				everything(t, a)
				want := dump(t, a)
				for _, table := range store.BackupColumns() {
					if name, _, _ := strings.Cut(table, "."); len(want[name]) == 0 {
						t.Fatalf("the test has no row of table %s", name)
					}
				}
				file, info := backup(t, a)
				if info.Accounts != 2 || info.Users != 2 || info.Engine != from {
					t.Errorf("backup says %+v", info)
				}
				restored, err := b.Restore(context.Background(), bytes.NewReader(file), false, master)
				if err != nil {
					t.Fatal(err)
				}
				if restored != info {
					t.Errorf("restore says %+v, backup %+v", restored, info)
				}
				got := dump(t, b)
				// It is unknown what the keys sealed after the backup, so they
				// are replaced.
				view(t, b, func(tx *store.Tx) error {
					keys, err := tx.AllDataKeys()
					if len(keys) != 2 || keys[0].Sealed != 17+seal.MessagesPerKey ||
						keys[1].Sealed != seal.MessagesPerKey {
						t.Errorf("data keys %+v", keys)
					}
					return err
				})
				// The tokens of reports continue after those that may be in use.
				for _, table := range []string{"data_keys", "report_jobs"} {
					delete(want, table)
					delete(got, table)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestBackupSeesOneSnapshot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "a")
		var file bytes.Buffer
		w := writerFunc(func(b []byte) (int, error) {
			if file.Len() == 0 {
				update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("late")) })
			}
			return file.Write(b)
		})
		info, err := db.Backup(context.Background(), w, nil)
		if err != nil {
			t.Fatal(err)
		}
		if info.Users != 1 {
			t.Errorf("a user that came after the first byte is in it: %+v", info)
		}
		if checked, err := store.CheckBackup(&file, nil); err != nil || checked != info {
			t.Errorf("%+v, %v; want %+v", checked, err, info)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestRestore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		everything(t, db)
		file, _ := backup(t, db)
		update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user("later")) })
		changed := dump(t, db)

		if _, err := db.Restore(ctx, bytes.NewReader(file), false, master); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("into a store with accounts: %v", err)
		}
		for name, damage := range damages(file) {
			if _, err := db.Restore(ctx, bytes.NewReader(damage), true, master); !errors.Is(err, store.ErrBadBackup) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// A file that changes after it was checked is refused too, and undone.
		turncoat := &changing{Reader: bytes.NewReader(file), then: file[:len(file)-20]}
		if _, err := db.Restore(ctx, turncoat, true, master); !errors.Is(err, store.ErrBadBackup) {
			t.Errorf("a file that changes: %v", err)
		}
		if diff := cmp.Diff(changed, dump(t, db)); diff != "" {
			t.Errorf("a restore that failed changed the store: %s", diff)
		}

		if _, err := db.Restore(ctx, bytes.NewReader(file), true, master); err != nil {
			t.Fatal(err)
		}
		if again, _ := backup(t, db); len(dump(t, db)["users"]) != 4 || len(again) == 0 {
			t.Error("the later user is still there")
		}
	})
}

// changing is a file whose content changes when it is read again from the
// start.
type changing struct {
	*bytes.Reader
	then []byte
}

func (c *changing) Seek(offset int64, whence int) (int64, error) {
	c.Reader = bytes.NewReader(c.then)
	return 0, nil
}

func damages(file []byte) map[string][]byte {
	flip := func(at int) []byte {
		b := bytes.Clone(file)
		b[at] ^= 1
		return b
	}
	newer := append([]byte("rollcall-backup 3"), file[len("rollcall-backup 3"):]...)
	return map[string][]byte{
		"empty": nil, "its first line only": file[:18], "one byte short": file[:len(file)-1],
		"half": file[:len(file)/2], "a byte more": append(bytes.Clone(file), 0),
		"twice":               append(bytes.Clone(file), file...),
		"a bit in its middle": flip(len(file) / 2), "a bit near its end": flip(len(file) - 8),
		"a bit in its name": flip(3),
		"a newer form":      newer, "something else": []byte("SQLite format 3\x00 and so on, and so on"),
	}
}

// Jobs that ran when the backup was taken no longer run when it is restored.
func TestRestoreEndsReportJobs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		var token int64
		update(t, db, func(tx *store.Tx) (err error) {
			if token, err = tx.StartReportJob(account, "node", time.Hour); err != nil {
				return err
			}
			return tx.AddReportChunks(account, token, 0, []store.ReportChunk{{Size: 3, Data: []byte("abc")}}, time.Hour)
		})
		file, _ := backup(t, db)
		later := startedJob(t, db, token)
		if _, err := db.Restore(context.Background(), bytes.NewReader(file), true, master); err != nil {
			t.Fatal(err)
		}
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			return tx.AddReportChunks(account, token, 1, []store.ReportChunk{{Size: 3, Data: []byte("abc")}}, time.Hour)
		})
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("the old job continues: %v", err)
		}
		update(t, db, func(tx *store.Tx) (err error) {
			if token, err = tx.StartReportJob(account, "node", time.Hour); err != nil {
				return err
			}
			return tx.AddReportChunks(account, token, 0, []store.ReportChunk{{Size: 3, Data: []byte("new")}}, time.Hour)
		})
		if token <= later {
			t.Errorf("a report has the token %d, up to %d were given before", token, later)
		}
	})
}

// startedJob ends a job and starts another.
func startedJob(t *testing.T, db *store.DB, token int64) (next int64) {
	t.Helper()
	update(t, db, func(tx *store.Tx) (err error) {
		if err = tx.EndReportJob(account, token); err != nil {
			return err
		}
		next, err = tx.StartReportJob(account, "node", time.Hour)
		return err
	})
	return next
}

func FuzzCheckBackup(f *testing.F) {
	db, err := store.Open(context.Background(), store.Config{Memory: true})
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	var file bytes.Buffer
	if _, err := db.Backup(context.Background(), &file, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	for _, d := range damages(file.Bytes()) {
		f.Add(d)
	}
	whole := file.Bytes()
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := store.CheckBackup(bytes.NewReader(b), nil)
		if err != nil && !errors.Is(err, store.ErrBadBackup) {
			t.Errorf("an error of another kind: %v", err)
		}
		if err == nil && !bytes.Equal(b, whole) && len(b) < 64 {
			t.Errorf("%q is a backup", b)
		}
	})
}

// No row of an account remains after it is deleted.
func TestDeleteFullAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		everything(t, db)
		update(t, db, func(tx *store.Tx) error { return tx.DeleteAccount(account) })
		for table, rows := range dump(t, db) {
			for _, row := range rows {
				if strings.Contains(row, account) {
					t.Errorf("table %s still has %s", table, row)
				}
			}
		}
	})
}

// A large backup may take longer to restore than a call may take.
func TestRestoreTakesItsTime(t *testing.T) {
	t.Parallel()
	from := storetest.Open(t, store.Config{Memory: true})
	fill(t, from)
	var text bytes.Buffer
	if _, err := from.Backup(t.Context(), &text, nil); err != nil {
		t.Fatal(err)
	}
	to := storetest.Open(t, store.Config{Memory: true, Timeout: time.Nanosecond})
	if _, err := to.Restore(t.Context(), bytes.NewReader(text.Bytes()), false, nil); err != nil {
		t.Error(err)
	}
}
