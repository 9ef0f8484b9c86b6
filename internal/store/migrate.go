package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs/mvcc"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"rollcall/internal/ownfile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// steps returns the migrations up to a version, in the SQL of a dialect.
// NUMBER_NAME.ENGINE.sql, if it exists, follows NUMBER_NAME.sql. Each
// transaction begins with guard, which may be nil.
func steps(d dialect, upTo int64, guard func(context.Context, *sql.Tx) error) ([]*goose.Migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []*goose.Migration
	for _, name := range names {
		base := strings.TrimPrefix(name, "migrations/")
		if strings.Count(base, ".") > 1 {
			continue // of an engine
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		own, err := migrations.ReadFile(strings.TrimSuffix(name, "sql") + d.name + ".sql")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		text = append(text, own...)
		version := versionOf(name)
		if version > upTo {
			continue
		}
		ddl := d.schema.Replace(string(text))
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{
			RunTx: func(ctx context.Context, tx *sql.Tx) error {
				if guard != nil {
					if err := guard(ctx, tx); err != nil {
						return err
					}
				}
				_, err := tx.ExecContext(ctx, ddl)
				return err
			},
		}, nil))
	}
	return all, nil
}

// versionOf returns the number at the beginning of a migration's name. Numbers
// may have gaps.
func versionOf(name string) int64 {
	number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic(err) // a test runs all of them
	}
	return version
}

// newestSchema returns the version of the newest migration.
var newestSchema = sync.OnceValue(func() (version int64) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		version = max(version, versionOf(name))
	}
	return version
})

// migrateUp migrates the schema to version knows. It refuses a newer schema.
func migrateUp(ctx context.Context, d dialect, db *sql.DB, knows int64, guard func(context.Context, *sql.Tx) error,
	options ...goose.ProviderOption) error {
	all, err := steps(d, knows, guard)
	if err != nil {
		return err
	}
	kind := goose.DialectSQLite3
	if d.name == "postgres" {
		kind = goose.DialectPostgres
	}
	options = append(options, goose.WithGoMigrations(all...), goose.WithDisableGlobalRegistry(true))
	p, err := goose.NewProvider(kind, db, nil, options...)
	if err != nil {
		return err
	}
	if v, err := p.GetDBVersion(ctx); err == nil && v > knows {
		return newerSchema(v, knows)
	}
	_, err = p.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) && errors.Is(err, ErrOlderRunning) {
		return partial.Err // without the name of the migration
	}
	return err
}

// migrate uses a separate connection. Processes that start on one file at the
// same time take turns with a file lock.
func (e *sqlite) migrate(ctx context.Context, path string, knows int64) error {
	if e.memory != "" {
		return nil
	}
	unlock, err := ownfile.Lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	db, err := driver.Open(e.dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if err := alone(ctx, db, knows); err != nil {
		return err
	}
	return migrateUp(ctx, sqliteDialect, db, knows, nil)
}

// alone returns an error if other processes use a file whose schema has to
// change. The journal's mode can change only while nobody else has the file
// open. The next connection sets the mode again.
func alone(ctx context.Context, db *sql.DB, knows int64) error {
	var version int64
	err := db.QueryRowContext(ctx, schemaQuery).Scan(&version)
	if changes := err == nil && version < knows; !changes {
		return nil // a new file, which has no version, or one with the present schema
	}
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode=delete").Scan(&mode)
	if errors.Is(err, sqlite3.BUSY) || err == nil && mode != "delete" {
		return olderRunning("other processes use the file")
	}
	return err
}

// emptyDatabase is the file of a database with the newest schema and no rows: for
// each page that begins with something, the bytes before its zeros, after their
// place in the file and their number. TestEmptyDatabase compares it with what the
// migrations make, and writes it again with -update.
//
//go:embed empty.db
var emptyDatabase string

// emptySchema is the content that databases in memory start with. They share
// its pages until they change them. The migrations would take a third of the
// time in which 'rollcall dev' starts.
var emptySchema = sync.OnceValue(func() mvcc.Snapshot {
	snapshot := mvcc.NewSnapshot("")
	for rest := emptyDatabase; rest != ""; {
		at, size := binary.LittleEndian.Uint32([]byte(rest[:4])), binary.LittleEndian.Uint32([]byte(rest[4:8]))
		// Reads of the file return zeros after the bytes.
		snapshot.Tree = snapshot.Tree.Put(int64(at), rest[8:8+size])
		rest = rest[8+size:]
	}
	return snapshot
})

// postgresLocker prevents nodes that start together from migrating together. It
// is a table, because CockroachDB has no session advisory locks.
func postgresLocker() (lock.Locker, error) {
	return lock.NewPostgresTableLocker(
		lock.WithTableLockTimeout(100*time.Millisecond, 600), lock.WithTableUnlockTimeout(100*time.Millisecond, 100),
	)
}
