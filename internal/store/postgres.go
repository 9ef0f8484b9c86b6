package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// This file and postgresscan.go are the only ones that use pgx.

type postgres struct {
	pool  *pgxpool.Pool
	turns postgresTurns
	watch *postgresWatch
	// patience limits the time for finding out the fate of a commit; see lost.
	patience time.Duration
	// checkIdle is the time for which a connection may be idle before it is
	// asked whether it is alive.
	checkIdle time.Duration
	// knows is the newest schema that this program knows. The database has this
	// schema once migrated is set.
	knows    int64
	migrated atomic.Bool
}

// openPostgres also returns dialect.state. connected is called for each connection
// before it is used.
func openPostgres(ctx context.Context, c Config, node string, connected func()) (*postgres, string, error) {
	links := &links{open: map[*link]bool{}, silence: c.Timeout}
	cfg, err := postgresConfig(c.URL, c, links)
	if err != nil {
		return nil, "", err
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = applicationName + node
	e := &postgres{patience: findOutPatience, checkIdle: checkIdle, knows: c.knows}
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		connected()
		if err := planByKeys(ctx, c); err != nil {
			return err
		}
		return e.sameSchema(ctx, c)
	}
	if e.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, "", err
	}
	if err := e.migrate(ctx); err != nil {
		e.pool.Close()
		return nil, "", err
	}
	e.migrated.Store(true)
	e.turns.init(e, e.locksTables(ctx))
	e.watch = startPostgresWatch(cfg.ConnConfig, links, e.pool.Reset)
	return e, e.stateSQL(ctx), nil
}

// planByKeys makes the planner find rows by their keys, however few there are.
// A full read of a table would conflict with every change to it. A plan also
// outlives the size of the table that it is for, until the server counts the rows
// again: what was written in the meantime would be read again and again. Plans that
// have no other way have enormous costs then, for which the server would compile
// them.
func planByKeys(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SET enable_seqscan = off; SET jit = off", pgx.QueryExecModeSimpleProtocol)
	if code(err) == "42704" { // the server has no such settings
		return nil
	}
	return err
}

func (e *postgres) migrate(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(e.pool)
	defer func() { _ = db.Close() }()
	locker, err := postgresLocker()
	if err != nil {
		return err
	}
	return migrateUp(ctx, postgresDialect, db, e.knows, e.guard, goose.WithLocker(locker))
}

// locksTables says whether a table can be locked: CockroachDB has no LOCK.
func (e *postgres) locksTables(ctx context.Context) bool {
	_, err := e.once(ctx, beginUpdate, func(c conn) error {
		_, err := c.exec(ctx, "LOCK TABLE turns_0 IN EXCLUSIVE MODE", nil)
		return err
	})
	return err == nil
}

// beginView begins a read-only snapshot.
const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// view repeats a transaction that broke before it had read anything.
func (e *postgres) view(ctx context.Context, fn func(conn) error) error {
	return e.repeat(ctx, beginView, fn)
}

// beginSettled begins a snapshot that is part of a serial order: PostgreSQL
// waits for the transactions that might contradict it ("safe snapshot").
const beginSettled = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"

// settled waits in its first statement. A server without such snapshots refuses
// to begin.
func (e *postgres) settled(ctx context.Context, patience time.Duration, fn func(conn) error) error {
	waited := false
	err := e.repeat(ctx, beginSettled, func(c conn) error {
		waited = false
		for _, sql := range []string{
			fmt.Sprintf("SET LOCAL statement_timeout = %d", patience.Milliseconds()), "SELECT 1",
			"SET LOCAL statement_timeout = 0",
		} {
			if _, err := c.exec(ctx, sql, nil); err != nil {
				return err
			}
		}
		waited = true
		return fn(c)
	})
	if c := code(err); !waited && (c == "57014" || c == "0A000" || c == "42601") {
		err = fmt.Errorf("%w: %w", ErrUnsettled, err)
	}
	return err
}

// reads says whether a transaction begins as one that changes nothing.
func reads(begin string) bool { return begin == beginView || begin == beginSettled }

// glance runs one statement without a transaction around it: one round trip
// instead of three. A dead pooled connection is skipped for the next one.
func (e *postgres) glance(ctx context.Context, fn func(conn) error) error {
	for try := int32(0); ; try++ {
		c, err := e.acquire(ctx)
		if err != nil {
			return unavailable("connect", err)
		}
		err = fn(c)
		died := c.pooled.Conn().IsClosed()
		c.release()
		if err == nil || !died || c.failed == nil || ctx.Err() != nil || try > e.pool.Config().MaxConns {
			return err
		}
	}
}

// beginUpdate limits how long a node that stops in the middle of a change,
// paused or cut off, blocks others by the rows that it touched and by its turn:
// half of the time of a call. Views lock nothing, and may wait for the reader
// of their results.
const beginUpdate = `BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL idle_in_transaction_session_timeout = '5s'`

func (e *postgres) update(ctx context.Context, fn func(conn) error) error {
	if account := accountOf(ctx); account != "" && !patient(ctx) {
		return e.turns.of(account).update(ctx, fn)
	}
	return e.repeat(ctx, beginUpdate, fn)
}

