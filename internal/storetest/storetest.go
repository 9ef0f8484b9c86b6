// Package storetest opens real databases for tests: SQLite in a temporary
// directory, and PostgreSQL on a server that the test command starts. A test
// for both is written once, with Each. Nothing here skips: without PostgreSQL
// the test fails and says what to install.
package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"rollcall/internal/store"
)

// Variable is the environment variable that names the test server.
const Variable = "ROLLCALL_TEST_POSTGRES"

// Each runs a test once on every engine, each time on an empty database.
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, cfg store.Config) { test(t, Open(t, cfg)) })
}

// EachConfig is Each for tests that open the database themselves, perhaps
// several times.
func EachConfig(t *testing.T, test func(t *testing.T, cfg store.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("memory", func(t *testing.T) { test(t, store.Config{Memory: true}) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// Open opens a database until the end of the test.
func Open(t testing.TB, cfg store.Config) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return db
}

// SQLite returns the path of a new SQLite file, which has been migrated already.
func SQLite(t testing.TB) store.Config {
	t.Helper()
	migrated, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rollcall.db")
	if err := os.WriteFile(path, migrated, 0o600); err != nil {
		t.Fatal(err)
	}
	return store.Config{Path: path}
}

// migratedFile returns the content of an SQLite file without rows. Creating one
// with the migrations takes longer than many tests.
var migratedFile = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "rollcall-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rollcall.db")
	db, err := store.Open(context.Background(), store.Config{Path: path})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Postgres gives a test its own empty PostgreSQL database. A test must not
// change the schema, because the database is emptied and used again.
func Postgres(t testing.TB) store.Config {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		t.Fatalf("%s is not set: run the tests with 'make test', or 'go run ./internal/storetest/withpostgres go "+
			"test …'", Variable)
	}
	ctx := context.Background()
	if err := makeTemplate(server); err != nil {
		t.Fatal(err)
	}
	d, err := databases.take(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := databases.giveBack(ctx, d); err != nil {
			t.Error(err)
		}
	})
	return store.Config{URL: d.url()}
}

// template is migrated once per test program, so that a test's own database is
// a copy and needs no migration.
var template = "template_" + strings.ToLower(rand.Text())

var templateOnce sync.Once

func makeTemplate(server string) (err error) {
	templateOnce.Do(func() {
		ctx := context.Background()
		if err = administer(ctx, server, "CREATE DATABASE "+template); err != nil {
			return
		}
		var db *store.DB
		if db, err = store.Open(ctx, store.Config{URL: database(server, template)}); err == nil {
			err = db.Close()
		}
	})
	return err
}

func database(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err)
	}
	u.Path = "/" + name
	return u.String()
}

func administer(ctx context.Context, server, sql string) error {
	cfg, err := pgx.ParseConfig(server)
	if err != nil {
		return err
	}
	cfg.OnNotice = func(*pgconn.PgConn, *pgconn.Notice) {}
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	_, err = c.Exec(ctx, sql)
	return err
}
