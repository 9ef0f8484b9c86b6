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
	free []string
}

var databases pool

// take returns an empty database.
func (p *pool) take(ctx context.Context, server string) (string, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		name := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return name, nil
	}
	p.mu.Unlock()
	name := "test_" + strings.ToLower(rand.Text())
	// Without fsync a copy of the files is several times as fast as the log of
	// every block.
	return name, administer(ctx, server,
		fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY FILE_COPY", name, template))
}

// maxKept is the size in bytes above which a database is dropped. An emptied
// one would keep the space and the plans of its former content.
const maxKept = 32 << 20

// giveBack empties a database for the next test, or drops it.
func (p *pool) giveBack(ctx context.Context, server, name string) error {
	size, err := empty(ctx, database(server, name))
	if err != nil || size > maxKept {
		if dropped := administer(ctx, server, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); dropped != nil {
			return dropped
		}
		return err
	}
	p.mu.Lock()
	p.free = append(p.free, name)
	p.mu.Unlock()
	return nil
}

// empty deletes every row, once every remaining connection is closed: a test
// may have killed the process that was connected.
func empty(ctx context.Context, url string) (size int64, err error) {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close(ctx) }()
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