// updateSoon commits without waiting for the disk. Each later commit that waits
// for it makes this one durable too (PostgreSQL, asynchronous commit).
func (e *postgres) updateSoon(ctx context.Context, fn func(conn) error) error {
	return e.repeat(ctx, beginUpdate+"; SET LOCAL synchronous_commit = off", fn)
}

// repeat runs fn in a transaction until it commits, fails for good, or the
// context ends. It repeats only what certainly did not commit.
func (e *postgres) repeat(ctx context.Context, begin string, fn func(conn) error) error {
	for try := 1; ; try++ {
		again, err := e.once(ctx, begin, fn)
		if err == nil || !again {
			return err
		}
		if pause(ctx, try); ctx.Err() != nil {
			return whyEnded(ctx.Err(), err)
		}
	}
}

// pause waits for a random time before a transaction is repeated, so that
// transactions that collided do not collide again.
func pause(ctx context.Context, try int) {
	limit := min(time.Duration(try)*2*time.Millisecond, 50*time.Millisecond)
	select {
	case <-time.After(rand.N(limit)):
	case <-ctx.Done():
	}
}

// once runs fn in a transaction. The connection returns to the pool only
// outside of one: release closes all others.
func (e *postgres) once(ctx context.Context, begin string, fn func(conn) error) (again bool, err error) {
	c, err := e.begin(ctx, begin)
	if err != nil {
		return false, unavailable("begin", err)
	}
	defer c.release()
	err = fn(c)
	if c.undone() {
		return !reads(begin) || !c.answered, c.explain(c.failed)
	}
	if err != nil {
		return false, err
	}
	if c.unbegun() {
		return false, nil
	}
	err = c.commit()
	if err == nil || reads(begin) && c.pooled.Conn().IsClosed() {
		return false, nil // what a view has read is valid, whatever its end
	}
	return e.lost(ctx, c, err)
}

// begin starts a transaction. A pooled connection may have died since its last
// use, or all of them if the server was restarted. A begin that failed did
// nothing, so it is repeated on the next one. If the server cannot be connected
// to, it is down, and the client has to repeat.
//
// The BEGIN of a view travels with its first statement, whose failure repeat
// repeats.
func (e *postgres) begin(ctx context.Context, begin string) (*postgresConn, error) {
	for try := int32(0); ; try++ {
		c, err := e.acquire(ctx)
		if err == nil && begin == beginView {
			c.ahead = []statement{{sql: beginView}}
			return c, nil
		}
		if err == nil {
			step, done := c.step()
			_, err = c.pooled.Exec(step, begin)
			if done(); err == nil {
				return c, nil
			}
			c.release()
		}
		var down *pgconn.ConnectError
		if ctx.Err() != nil || errors.As(err, &down) || errors.Is(err, ErrNewerSchema) || try > e.pool.Config().MaxConns {
			return nil, err
		}
	}
}

// acquire takes a connection from the pool. The end of ctx ends the wait for
// one. Statements on the connection only end at ctx's deadline, because pgx
// closes a connection whose context is cancelled within a statement.
func (e *postgres) acquire(ctx context.Context) (*postgresConn, error) {
	pooled, err := e.alive(ctx)
	if err != nil {
		return nil, err
	}
	c := &postgresConn{engine: e, pooled: pooled}
	c.work, c.stop = untilDeadline(ctx)
	c.limit, _ = ctx.Value(patienceContext{}).(time.Duration)
	return c, nil
}

// untilDeadline returns a context that only ends at ctx's deadline.
func untilDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	at, ok := ctx.Deadline()
	if ctx = context.WithoutCancel(ctx); !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, at)
}

// Connections that were idle for longer than checkIdle are checked, and have
// checkPatience to answer.
const (
	checkIdle     = time.Second
	checkPatience = 2 * time.Second
)

// released is the key under which a connection stores the time of its last use.
const released = "rollcall.released"

// alive takes a connection from the pool that answers.
func (e *postgres) alive(ctx context.Context) (*pgxpool.Conn, error) {
	for try := int32(0); ; try++ {
		pooled, err := e.pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		at, used := pooled.Conn().PgConn().CustomData()[released].(time.Time)
		if !used || time.Since(at) < e.checkIdle {
			return pooled, nil
		}
		if err = ask(ctx, pooled); err == nil {
			return pooled, nil
		}
		giveBack(pooled)
		if ctx.Err() != nil || try > e.pool.Config().MaxConns {
			return nil, err
		}
	}
}

// ask checks whether a connection is alive. If the caller leaves in the
// meantime, the result is unknown.
func ask(ctx context.Context, pooled *pgxpool.Conn) error {
	ctx, stop := untilDeadline(ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	return pooled.Ping(ctx)
}

// giveBack returns a connection to the pool if others can use it. The pool
// itself would keep the place of a dead connection until its server ends it.
func giveBack(pooled *pgxpool.Conn) {
	pg := pooled.Conn().PgConn()
	if pg.IsClosed() || pg.IsBusy() || pg.TxStatus() != 'I' {
		pooled.Hijack()
		pg.Conn().Close()
		return
	}
	pg.CustomData()[released] = time.Now()
	pooled.Release()
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
	e.watch.stop()
	e.pool.Close()
	return nil
}
