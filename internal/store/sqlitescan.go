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
	var sources [scanTables]source
	for i, sql := range scanSQL {
		s, err := c.prepare(sql, []any{account, "", endKey})
		if err != nil {
			return err
		}
		s.busy = true
		defer s.done()
		sources[i] = sqliteSource{s}
	}
	return newMerge().run(ctx, sources, fn)
}
