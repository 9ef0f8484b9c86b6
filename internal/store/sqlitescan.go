package store

import "context"

// sqliteSource reads a prepared statement without copies.
type sqliteSource struct{ s *sqliteStmt }

func (s sqliteSource) step() bool             { return s.s.stmt.Step() }
func (s sqliteSource) text(column int) []byte { return s.s.stmt.ColumnRawText(column) }
func (s sqliteSource) number(column int) int64 {
	return s.s.stmt.ColumnInt64(column)
}
func (s sqliteSource) err() error { return sqliteError(s.s.stmt.Err()) }

func (c *sqliteConn) scan(ctx context.Context, account string, fn func(*CredentialRow) error) error {
	return c.scanOf(ctx, scanSQL, []any{account, "", endKey}, fn)
}

func (c *sqliteConn) scanOf(
	ctx context.Context, sql [scanTables]string, args []any, fn func(*CredentialRow) error,
) error {
	var sources [scanTables]source
	for i, sql := range sql {
		s, err := c.prepare(sql, args)
		if err != nil {
			return err
		}
		s.busy = true
		defer s.done()
		sources[i] = sqliteSource{s}
	}
	return newMerge().run(ctx, sources, fn)
}
