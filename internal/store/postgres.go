package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// This file and postgresscan.go are the only ones that know pgx.

type postgres struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, url string) (*postgres, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		// pgx's own text may carry the password of the URL.
		return nil, errors.New("unreadable PostgreSQL URL")
	}
	// pgx's own default is as many as cores, at least 4.
	if plain, err := pgx.ParseConfig(url); err == nil && plain.RuntimeParams["pool_max_conns"] == "" {
		cfg.MaxConns = 16
	}
	cfg.MaxConnIdleTime = 5 * time.Minute
	cfg.ConnConfig.ConnectTimeout = 10 * time.Second
	cfg.ConnConfig.RuntimeParams["application_name"] = "rollcall"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	e := &postgres{pool}
	if err := e.migrate(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return e, nil
}

func (e *postgres) migrate(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(e.pool)
	defer db.Close()
	locker, err := postgresLocker()
	if err != nil {
		return err
	}
	return migrateUp(ctx, postgresDialect, db, goose.WithLocker(locker))
}

// attempts bounds how often a transaction is repeated.
const attempts = 30

// beginView is one snapshot that nothing can be changed in.
const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

func (e *postgres) view(ctx context.Context, fn func(conn) error) error {
	_, err := e.once(ctx, beginView, fn)
	return err
}

// glance runs one statement without a transaction around it: one round trip
// where there were three. A pooled connection that died is left for the next.
func (e *postgres) glance(ctx context.Context, fn func(conn) error) error {
	for try := int32(0); ; try++ {
		c, err := e.acquire(ctx)
		if err != nil {
			return fmt.Errorf("postgres: connect: %w", err)
		}
		err = fn(c)
		died := c.pooled.Conn().IsClosed()
		c.release()
		if err == nil || !died || c.failed == nil || ctx.Err() != nil || try > e.pool.Config().MaxConns {
			return err
		}
	}
}

// beginUpdate bounds how long a node that stands still in the middle of a
// change, paused or cut off, keeps the rows it touched from all others. Views
// lock nothing, and may wait for whoever reads what they found.
const beginUpdate = "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL idle_in_transaction_session_timeout = '10s'"

func (e *postgres) update(ctx context.Context, fn func(conn) error) error {
	return e.repeat(ctx, beginUpdate, fn)
}

// repeat runs fn in a transaction until it commits, fails for good, or the
// context ends. Only what surely did not commit is repeated.
func (e *postgres) repeat(ctx context.Context, begin string, fn func(conn) error) error {
	for try := 1; ; try++ {
		again, err := e.once(ctx, begin, fn)
		if err == nil || !again || try == attempts || ctx.Err() != nil {
			return err
		}
		// Full jitter, so that those who met once do not meet again.
		limit := min(time.Duration(try)*2*time.Millisecond, 50*time.Millisecond)
		select {
		case <-time.After(rand.N(limit)):
		case <-ctx.Done():
			return err
		}
	}
}

// once runs fn in a transaction. The connection goes back to the pool only
// outside of one: release closes all others.
func (e *postgres) once(ctx context.Context, begin string, fn func(conn) error) (again bool, err error) {
	c, err := e.begin(ctx, begin)
	if err != nil {
		return false, fmt.Errorf("postgres: begin: %w", err)
	}
	defer c.release()
	err = fn(c)
	if c.failed != nil && retryable(c.failed) {
		return true, postgresError(c.failed)
	}
	if err != nil {
		return false, err
	}
	if err := c.commit(); err != nil {
		return retryable(err), postgresError(err)
	}
	return false, nil
}

// begin starts a transaction. A pooled connection may have died since it was
// used last, all of them if the server was restarted; a begin that failed did
// nothing, so it is repeated on the next one. A server that cannot be
// connected to is down: that is for the client to repeat.
func (e *postgres) begin(ctx context.Context, begin string) (*postgresConn, error) {
	for try := int32(0); ; try++ {
		c, err := e.acquire(ctx)
		if err == nil {
			if _, err = c.pooled.Exec(c.work, begin); err == nil {
				return c, nil
			}
			c.release()
		}
		var down *pgconn.ConnectError
		if ctx.Err() != nil || errors.As(err, &down) || try > e.pool.Config().MaxConns {
			return nil, err
		}
	}
}

// acquire takes a connection from the pool. The end of ctx ends the waiting
// for one. What then runs on it is ended by ctx's deadline only: pgx closes a
// connection whose context is cancelled within a statement.
func (e *postgres) acquire(ctx context.Context) (*postgresConn, error) {
	pooled, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	c := &postgresConn{pooled: pooled, work: context.WithoutCancel(ctx), stop: func() {}}
	if at, ok := ctx.Deadline(); ok {
		c.work, c.stop = context.WithDeadline(c.work, at)
	}
	return c, nil
}

