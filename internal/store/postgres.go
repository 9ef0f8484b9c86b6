package store

import (
	"cmp"
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

type postgres struct {
	pool  *pgxpool.Pool
	turns postgresTurns
	watch *postgresWatch
	// patience bounds how long the store tries to find out the fate of a
	// commit; see lost.
	patience time.Duration
	// checkIdle is the time for which a connection may be idle before it is
	// asked whether it is alive.
	checkIdle time.Duration
}

func openPostgres(ctx context.Context, c Config, node string) (*postgres, error) {
	links := &links{open: map[*link]bool{}, silence: c.Timeout}
	cfg, err := postgresConfig(c.URL, c, links)
	if err != nil {
		return nil, err
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = applicationName + node
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	e := &postgres{pool: pool, patience: findOutPatience, checkIdle: checkIdle}
	if err := e.migrate(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	e.turns.init(e, e.locksTables(ctx))
	e.watch = startPostgresWatch(cfg.ConnConfig, links, pool.Reset)
	return e, nil
}

func (e *postgres) migrate(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(e.pool)
	defer func() { _ = db.Close() }()
	locker, err := postgresLocker()
	if err != nil {
		return err
	}
	return migrateUp(ctx, postgresDialect, db, goose.WithLocker(locker))
}

// locksTables says whether a table can be locked: CockroachDB has no LOCK.
func (e *postgres) locksTables(ctx context.Context) bool {
	_, err := e.once(ctx, beginUpdate, func(c conn) error {
		_, err := c.exec(ctx, "LOCK TABLE turns_0 IN EXCLUSIVE MODE", nil)
		return err
	})
	return err == nil
}

// beginView begins a snapshot in which nothing can be changed.
const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// view repeats a transaction that broke before it had read anything.
func (e *postgres) view(ctx context.Context, fn func(conn) error) error {
	return e.repeat(ctx, beginView, fn)
}

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

// beginUpdate bounds how long a node that stops in the middle of a change,
// paused or cut off, keeps the rows that it touched, and its turn, from all
// others: half of the time of a call. Views lock nothing, and may wait for the
// reader of their results. A full read of a table would conflict with every
// change to it, so small tables are read by their keys, too.
const beginUpdate = `BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL idle_in_transaction_session_timeout = '5s';
	SET LOCAL enable_seqscan = off`

func (e *postgres) update(ctx context.Context, fn func(conn) error) error {
	if account := accountOf(ctx); account != "" && !patient(ctx) {
		return e.turns.of(account).update(ctx, fn)
	}
	return e.repeat(ctx, beginUpdate, fn)
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

// pause waits before a transaction is repeated, for a random time, so that
// transactions that met once do not meet again.
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
		return begin != beginView || !c.answered, c.explain(c.failed)
	}
	if err != nil {
		return false, err
	}
	err = c.commit()
	if err == nil || begin == beginView && c.pooled.Conn().IsClosed() {
		return false, nil // what a view has read is valid, whatever its end
	}
	return e.lost(ctx, c, err)
}

// begin starts a transaction. A pooled connection may have died since its last
// use, or all of them if the server was restarted. A begin that failed did
// nothing, so it is repeated on the next one. If the server cannot be connected
// to, it is down, and the client has to repeat.
func (e *postgres) begin(ctx context.Context, begin string) (*postgresConn, error) {
	for try := int32(0); ; try++ {
		c, err := e.acquire(ctx)
		if err == nil {
			step, done := c.step()
			_, err = c.pooled.Exec(step, begin)
			if done(); err == nil {
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

// acquire takes a connection from the pool. The end of ctx ends the wait for
// one. Only ctx's deadline ends what then runs on it, because pgx closes a
// connection whose context is cancelled within a statement.
func (e *postgres) acquire(ctx context.Context) (*postgresConn, error) {
	pooled, err := e.alive(ctx)
	if err != nil {
		return nil, err
	}
	c := &postgresConn{pooled: pooled}
	c.work, c.stop = untilDeadline(ctx)
	c.limit, _ = ctx.Value(patienceContext{}).(time.Duration)
	return c, nil
}

// untilDeadline is ctx without any end except its deadline.
func untilDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	at, ok := ctx.Deadline()
	if ctx = context.WithoutCancel(ctx); !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, at)
}

// Connections that were idle for longer than checkIdle are asked whether they
// are alive, and have checkPatience to answer.
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

// ask asks a connection whether it is alive. A caller that leaves meanwhile
// says nothing about that.
func ask(ctx context.Context, pooled *pgxpool.Conn) error {
	ctx, stop := untilDeadline(ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	return pooled.Ping(ctx)
}

// giveBack returns a connection to the pool, if others can use it. The pool
// itself would keep the place of a dead one for as long as its server takes to
// say goodbye.
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

// postgresConn is one transaction, or a connection without one. failed keeps
// the error that broke it, because callers may wrap it or replace it.
type postgresConn struct {
	pooled *pgxpool.Conn
	failed error
	// answered says that a statement was answered.
	answered bool
	// ahead are statements that travel with the next one.
	ahead []statement
	// left are the last statements; see leave.
	left []statement
	// work is the context of what runs on the connection, see acquire; stop
	// ends it.
	work context.Context
	stop context.CancelFunc
	// limit bounds each statement, if it is not 0; see Patiently.
	limit time.Duration
}

// step returns the context of one statement.
func (c *postgresConn) step() (context.Context, context.CancelFunc) {
	if c.limit <= 0 {
		return c.work, func() {}
	}
	return context.WithTimeout(c.work, c.limit)
}

// rollbackPatience bounds the end of a transaction that is not wanted.
const rollbackPatience = 5 * time.Second

// release ends a transaction that did not commit, and gives the connection
// back. The pool closes one that is still inside of a transaction.
func (c *postgresConn) release() {
	c.stop()
	if pg := c.pooled.Conn().PgConn(); !pg.IsClosed() && pg.TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackPatience)
		defer cancel()
		_, _ = c.pooled.Exec(ctx, "ROLLBACK")
	}
	giveBack(c.pooled)
}

func (c *postgresConn) fail(err error) error {
	if c.failed == nil { // later errors only say that it is broken
		c.failed = err
	}
	return c.explain(err)
}

// postgresArgs holds the arguments of one more statement, which begins only
// while ctx lasts.
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
	step, done := c.step()
	defer done()
	var tag pgconn.CommandTag
	if len(c.ahead) == 0 {
		tag, err = c.pooled.Exec(step, sql, args...)
	} else {
		results, _ := c.send(step, sql, args)
		tag, err = results.Exec()
		err = cmp.Or(results.Close(), err)
	}
	if err != nil {
		return 0, c.fail(err)
	}
	c.answered = true
	return tag.RowsAffected(), nil
}

// send sends a statement behind those that travel with it. before is the number
// of rows that the last of them changed.
func (c *postgresConn) send(ctx context.Context, sql string, args []any) (results pgx.BatchResults, before int64) {
	batch := &pgx.Batch{}
	c.queueAhead(batch)
	batch.Queue(sql, args...)
	results = c.pooled.SendBatch(ctx, batch)
	for range batch.Len() - 1 {
		tag, _ := results.Exec() // if it fails, so does the last
		before = tag.RowsAffected()
	}
	c.ahead = c.ahead[:0]
	return results, before
}

// queueAhead puts into a batch what travels with it.
func (c *postgresConn) queueAhead(batch *pgx.Batch) {
	for _, before := range c.ahead {
		batch.Queue(before.sql, before.args...)
	}
}

func (c *postgresConn) execMany(ctx context.Context, sql string, args [][]any) error {
	batch := &pgx.Batch{}
	c.queueAhead(batch)
	for _, a := range args {
		a, err := postgresArgs(ctx, a)
		if err != nil {
			return err
		}
		batch.Queue(sql, a...)
	}
	c.ahead = c.ahead[:0]
	step, done := c.step()
	defer done()
	if err := c.pooled.SendBatch(step, batch).Close(); err != nil {
		return c.fail(err)
	}
	c.answered = true
	return nil
}

func (c *postgresConn) query(ctx context.Context, sql string, args []any) (rows, error) {
	args, err := postgresArgs(ctx, args)
	if err != nil {
		return nil, err
	}
	rows, _, err := c.open(sql, args)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func (c *postgresConn) queryAfter(ctx context.Context, insert statement, sql string, args []any) (rows, error) {
	first, err := postgresArgs(ctx, insert.args)
	if err != nil {
		return nil, err
	}
	if args, err = postgresArgs(ctx, args); err != nil {
		return nil, err
	}
	c.ahead = append(c.ahead, statement{insert.sql, first})
	rows, inserted, err := c.open(sql, args)
	if err == nil && inserted == 0 {
		rows.close()
		// If the insert failed, the rows say so.
		err = cmp.Or(rows.err(), ErrExists)
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// open begins a query. before is the result of send for the statements before
// it.
func (c *postgresConn) open(sql string, args []any) (rows *postgresRows, before int64, err error) {
	step, done := c.step()
	rows = &postgresRows{c: c, done: done}
	if len(c.ahead) == 0 {
		rows.r, err = c.pooled.Query(step, sql, args...)
	} else {
		rows.batch, before = c.send(step, sql, args)
		rows.r, err = rows.batch.Query()
	}
	if err != nil {
		rows.close()
		return nil, 0, c.fail(err)
	}
	return rows, before, nil
}

type postgresRows struct {
	c     *postgresConn
	r     pgx.Rows
	batch pgx.BatchResults // nil if the query came alone
	done  context.CancelFunc
}

func (r *postgresRows) next() bool {
	more := r.r.Next()
	r.c.answered = r.c.answered || more
	return more
}

func (r *postgresRows) close() {
	r.r.Close()
	if r.batch != nil {
		_ = r.batch.Close()
	}
	r.done()
}

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
