package store

import (
	"context"
	"fmt"
	"time"
)

// conn is one transaction of an engine. Arguments are string, int, int64,
// bool (stored as 0 or 1), []byte, time.Time (stored as Unix seconds, the
// zero time as 0) or nil.
type conn interface {
	exec(ctx context.Context, sql string, args []any) (int64, error)
	query(ctx context.Context, sql string, args []any) (rows, error)
	// queryAfter runs an INSERT … ON CONFLICT DO NOTHING and then a query,
	// which may travel together. If the row exists, it returns ErrExists; the
	// query may have run nevertheless, so fn has to fail.
	queryAfter(ctx context.Context, insert statement, sql string, args []any) (rows, error)
	// execMany runs one statement once per argument list.
	execMany(ctx context.Context, sql string, args [][]any) error
	// leave runs the last statement of a transaction, which inserts a row that
	// shows the commit. It may travel with the commit.
	leave(ctx context.Context, sql string, args []any) error
	// queryEach runs queries, which may travel together, and fn for the answer of
	// each, in their order.
	queryEach(ctx context.Context, all []statement, fn func(rows) error) error
	// scan does ScanCredentials.
	scan(ctx context.Context, account string, fn func(*CredentialRow) error) error
	// twin does Tx.Twin; the conn is nil if there is none.
	twin(ctx context.Context) (c conn, end func(), err error)
	// beside does Tx.Beside; the conn is nil if there is none.
	beside(ctx context.Context) (c conn, end func(), err error)
	// scanOf does ScanCredentialsOf by a query of each table.
	scanOf(ctx context.Context, sql [scanTables]string, args []any, fn func(*CredentialRow) error) error
}

// statement is a text and its arguments.
type statement struct {
	sql  string
	args []any
}

// rows is the answer of a query. Destinations are *string, *int, *int64, *bool,
// *[]byte and *time.Time.
type rows interface {
	next() bool
	scan(dest ...any) error
	err() error
	close()
}

// unix returns the stored form of a time: whole seconds, 0 for no time.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// moment returns the time of a stored number.
func moment(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}

// plain turns an argument into a string, an int64, a []byte or nil.
func plain(arg any) (any, error) {
	switch v := arg.(type) {
	case string, int64, []byte, nil:
		return v, nil
	case int:
		return int64(v), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return unix(v), nil
	}
	return nil, fmt.Errorf("store: argument of type %T", arg)
}
