package store

import (
	"slices"
	"strings"
)

// manyRows are the numbers of rows that one statement inserts. Every other number
// would need another prepared statement.
var manyRows = [...]int{64, 8, 1}

// insertions returns the statements that insert rows. insert is the text before
// VALUES. All rows have the same number of values.
func insertions(insert string, values [][]any) (all []exchange) {
	for _, n := range manyRows {
		for ; len(values) >= n; values = values[n:] {
			sql := insert + " VALUES " + valuesSQL(n, len(values[0]))
			all = append(all, exchange{statement{sql, slices.Concat(values[:n]...)}, takeNone})
		}
	}
	return all
}

// valuesSQL returns the placeholders of n rows: ($1, $2), ($3, $4).
func valuesSQL(n, width int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = "(" + places(i*width+1, width) + ")"
	}
	return strings.Join(all, ", ")
}
