package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func (c *postgresConn) leave(ctx context.Context, sql string, args []any) error {
	args, err := postgresArgs(ctx, args)
	if err == nil {
		c.left = append(c.left, statement{sql, args})
	}
	return err
}

// commit ends the transaction. The statements of leave travel with it.
// PostgreSQL answers the COMMIT of a transaction that failed before with
// ROLLBACK.
func (c *postgresConn) commit() error {
	if err := c.work.Err(); err != nil {
		return fmt.Errorf("%w: %w", errNotSent, err)
	}
	batch := &pgx.Batch{}
	for _, last := range c.left {
		batch.Queue(last.sql, last.args...)
	}
	batch.Queue("COMMIT")
	results := c.pooled.SendBatch(c.work, batch)
	var tag pgconn.CommandTag
	var err error
	for i := 0; i < batch.Len() && err == nil; i++ {
		tag, err = results.Exec()
	}
	closed := results.Close()
	var preparing pgx.ErrPreprocessingBatch
	switch {
	case errors.As(err, &preparing) && c.pooled.Conn().IsClosed():
		return fmt.Errorf("%w: %w", errNotSent, err)
	case err != nil:
		return err
	case tag.String() == "COMMIT":
		return nil // whatever then happened to the connection
	case closed != nil:
		return closed
	}
	return pgx.ErrTxCommitRollback
}

// errNotSent reports that a COMMIT was not sent.
var errNotSent = errors.New("postgres: ended before the commit")

// uncertain reports that a COMMIT was sent, and that its error does not tell
// its result. The server's own errors do, except when an administrator ends a
// session that waits for a replica.
func uncertain(err error) bool {
	c := code(err)
	known := c != "" && !strings.HasPrefix(c, "57") || errors.Is(err, errNotSent) ||
		errors.Is(err, pgx.ErrTxCommitRollback)
	return !known && !uncommitted(err) && !pgconn.SafeToRetry(err)
}

// findOutPatience limits the time for finding out the fate of a commit.
const findOutPatience = 10 * time.Second

// lost finds out the fate of a transaction whose COMMIT failed. It returns no
// error if the transaction was committed. again says that it certainly was not,
// and may succeed when it is repeated.
//
// If it was, the row that it left is there. If the row is missing, another row
// takes its place and says so. A COMMIT that is still on its way, or in the
// queue of a paused server, then fails. The insertion of that row waits for a
// transaction that holds the place.
func (e *postgres) lost(ctx context.Context, c *postgresConn, cause error) (again bool, err error) {
	if !uncertain(cause) {
		return uncommitted(cause) || errors.Is(cause, errNotSent), c.explain(cause)
	}
	unknown := fmt.Errorf("%w: %w", ErrUnknown, c.explain(cause))
	if len(c.left) == 0 {
		return false, unknown
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.patience)
	defer cancel()
	for {
		committed, err := e.fence(ctx, c.left[0])
		switch {
		case err == nil && committed:
			return false, nil
		case err == nil:
			return true, c.explain(cause)
		case ctx.Err() != nil:
			return false, unknown
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// fence looks for the row that a transaction left, and if it is missing inserts
// one in its place, so that the transaction never commits. It writes in either
// case: when the client of a COMMIT that waits for a replica goes away, the
// server shows the change although no replica may have it. The commit of fence
// comes after it, and waits for the replica in its place.
func (e *postgres) fence(ctx context.Context, left statement) (committed bool, err error) {
	err = e.glance(ctx, func(c conn) error {
		args := append([]any{}, left.args...)
		args[len(args)-1] = ""
		r, err := c.query(ctx, left.sql+` ON CONFLICT (event_id, seq) DO UPDATE SET seq = outbox.seq
			RETURNING record`, args)
		if err != nil {
			return err
		}
		defer r.close()
		var record string
		for r.next() {
			if err := r.scan(&record); err != nil {
				return err
			}
		}
		committed = record != ""
		return r.err()
	})
	return committed, err
}

// applicationName begins the name of a node's connections.
const applicationName = "rollcall/"

// living returns the nodes that have a connection.
func (e *postgres) living(ctx context.Context) (map[string]bool, error) {
	nodes := map[string]bool{}
	err := e.glance(ctx, func(c conn) error {
		r, err := c.query(ctx, `SELECT DISTINCT application_name FROM pg_stat_activity 
			WHERE datname = current_database() AND application_name LIKE $1`, []any{applicationName + "%"})
		if err != nil {
			return err
		}
		defer r.close()
		for r.next() {
			var name string
			if err := r.scan(&name); err != nil {
				return err
			}
			nodes[strings.TrimPrefix(name, applicationName)] = true
		}
		return r.err()
	})
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return nil, nil // a server without that view
	}
	return nodes, err
}

// aside runs each statement as a separate transaction that is not serializable.
func (e *postgres) aside(ctx context.Context, fn func(conn) error) error { return e.glance(ctx, fn) }
