package store

import (
	"context"
	"errors"
)

// Glance is View for a function that runs a single statement. On PostgreSQL it
// takes one round trip instead of three.
func (db *DB) Glance(ctx context.Context, fn func(*Tx) error) error {
	return db.inTime(ctx, func(ctx context.Context, fn func(conn) error) error {
		return db.engine.glance(ctx, func(c conn) error { return fn(&single{conn: c}) })
	}, fn)
}

// errNoSnapshot reports a mistake in the program: two statements that need a
// common snapshot have none.
var errNoSnapshot = errors.New("store: a second statement in a glance")

// single is a connection for one query.
type single struct {
	conn
	ran bool
}

func (s *single) query(ctx context.Context, sql string, args []any) (rows, error) {
	if s.ran {
		return nil, errNoSnapshot
	}
	s.ran = true
	return s.conn.query(ctx, sql, args)
}
