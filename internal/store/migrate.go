package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs/mvcc"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"rollcall/internal/ownfile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// steps returns the migrations in the words of a dialect.
func steps(d dialect) ([]*goose.Migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []*goose.Migration
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimPrefix(name, "migrations/")
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", base, err)
		}
		ddl := d.schema.Replace(string(text))
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{
			RunTx: func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, ddl)
				return err
			},
		}, nil))
	}
	return all, nil
}

// newest is the version of the newest step. Numbers may have gaps.
func newest(steps []*goose.Migration) int64 {
	version := int64(0)
	for _, s := range steps {
		version = max(version, s.Version)
	}
	return version
}

// migrateUp brings the schema up to date and refuses one from the future.
func migrateUp(ctx context.Context, d dialect, db *sql.DB, options ...goose.ProviderOption) error {
	all, err := steps(d)
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
	if v, err := p.GetDBVersion(ctx); err == nil && v > newest(all) {
		return fmt.Errorf("the schema is version %d, newer than version %d which this program knows", v, newest(all))
	}
	_, err = p.Up(ctx)
	return err
}

// migrate works through a connection of its own. Processes that start on one
// file at the same time take turns by a file lock.
func (e *sqlite) migrate(ctx context.Context, path string) error {
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
	return migrateUp(ctx, sqliteDialect, db)
}

// emptyDatabase is the file of a database with the newest schema and no rows.
// TestEmptyDatabase compares it with what the migrations make, and writes it
// again with -update.
//
//go:embed empty.db
var emptyDatabase string

// emptyPage is the size of its pages, SQLite's default.
const emptyPage = 4096

// emptySchema is the content that databases in memory start with. They share
// its pages until they change them. The migrations would take a third of the
// time in which 'rollcall dev' starts.
var emptySchema = sync.OnceValue(func() mvcc.Snapshot {
	snapshot := mvcc.NewSnapshot("")
	for at := 0; at < len(emptyDatabase); at += emptyPage {
		snapshot.Tree = snapshot.Tree.Put(int64(at), emptyDatabase[at:at+emptyPage])
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
