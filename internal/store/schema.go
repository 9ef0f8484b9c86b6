package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Two versions of the program may use one database at the same time only if they
// have the same schema. A version that would change the schema refuses to start
// while an earlier one is running, and a version that finds a newer schema than
// it knows refuses to use it. See decision 036.

var (
	// ErrNewerSchema reports that a later version wrote the data.
	ErrNewerSchema = errors.New("a later version of rollcall wrote the data")
	// ErrOlderRunning reports that the schema cannot change, because an earlier
	// version is using the data.
	ErrOlderRunning = errors.New("an earlier version of rollcall is using the data")
)

func newerSchema(found, knows int64) error {
	return fmt.Errorf("%w: it has schema %d, and this version knows schemas up to %d; start that later version, or "+
		"restore a backup from before the upgrade into an empty store", ErrNewerSchema, found, knows)
}

func olderRunning(who string) error {
	return fmt.Errorf("%w: %s; stop all of them, and then start this version, which will change the schema",
		ErrOlderRunning, who)
}

// schemaQuery reads the version of the schema.
const schemaQuery = "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version"

// nodeName returns the name of a process for others. It begins with the newest
// schema that the process knows.
func nodeName(knows int64, random string) string {
	return strconv.FormatInt(knows, 10) + "-" + strings.ToLower(random)
}

// knownBy returns the newest schema that a node knows. The first versions have
// names without it.
func knownBy(node string) int64 {
	number, _, found := strings.Cut(node, "-")
	knows, err := strconv.ParseInt(number, 10, 64)
	if !found || err != nil {
		return 0
	}
	return knows
}

// guard runs at the beginning of each migration on PostgreSQL. It fails while a
// node that knows only an earlier schema is connected. Such a node that connects
// now waits for the lock until it can see the new schema.
func (e *postgres) guard(ctx context.Context, tx *sql.Tx) error {
	// Servers that only speak the same protocol may have neither of these.
	if _, err := tx.ExecContext(ctx, "SAVEPOINT guard"); err != nil {
		return err
	}
	older, err := e.olderConnected(ctx, tx)
	// The server notices the end of a process a moment later.
	for start := time.Now(); err == nil && older > 0 && time.Since(start) < partingPatience; {
		time.Sleep(partingPatience / 20)
		if _, err = tx.ExecContext(ctx, "SELECT pg_stat_clear_snapshot()"); err == nil {
			older, err = e.olderConnected(ctx, tx)
		}
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		older = 0
		_, err = tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT guard")
	}
	if err != nil {
		return err
	}
	switch older {
	case 0:
		return nil
	case 1:
		return olderRunning("1 process of it is connected to the database")
	}
	return olderRunning(fmt.Sprintf("%d processes of it are connected to the database", older))
}

// partingPatience is the time for which a process of an earlier version may
// still seem to be connected after it has ended.
const partingPatience = time.Second

// olderConnected returns the number of connected processes that know only an
// earlier schema.
func (e *postgres) olderConnected(ctx context.Context, tx *sql.Tx) (older int, err error) {
	nodes, err := e.connected(ctx, tx)
	for _, node := range nodes {
		if knownBy(node) < e.knows {
			older++
		}
	}
	return older, err
}

func (e *postgres) connected(ctx context.Context, tx *sql.Tx) (nodes []string, err error) {
	if _, err := tx.ExecContext(ctx, "LOCK TABLE goose_db_version IN ACCESS EXCLUSIVE MODE"); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT application_name FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE $1`, applicationName+"%")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		nodes = append(nodes, strings.TrimPrefix(name, applicationName))
	}
	return nodes, rows.Err()
}

// sameSchema checks a new connection to PostgreSQL, because a later version may
// have changed the schema while this process was not connected.
func (e *postgres) sameSchema(ctx context.Context, c *pgx.Conn) error {
	if !e.migrated.Load() {
		return nil
	}
	var version int64
	if err := c.QueryRow(ctx, schemaQuery).Scan(&version); err != nil {
		return err
	}
	if version > e.knows {
		return newerSchema(version, e.knows)
	}
	return nil
}

// sameSchema checks the file once it is open, because another process may have
// changed the schema just before that.
func (e *sqlite) sameSchema(ctx context.Context, knows int64) error {
	if e.memory != "" {
		return nil
	}
	var version int64
	err := e.view(ctx, func(c conn) error {
		r, err := c.query(ctx, schemaQuery, nil)
		if err != nil {
			return err
		}
		return only(r, []any{&version})
	})
	if err == nil && version > knows {
		return newerSchema(version, knows)
	}
	return err
}
