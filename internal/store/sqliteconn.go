package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// sqliteConn is a connection with its prepared statements. One goroutine at
// a time uses it.
type sqliteConn struct {
	engine *sqlite
	db     *sqlite3.Conn
	stmts  map[string]*sqliteStmt
	// owners says that a statement since the last reset may have changed a
	// cached fact about callers; see changesCallers.
	owners bool
}

type sqliteStmt struct {
	stmt   *sqlite3.Stmt
	busy   bool // its rows are open
	once   bool // not kept: closed with its rows
	owners bool // changesCallers of its text
}

func (c *sqliteConn) close() error {
	if c.db == nil {
		return nil
	}
	for _, s := range c.stmts {
		_ = s.stmt.Close()
	}
	return c.db.Close()
}

// warm makes the connection parse the schema, which would delay its first
// statement. An error here occurs again where a caller gets it.
func (c *sqliteConn) warm() {
	if s, err := c.prepare("SELECT count(*) FROM data_keys", nil); err == nil {
		s.done()
	}
}

// control runs a statement that begins or ends a transaction or a savepoint.
// These are never interrupted, because an interruption would leave the
// connection in an unknown state.
func (c *sqliteConn) control(sql string) error {
	defer c.db.SetInterrupt(c.db.SetInterrupt(context.Background()))
	_, err := c.exec(context.Background(), sql, nil)
	return err
}

// view runs fn on one snapshot. The end of ctx interrupts only reads of fn. The
// caller settles the connection.
func (c *sqliteConn) view(ctx context.Context, fn func(conn) error) error {
	if err := c.control("BEGIN"); err != nil {
		return err
	}
	defer c.db.SetInterrupt(c.db.SetInterrupt(ctx))
	err := fn(c)
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		err = ctx.Err()
	}
	return err
}

// settle ends any transaction of the connection. It reports whether that
// succeeded, so that others may use the connection.
func (c *sqliteConn) settle() bool {
	c.db.SetInterrupt(context.Background())
	if c.outside() {
		return true
	}
	// Open rows hold their snapshot longer than the transaction.
	for _, s := range c.stmts {
		if s.busy {
			s.done()
		}
	}
	if !c.db.GetAutocommit() && c.control("ROLLBACK") != nil {
		return false
	}
	return c.outside()
}

// outside reports whether the connection has no transaction and holds no
// snapshot.
func (c *sqliteConn) outside() bool {
	return c.db.GetAutocommit() && c.db.TxnState("") == sqlite3.TXN_NONE
}

// prepare returns a free statement with its arguments bound.
func (c *sqliteConn) prepare(sql string, args []any) (*sqliteStmt, error) {
	s := c.stmts[sql]
	if s == nil || s.busy {
		stmt, _, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
		if err != nil {
			return nil, sqliteError(err)
		}
		// SQLite numbers $1, $2, … in the order of their appearance, so a text
		// whose placeholders are out of order would bind the wrong values
		// without an error.
		for i := 1; i <= stmt.BindCount(); i++ {
			if stmt.BindName(i) != fmt.Sprintf("$%d", i) {
				_ = stmt.Close()
				return nil, fmt.Errorf("store: placeholders out of order in %q", sql)
			}
		}
		fresh := &sqliteStmt{stmt: stmt, once: s != nil, owners: changesCallers(sql)}
		if s == nil {
			c.stmts[sql] = fresh
		}
		s = fresh
	}
	if err := s.bind(args); err != nil {
		s.done()
		return nil, err
	}
	c.owners = c.owners || s.owners
	return s, nil
}

func (s *sqliteStmt) bind(args []any) error {
	if len(args) != s.stmt.BindCount() {
		return fmt.Errorf("store: %d arguments for %d placeholders in %q", len(args), s.stmt.BindCount(), s.stmt.SQL())
	}
	for i, arg := range args {
		v, err := plain(arg)
		if err != nil {
			return err
		}
		switch v := v.(type) {
		case string:
			err = s.stmt.BindText(i+1, v)
		case int64:
			err = s.stmt.BindInt64(i+1, v)
		case []byte:
			if v == nil {
				v = []byte{}
			}
			err = s.stmt.BindBlob(i+1, v)
		default:
			err = s.stmt.BindNull(i + 1)
		}
		if err != nil {
			return sqliteError(err)
		}
	}
	return nil
}

