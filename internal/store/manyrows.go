package store

import (
	"slices"
	"strings"
)

// manyRows are the numbers of rows that one statement inserts. Every other number
// would need another prepared statement.
var manyRows = [...]int{64, 8, 1}

// insertRows inserts rows, by few statements that travel together. insert is the
// statement before VALUES. All rows have the same number of values.
func (tx *Tx) insertRows(insert string, all [][]any) error {
	var statements []statement
	for _, n := range manyRows {
		for len(all) >= n {
			sql := insert + " VALUES " + valuesSQL(n, len(all[0]))
			statements = append(statements, statement{sql, slices.Concat(all[:n]...)})
			all = all[n:]
		}
	}
	if len(statements) == 0 {
		return nil
	}
	return tx.c.queryEach(tx.ctx, statements, func(r rows) error {
		r.next()
		return r.err()
	})
}

// valuesSQL returns the placeholders of n rows: ($1, $2), ($3, $4).
func valuesSQL(n, width int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = "(" + places(i*width+1, width) + ")"
	}
	return strings.Join(all, ", ")
}
