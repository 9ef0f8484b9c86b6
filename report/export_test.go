package report

// Without returns the row without the columns that are not in c, like a row that
// was read from a report with those columns.
func Without(c Columns, row Row) Row {
	rd := Reader{missing: missingFrom(c)}
	extra, unreadable := row.Extra, row.Unreadable
	rd.clear(&row)
	row.Extra, row.Unreadable = extra, unreadable
	return row
}
