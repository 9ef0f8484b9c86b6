package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// pool keeps unused databases. Creating one takes as long as most tests do
// together. Emptying one does not.
type pool struct {
	mu   sync.Mutex
	free []*testDatabase
}

var databases pool

// testDatabase is a database with the connection that empties it. A new
// connection would first have to read what PostgreSQL knows of every table.
type testDatabase struct {
	server, name string
	own          *pgx.Conn // nil before the first use
}

func (d *testDatabase) url() string { return database(d.server, d.name) }

// take returns an empty database.
func (p *pool) take(ctx context.Context, server string) (*testDatabase, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		d := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return d, nil
	}
	p.mu.Unlock()
	d := &testDatabase{server: server, name: "test_" + strings.ToLower(rand.Text())}
	// Without fsync a copy of the files is several times as fast as the log of
	// every block.
	return d, administer(ctx, server,
		fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY FILE_COPY", d.name, template))
}

// maxKept is the size in bytes above which a database is dropped. An emptied
// one would keep the space and the plans of its former content.
const maxKept = 32 << 20

// giveBack empties a database for the next test, or drops it.
func (p *pool) giveBack(ctx context.Context, d *testDatabase) error {
	size, err := d.empty(ctx)
	if err != nil || size > maxKept {
		_ = d.own.Close(ctx)
		dropped := administer(ctx, d.server, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", d.name))
		if dropped != nil {
			return dropped
		}
		return err
	}
	p.mu.Lock()
	p.free = append(p.free, d)
	p.mu.Unlock()
	return nil
}

// connect connects to the database, again if a test ended the connection.
func (d *testDatabase) connect(ctx context.Context) (err error) {
	if d.own == nil || d.own.Ping(ctx) != nil {
		d.own, err = pgx.Connect(ctx, d.url())
	}
	return err
}

// empty deletes every row, once every other connection is closed: a test may have
// killed the process that was connected.
func (d *testDatabase) empty(ctx context.Context) (size int64, err error) {
	if err := d.connect(ctx); err != nil {
		return 0, err
	}
	c := d.own
	for others := 1; others > 0; time.Sleep(time.Millisecond) {
		err := c.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&others)
		if err != nil {
			return 0, err
		}
	}
	rows, err := c.Query(ctx, `SELECT format('DELETE FROM %I;', tablename) FROM pg_tables
		WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%'`)
	if err != nil {
		return 0, err
	}
	deletes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, err
	}
	// Without checks of the foreign keys, as in a replica.
	all := "SET session_replication_role = replica;" + strings.Join(deletes, "")
	if _, err := c.PgConn().Exec(ctx, all).ReadAll(); err != nil {
		return 0, err
	}
	return size, c.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&size)
}