func (s *sqliteStmt) done() {
	s.busy = false
	if s.once {
		_ = s.stmt.Close()
		return
	}
	_ = s.stmt.Reset()
}

func (c *sqliteConn) exec(_ context.Context, sql string, args []any) (int64, error) {
	s, err := c.prepare(sql, args)
	if err != nil {
		return 0, err
	}
	defer s.done()
	before := c.db.TotalChanges()
	for s.stmt.Step() {
	}
	if err := s.stmt.Err(); err != nil {
		return 0, sqliteError(err)
	}
	if c.db.TotalChanges() == before {
		return 0, nil
	}
	return c.db.Changes(), nil
}

// written counts the pages that were written to the log. Every commit that
// changes something writes at least one.
func (c *sqliteConn) written() int64 {
	n, _, err := c.db.Status(sqlite3.DBSTATUS_CACHE_WRITE, false)
	if err != nil {
		return 0
	}
	return n
}

func (c *sqliteConn) execMany(ctx context.Context, sql string, args [][]any) error {
	for _, a := range args {
		if _, err := c.exec(ctx, sql, a); err != nil {
			return err
		}
	}
	return nil
}

func (c *sqliteConn) leave(ctx context.Context, sql string, args []any) error {
	_, err := c.exec(ctx, sql, args)
	return err
}

func (c *sqliteConn) query(_ context.Context, sql string, args []any) (rows, error) {
	s, err := c.prepare(sql, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return s, nil
}

func (c *sqliteConn) queryEach(ctx context.Context, all []statement, fn func(rows) error) error {
	for _, s := range all {
		r, err := c.query(ctx, s.sql, s.args)
		if err != nil {
			return err
		}
		err = fn(r)
		r.close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *sqliteConn) queryAfter(ctx context.Context, insert statement, sql string, args []any) (rows, error) {
	n, err := c.exec(ctx, insert.sql, insert.args)
	if err == nil && n == 0 {
		err = ErrExists
	}
	if err != nil {
		return nil, err
	}
	return c.query(ctx, sql, args)
}

func (s *sqliteStmt) next() bool { return s.stmt.Step() }

func (s *sqliteStmt) err() error { return sqliteError(s.stmt.Err()) }

func (s *sqliteStmt) close() { s.done() }

func (s *sqliteStmt) scan(dest ...any) error {
	for i, d := range dest {
		switch d := d.(type) {
		case *string:
			*d = s.stmt.ColumnText(i)
		case *int64:
			*d = s.stmt.ColumnInt64(i)
		case *int:
			*d = int(s.stmt.ColumnInt64(i))
		case *bool:
			*d = s.stmt.ColumnInt64(i) != 0
		case *[]byte:
			*d = s.stmt.ColumnBlob(i, nil)
		case *time.Time:
			*d = moment(s.stmt.ColumnInt64(i))
		default:
			return fmt.Errorf("store: destination of type %T", d)
		}
	}
	return nil
}

// sqliteError turns the engine's codes into the store's errors.
func sqliteError(err error) error {
	if err == nil {
		return nil
	}
	switch {
	case errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY), errors.Is(err, sqlite3.CONSTRAINT_UNIQUE):
		return fmt.Errorf("%w (%v)", ErrExists, err)
	case errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY):
		return fmt.Errorf("%w (%v)", ErrConflict, err)
	}
	return fmt.Errorf("sqlite: %w", err)
}

// sqliteBusy reports whether another process had the lock, so that the same
// transaction may succeed when it is repeated.
func sqliteBusy(err error) bool {
	return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED)
}