// retryable says that the transaction was surely undone and may succeed when
// repeated: serialization failure or deadlock.
func retryable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "40001", "40P01":
			return true
		}
	}
	return false
}

// postgresError turns the engine's codes into the store's errors.
func postgresError(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "23505":
			return fmt.Errorf("%w (%s)", ErrExists, pg.ConstraintName)
		case "23503":
			return fmt.Errorf("%w (%s)", ErrConflict, pg.ConstraintName)
		}
	}
	return fmt.Errorf("postgres: %w", err)
}

func (e *postgres) version() (v walHeader, ok bool) { return v, false }

func (e *postgres) ping(ctx context.Context) error {
	return e.glance(ctx, func(c conn) error {
		_, err := c.exec(ctx, "SELECT 1", nil)
		return err
	})
}

func (e *postgres) close() error {
	e.pool.Close()
	return nil
}

// postgresConn is one transaction, or a connection without one. failed keeps
// the error that broke it, because callers may wrap it or make another of it.
type postgresConn struct {
	pooled *pgxpool.Conn
	failed error
	// work is the context of what runs on the connection, see acquire; stop
	// ends it.
	work context.Context
	stop context.CancelFunc
}

// commit ends the transaction. PostgreSQL answers the COMMIT of one that failed
// before with ROLLBACK.
func (c *postgresConn) commit() error {
	tag, err := c.pooled.Exec(c.work, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// rollbackPatience bounds the end of a transaction that is not wanted.
const rollbackPatience = 5 * time.Second

// release ends a transaction that did not commit, and gives the connection back.
// The pool closes one that is still inside of a transaction.
func (c *postgresConn) release() {
	c.stop()
	if pg := c.pooled.Conn().PgConn(); !pg.IsClosed() && pg.TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackPatience)
		defer cancel()
		c.pooled.Exec(ctx, "ROLLBACK")
	}
	c.pooled.Release()
}

func (c *postgresConn) fail(err error) error {
	if c.failed == nil { // what comes later only says that it is broken
		c.failed = err
	}
	return postgresError(err)
}

// postgresArgs are the arguments of one more statement, which begins only while
// ctx lasts.
func postgresArgs(ctx context.Context, args []any) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]any, len(args))
	for i, arg := range args {
		v, err := plain(arg)
		if err != nil {
			return nil, err
		}
		if b, ok := v.([]byte); ok && b == nil {
			v = []byte{}
		}
		out[i] = v
	}
	return out, nil
}

func (c *postgresConn) exec(ctx context.Context, sql string, args []any) (int64, error) {
	args, err := postgresArgs(ctx, args)
	if err != nil {
		return 0, err
	}
	tag, err := c.pooled.Exec(c.work, sql, args...)
	if err != nil {
		return 0, c.fail(err)
	}
	return tag.RowsAffected(), nil
}

func (c *postgresConn) execMany(ctx context.Context, sql string, args [][]any) error {
	batch := &pgx.Batch{}
	for _, a := range args {
		a, err := postgresArgs(ctx, a)
		if err != nil {
			return err
		}
		batch.Queue(sql, a...)
	}
	if err := c.pooled.SendBatch(c.work, batch).Close(); err != nil {
		return c.fail(err)
	}
	return nil
}

func (c *postgresConn) query(ctx context.Context, sql string, args []any) (rows, error) {
	args, err := postgresArgs(ctx, args)
	if err != nil {
		return nil, err
	}
	r, err := c.pooled.Query(c.work, sql, args...)
	if err != nil {
		return nil, c.fail(err)
	}
	return &postgresRows{c, r}, nil
}

type postgresRows struct {
	c *postgresConn
	r pgx.Rows
}

func (r *postgresRows) next() bool { return r.r.Next() }
func (r *postgresRows) close()     { r.r.Close() }

func (r *postgresRows) err() error {
	if err := r.r.Err(); err != nil {
		return r.c.fail(err)
	}
	return nil
}

func (r *postgresRows) scan(dest ...any) error {
	raw := make([]any, len(dest))
	numbers := make([]int64, len(dest))
	for i, d := range dest {
		switch d.(type) {
		case *string, *[]byte, *int64:
			raw[i] = d
		case *int, *bool, *time.Time:
			raw[i] = &numbers[i]
		default:
			return fmt.Errorf("store: destination of type %T", d)
		}
	}
	if err := r.r.Scan(raw...); err != nil {
		return r.c.fail(err)
	}
	for i, d := range dest {
		switch d := d.(type) {
		case *int:
			*d = int(numbers[i])
		case *bool:
			*d = numbers[i] != 0
		case *time.Time:
			*d = moment(numbers[i])
		}
	}
	return nil
}
