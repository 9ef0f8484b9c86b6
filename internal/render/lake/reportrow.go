package lake

import (
	"fmt"
	"reflect"
	"sync"
	"time"

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

// reportRow returns the structure of a row of the table reports: for each column
// of the report its value, and the reason if there is none.
func reportRow() reflect.Type {
	fields := reflect.VisibleFields(reflect.TypeFor[rowHead]())
	for i, c := range valueColumns {
		of, tag := parquetType(c.Kind)
		fields = append(fields,
			reflect.StructField{
				Name: fmt.Sprintf("Value%d", i), Type: of,
				Tag: reflect.StructTag(fmt.Sprintf(`parquet:"%s%s"`, c.Name, tag)),
			},
			reflect.StructField{
				Name: fmt.Sprintf("Absence%d", i), Type: reflect.TypeFor[*string](),
				Tag: reflect.StructTag(fmt.Sprintf(`parquet:"%s_absence,dict"`, c.Name)),
			})
	}
	fields = append(fields, reflect.VisibleFields(reflect.TypeFor[rowTail]())...)
	for i := range fields {
		fields[i].Offset, fields[i].Index = 0, nil
	}
	return reflect.StructOf(fields)
}

// parquetType returns the Parquet type for a kind of column.
func parquetType(kind report.Kind) (of reflect.Type, tag string) {
	switch kind {
	case report.BoolKind:
		return reflect.TypeFor[*bool](), ""
	case report.TimeKind:
		return reflect.TypeFor[*time.Time](), ",timestamp(millisecond)"
	default:
		return reflect.TypeFor[*string](), ",dict"
	}
}

// The schemas are created on first use, because most commands write no Parquet.
var (
	reportSchema = sync.OnceValue(func() *parquet.Schema {
		return parquet.SchemaOf(reflect.New(reportRow()).Interface())
	})
	findingSchema = sync.OnceValue(func() *parquet.Schema { return parquet.SchemaOf(findingRow{}) })
)

// columnsOf builds a row, value after value in the order of the schema.
type columnsOf struct{ row parquet.Row }

// add adds a value that is always present.
func (c *columnsOf) add(v parquet.Value) {
	c.row = append(c.row, v.Level(0, 0, len(c.row)))
}

// addSome adds a value that may be null.
func (c *columnsOf) addSome(v parquet.Value, is bool) {
	if !is {
		c.row = append(c.row, parquet.Value{}.Level(0, 0, len(c.row)))
		return
	}
	c.row = append(c.row, v.Level(0, 1, len(c.row)))
}

func (c *columnsOf) text(s string)      { c.add(parquet.ValueOf(s)) }
func (c *columnsOf) someText(s *string) { c.addSome(parquet.ValueOf(deref(s)), s != nil) }
func (c *columnsOf) someTime(t *time.Time) {
	c.addSome(parquet.ValueOf(deref(t).UnixMilli()), t != nil)
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// appendRow appends a row of the table reports. It has the same content as a
// reportRow, and costs less.
func appendRow(dst parquet.Row, row *audit.Row, src *audit.Source) parquet.Row {
	r, c := row.Report, columnsOf{dst}
	c.text(r.User)
	c.text(r.ARN)
	c.text(r.Path())
	c.add(parquet.ValueOf(r.IsRoot()))
	c.text(row.Class.String())
	c.text(r.Partition())
	c.add(parquet.ValueOf(int32(row.Line)))
	for i := range valueColumns {
		c.cell(&valueColumns[i], r)
	}
	c.someText(object(r.Extra))
	c.someText(object(r.Unreadable))
	c.someTime(known(src.Generated))
	c.someTime(known(src.Fetched))
	c.text(src.Origin)
	c.text(src.Path)
	c.text(src.SHA256)
	return c.row
}

// cell adds the value of a column of the report, and the reason if there is
// none.
func (c *columnsOf) cell(column *report.Column, r *report.Row) {
	var v parquet.Value
	var why report.Absence
	switch column.Kind {
	case report.BoolKind:
		b := column.Bool(r)
		v, why = parquet.ValueOf(b.IsTrue()), b.Absence()
	case report.TimeKind:
		t := column.Time(r)
		sec, _ := t.Unix()
		v, why = parquet.ValueOf(sec*1000), t.Absence()
	default:
		t := column.Text(r)
		text, _ := t.Value()
		v, why = parquet.ValueOf(text), t.Absence()
	}
	c.addSome(v, why == report.Present)
	c.addSome(absenceValues[why], why != report.Present)
}

// absenceValues are the words for the absences.
var absenceValues = func() (all [report.Malformed + 1]parquet.Value) {
	for a := range all {
		all[a] = parquet.ValueOf(report.Absence(a).String())
	}
	return all
}()
