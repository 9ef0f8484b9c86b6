package store

// exchange is a statement, and what takes its answer.
type exchange struct {
	statement
	take func(rows) error
}

// takeNone takes the answer of a statement that returns no rows.
func takeNone(r rows) error {
	r.next()
	return r.err()
}

// takeOne takes an answer of one row.
func takeOne(dest ...any) func(rows) error {
	return func(r rows) error { return scanOnly(r, dest) }
}

// takeOptional is takeOne for a row that may be missing.
func takeOptional(dest ...any) func(rows) error {
	return func(r rows) error {
		if !r.next() {
			return r.err()
		}
		return r.scan(dest...)
	}
}

// takeMany takes an answer of any number of rows.
func takeMany[T any](all *[]T, fields func(*T) []any) func(rows) error {
	return func(r rows) (err error) {
		*all, err = scanList(r, fields)
		return err
	}
}

// together runs statements that may travel together, and stops at the first
// error.
func (tx *Tx) together(all []exchange) error {
	statements := make([]statement, len(all))
	for i, a := range all {
		statements[i] = a.statement
	}
	next := 0
	return tx.c.queryEach(tx.ctx, statements, func(r rows) error {
		next++
		return all[next-1].take(r)
	})
}
