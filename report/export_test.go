package report

// Without returns the row without the columns that are not in c, as one that was
// read from a report of those columns.
func Without(c Columns, row Row) Row {
	rd := Reader{missing: missingFrom(c)}
	extra, unreadable := row.Extra, row.Unreadable
	rd.clear(&row)
	row.Extra, row.Unreadable = extra, unreadable
	return row
}
