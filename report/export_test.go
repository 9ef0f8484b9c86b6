package report

// Without returns the row without the columns that are not in c, as one that was
// read from a report of those columns.
func Without(c Columns, row Row) Row {
	missing := missingRow()
	for f := range fieldUnknown {
		if c.Has(f.name()) {
			continue
		}
		switch known[f].Kind {
		case BoolKind:
			*row.boolAt(f) = *missing.boolAt(f)
		case TimeKind:
			*row.timeAt(f) = *missing.timeAt(f)
		case TextKind, AdditionalKind:
			*row.textAt(f) = *missing.textAt(f)
		}
	}
	return row
}
