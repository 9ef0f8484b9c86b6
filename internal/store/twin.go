package store

import "context"

// Twin returns a second transaction on the snapshot of a view, for another
// goroutine, and a function that ends it, which must be called before the view
// ends. It returns nil if there is none: if the engine cannot do it, if others
// need the connections, or if a commit came in between. It must be called before
// the view has read anything.
func (tx *Tx) Twin() (twin *Tx, end func(), err error) {
	c, end, err := tx.c.twin(tx.ctx)
	if c == nil || err != nil {
		return nil, nil, err
	}
	return &Tx{Now: tx.Now, ctx: tx.ctx, c: c, dialect: tx.dialect}, end, nil
}

// Beside returns a transaction on a newer snapshot than that of a view, for
// another goroutine, and a function that ends it, which must be called before the
// view ends. It is for data that never changes. It returns nil if others need the
// connections.
func (tx *Tx) Beside() (beside *Tx, end func(), err error) {
	c, end, err := tx.c.beside(tx.ctx)
	if c == nil || err != nil {
		return nil, nil, err
	}
	return &Tx{Now: tx.Now, ctx: tx.ctx, c: c, dialect: tx.dialect}, end, nil
}

// UserAfter returns the folded name of the user who comes n users after one, and
// whether there is one.
func (tx *Tx) UserAfter(account, nameKey string, n int) (next string, ok bool, err error) {
	all, err := list(tx, func(s *string) []any { return []any{s} }, `SELECT name_key FROM users
		WHERE account = $1 AND name_key >= $2 ORDER BY name_key LIMIT 1 OFFSET $3`, account, nameKey, n)
	if err != nil || len(all) == 0 {
		return "", false, err
	}
	return all[0], true, nil
}

// ScanCredentialsBetween is ScanCredentials from one folded name to another,
// which is not included; "" is the end.
func (tx *Tx) ScanCredentialsBetween(account, from, to string, fn func(*CredentialRow) error) error {
	if to == "" {
		to = endKey
	}
	return tx.c.scanOf(tx.ctx, scanSQL, []any{account, from, to}, fn)
}

// twin compares the states of the database around the first read of each
// connection: if no process has committed in between, both see the same.
func (c *sqliteConn) twin(ctx context.Context) (conn, func(), error) {
	e := c.engine
	before, ok := e.version()
	if !ok {
		return nil, nil, nil
	}
	other, end, err := e.spare()
	if other == nil || err != nil {
		return nil, nil, err
	}
	err = c.look()
	if err == nil {
		err = other.control("BEGIN")
	}
	if err == nil {
		err = other.look()
	}
	if after, ok := e.version(); err != nil || !ok || after != before {
		end()
		return nil, nil, err
	}
	return other, other.interruptible(ctx, end), nil
}

// spare lends a reader that others do not need, or nil.
func (e *sqlite) spare() (c *sqliteConn, end func(), err error) {
	c = e.readers.spare()
	if c == nil {
		return nil, nil, nil
	}
	end = func() { e.readers.give(e.usable(c)) }
	if c.db != nil {
		return c, end, nil
	}
	fresh, err := e.open()
	if err != nil {
		end()
		return nil, nil, err
	}
	c = fresh
	return c, end, nil
}

// interruptible ends the statements of a lent reader with ctx. The result returns
// the reader.
func (c *sqliteConn) interruptible(ctx context.Context, end func()) func() {
	was := c.db.SetInterrupt(ctx)
	return func() { c.db.SetInterrupt(was); end() }
}

func (c *sqliteConn) beside(ctx context.Context) (conn, func(), error) {
	other, end, err := c.engine.spare()
	if other == nil || err != nil {
		return nil, nil, err
	}
	if err := other.control("BEGIN"); err != nil {
		end()
		return nil, nil, err
	}
	return other, other.interruptible(ctx, end), nil
}

// look makes a transaction take its snapshot.
func (c *sqliteConn) look() error {
	_, err := c.exec(context.Background(), "SELECT 1 FROM data_keys LIMIT 1", nil)
	return err
}

// twin lets another connection import the snapshot. PostgreSQL, snapshot
// synchronization functions.
func (c *postgresConn) twin(ctx context.Context) (conn, func(), error) {
	other, err := c.engine.spare(ctx)
	if other == nil || err != nil {
		return nil, nil, err
	}
	const export = "SELECT pg_export_snapshot()"
	// An error would end the transaction, so servers that cannot do it are found
	// out on the other connection.
	if _, err := other.pooled.Exec(other.work, beginView+"; "+export+"; ROLLBACK"); err != nil {
		other.release()
		return nil, nil, nil //nolint:nilerr // such a server has no twins
	}
	var name string
	if err = c.start(); err == nil {
		err = c.pooled.QueryRow(c.work, export).Scan(&name)
	}
	if err == nil {
		_, err = other.pooled.Exec(other.work, beginView+"; SET TRANSACTION SNAPSHOT '"+name+"'")
	}
	if err != nil {
		other.release()
		return nil, nil, c.fail(err)
	}
	return other, other.release, nil
}

// spare lends a connection that others do not need, or nil.
func (e *postgres) spare(ctx context.Context) (*postgresConn, error) {
	// Reports also need connections to store what they read.
	if s := e.pool.Stat(); 2*(s.AcquiredConns()+1) > s.MaxConns() {
		return nil, nil
	}
	return e.acquire(ctx)
}

func (c *postgresConn) beside(ctx context.Context) (conn, func(), error) {
	other, err := c.engine.spare(ctx)
	if other == nil || err != nil {
		return nil, nil, err
	}
	other.ahead = []statement{{sql: beginView}}
	return other, other.release, nil
}
