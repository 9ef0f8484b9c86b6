package lake

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go"

	"rollcall/internal/audit"
	"rollcall/report"
)

// valueColumns are the columns of the report that have a value or an absence:
// all except the names, which are always present.
var valueColumns = func() (all []report.Column) {
	for _, c := range report.KnownColumns() {
		if c.Kind != report.NameKind {
			all = append(all, c)
		}
	}
	return all
}()

// reportSchema returns the schema of the table reports: for each column of the
// report its value, and the reason if there is none. The schema is created on first
// use, because most commands write no Parquet.
var reportSchema = sync.OnceValue(func() *parquet.Schema {
	return schemaOf("", func(c *columns) { c.report(&audit.Row{Report: &report.Row{}}, &audit.Source{}) })
})

// appendRow appends a row of the table reports.
func appendRow(dst parquet.Row, row *audit.Row, src *audit.Source) parquet.Row {
	c := columns{row: dst}
	c.report(row, src)
	return c.row
}

func (c *columns) report(row *audit.Row, src *audit.Source) {
	r := row.Report
	c.text("user", r.User)
	c.text("arn", r.ARN)
	c.word("path", r.Path()) // of the user, "" for root
	c.flag("is_root", r.IsRoot())
	c.word("class", row.Class.String())
	c.word("aws_partition", r.Partition())
	c.line("line", row.Line)
	for i := range valueColumns {
		c.cell(&valueColumns[i], r)
	}
	// The unknown columns, and the texts of malformed ones.
	c.someWord("extra", object(r.Extra))
	c.someWord("unreadable", object(r.Unreadable))
	c.known("generated_at", src.Generated)
	c.known("fetched_at", src.Fetched)
	c.word("source", src.Origin)
	c.word("file", src.Path)
	c.word("sha256", src.SHA256)
}

// cell adds the value of a column of the report, and the reason if there is
// none.
func (c *columns) cell(column *report.Column, r *report.Row) {
	var why report.Absence
	switch column.Kind {
	case report.BoolKind:
		b := column.Bool(r)
		why = b.Absence()
		c.may(column.Name, flag, parquet.BooleanValue(b.IsTrue()), why == report.Present)
	case report.TimeKind:
		t := column.Time(r)
		why = t.Absence()
		c.since(column.Name, t)
	default:
		t := column.Text(r)
		s, _ := t.Value()
		why = t.Absence()
		c.some(column.Name, word, s, why == report.Present)
	}
	name := ""
	if c.table != nil { // the name of the column in a schema, and nowhere else
		name = column.Name + "_absence"
	}
	c.may(name, word, absenceValues[why], why != report.Present)
}

// absenceValues are the words for the absences.
var absenceValues = func() (all [report.Malformed + 1]parquet.Value) {
	for a := range all {
		all[a] = parquet.ValueOf(report.Absence(a).String())
	}
	return all
}()

// object returns cells as a JSON object in order, "" for none.
func object(cells []report.Cell) string {
	if len(cells) == 0 {
		return ""
	}
	var b strings.Builder
	for i, c := range cells {
		b.WriteByte("{,"[min(i, 1)])
		for j, s := range []string{c.Column, c.Text} {
			text, err := json.Marshal(s)
			if err != nil {
				panic(err) // it is a string
			}
			b.WriteString(strings.Repeat(":", j))
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.String()
}
