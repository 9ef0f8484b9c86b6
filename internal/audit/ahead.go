package audit

import (
	"rollcall/internal/ahead"
	"rollcall/report"
)

// readRow is a row of a report, the line on which it begins, and the error that
// came in its place.
type readRow struct {
	report.Row
	line int
	err  error
}

func (r *readRow) read(rd *report.Reader) {
	r.err = rd.Read(&r.Row)
	r.line = rd.Line()
}

// rowsOf returns a function that gives the rows of a report, each valid until the
// next one, and a function that ends the reading. An error is the last row;
// io.EOF is one.
func (a *Auditor) rowsOf(rd *report.Reader) (next func() *readRow, stop func()) {
	if a.options.ReadInTurn {
		var row readRow
		return func() *readRow {
			row.read(rd)
			return &row
		}, func() {}
	}
	q := ahead.Start(func(slot func() *readRow) {
		for row := slot(); row != nil; row = slot() {
			if row.read(rd); row.err != nil {
				return
			}
		}
	})
	return q.Next, q.Stop
}
