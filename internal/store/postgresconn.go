package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresConn is one transaction, or a connection without one. failed keeps
// the error that broke it, because callers may wrap it or replace it.
type postgresConn struct {
	engine *postgres
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

// rollbackPatience limits the time for ending an unwanted transaction.
const rollbackPatience = 5 * time.Second

// release ends a transaction that did not commit, and returns the connection.
// The pool closes a connection that is still inside of a transaction.
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

// send sends a statement after those that travel with it. before is the number
// of rows that the last of them changed.
func (c *postgresConn) send(ctx context.Context, sql string, args []any) (results pgx.BatchResults, before int64) {
	batch := &pgx.Batch{}
	c.queueAhead(batch)
	batch.Queue(sql, args...)
	results = c.pooled.SendBatch(ctx, batch)
	for range batch.Len() - 1 {
		tag, _ := results.Exec() // if it fails, the last one fails too
		before = tag.RowsAffected()
	}
	c.ahead = c.ahead[:0]
	return results, before
}

// unbegun says that the BEGIN of a view has not been sent yet.
func (c *postgresConn) unbegun() bool { return len(c.ahead) == 1 && c.ahead[0].sql == beginView }

// start sends the BEGIN of a view, if it has not been sent yet.
func (c *postgresConn) start() error {
	if !c.unbegun() {
		return nil
	}
	c.ahead = c.ahead[:0]
	step, done := c.step()
	defer done()
	if _, err := c.pooled.Exec(step, beginView); err != nil {
		return c.fail(err)
	}
	return nil
}

// queueAhead adds the statements that travel with a batch.
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

func (c *postgresConn) queryEach(ctx context.Context, all []statement, fn func(rows) error) error {
	batch := &pgx.Batch{}
	c.queueAhead(batch)
	for _, s := range all {
		args, err := postgresArgs(ctx, s.args)
		if err != nil {
			return err
		}
		batch.Queue(s.sql, args...)
	}
	ahead := len(c.ahead)
	c.ahead = c.ahead[:0]
	step, done := c.step()
	defer done()
	results := c.pooled.SendBatch(step, batch)
	defer func() { _ = results.Close() }()
	for range ahead {
		_, _ = results.Exec() // if it fails, so does the next
	}
	for range all {
		r, err := results.Query()
		if err != nil {
			return c.fail(err)
		}
		err = fn(&postgresRows{c: c, r: r, done: func() {}})
		r.Close()
		if err != nil {
			return err
		}
	}
	if err := results.Close(); err != nil {
		return c.fail(err)
	}
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
