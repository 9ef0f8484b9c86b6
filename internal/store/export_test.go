package store

import (
	"context"
	"fmt"
	"time"
)

// Exec runs a statement of a test's own.
func (tx *Tx) Exec(sql string, args ...any) error {
	_, err := tx.exec(sql, args...)
	return err
}

// Pairs reads a query of two texts.
func (tx *Tx) Pairs(sql string) ([][2]string, error) {
	return list(tx, func(p *[2]string) []any { return []any{&p[0], &p[1]} }, sql)
}

// Dump prints every row of every table, by table.
func (tx *Tx) Dump() (map[string][]string, error) {
	all := map[string][]string{}
	for _, t := range backupTables {
		r, err := tx.c.query(tx.ctx, t.selectSQL(), nil)
		if err != nil {
			return nil, err
		}
		c := newCells(t)
		for r.next() {
			if err := r.scan(c.dest...); err != nil {
				return nil, err
			}
			all[t.Name] = append(all[t.Name], fmt.Sprintf("%q", c.append(nil)))
		}
		r.close()
		if err := r.err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// BackupColumns are the columns a backup has, as "table.column".
func BackupColumns() (columns []string) {
	for _, t := range backupTables {
		for _, c := range t.Columns {
			columns = append(columns, t.Name+"."+c.Name)
		}
	}
	return columns
}

// SetUseSpan changes Config.UseSpan. Nothing may be under way.
func (db *DB) SetUseSpan(span time.Duration) { db.used.span = span }

// Connections says of every connection of the pool whether it is outside of a
// transaction, and how many were opened ever. Nothing may be under way.
func (db *DB) Connections() (outside bool, opened int64) {
	switch e := db.engine.(type) {
	case *sqlite:
		outside = e.writer.c.outside()
		for range cap(e.readers) {
			c := <-e.readers
			outside = outside && c.db != nil && c.outside()
			e.readers <- c
		}
		return outside, e.opened.Load()
	case *postgres:
		outside = true
		for _, c := range e.pool.AcquireAllIdle(context.Background()) {
			outside = outside && c.Conn().PgConn().TxStatus() == 'I'
			c.Release()
		}
		return outside, e.pool.Stat().NewConnsCount()
	}
	panic("unknown engine")
}

// BreakWriter has the connection of the SQLite writer begin a transaction that
// nobody ends.
func (db *DB) BreakWriter() error { return db.engine.(*sqlite).writer.c.control("BEGIN") }

// LeaveOpen starts a query and forgets it.
func (tx *Tx) LeaveOpen(sql string) error {
	r, err := tx.c.query(tx.ctx, sql, nil)
	if err == nil {
		r.next()
	}
	return err
}

// WithVFS has SQLite reach its files by a file system that a test registered.
func (c Config) WithVFS(name string) Config {
	c.vfs = name
	return c
}

// ShiftClock moves the engine's clock as this DB reads it. Nothing may be
// under way.
func (db *DB) ShiftClock(by time.Duration) {
	db.dialect.clock = fmt.Sprintf("(%s + %d)", db.dialect.clock, by.Milliseconds())
}
