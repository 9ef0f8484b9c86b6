package lake

import (
	"fmt"
	"reflect"
	"time"

	"github.com/parquet-go/parquet-go"

	"rollcall/internal/audit"
	"rollcall/report"
)

// valueColumns are the columns of the report that are a value or an absence: all
// but the names, which are always there.
var valueColumns = func() (all []report.Column) {
	for _, c := range report.KnownColumns() {
		if c.Kind != report.NameKind {
			all = append(all, c)
		}
	}
	return all
}()

// reportRow is the structure of a row of the table reports: for each column of
// the report its value, and the reason why there is none.
var reportRow = func() reflect.Type {
	fields := reflect.VisibleFields(reflect.TypeFor[rowHead]())
	for i, c := range valueColumns {
		of, tag := parquetType(c.Kind)
		fields = append(fields,
			reflect.StructField{
				Name: fmt.Sprintf("Value%d", i), Type: of, Tag: reflect.StructTag(fmt.Sprintf(`parquet:"%s%s"`, c.Name, tag)),
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
}()

// parquetType is how Parquet keeps the values of a kind of column.
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

var (
	reportSchema  = parquet.SchemaOf(reflect.New(reportRow).Interface())
	findingSchema = parquet.SchemaOf(findingRow{})
)

// rowOf returns a reportRow.
func rowOf(row *audit.Row, src *audit.Source) any {
	r := row.Report
	out := reflect.New(reportRow).Elem()
	next := 0
	put := func(v reflect.Value) {
		out.Field(next).Set(v)
		next++
	}
	putAll := func(of reflect.Value) {
		for i := range of.NumField() {
			put(of.Field(i))
		}
	}
	putAll(reflect.ValueOf(rowHead{
		User: r.User, ARN: r.ARN, Path: r.Path(), IsRoot: r.IsRoot(), Class: row.Class.String(), Partition: r.Partition(),
		Line: int32(row.Line),
	}))
	for _, c := range valueColumns {
		value, absent := valueOf(c, r)
		put(value)
		put(reflect.ValueOf(absent))
	}
	putAll(reflect.ValueOf(rowTail{
		Extra: object(r.Extra), Unreadable: object(r.Unreadable),
		Generated: known(src.Generated), Fetched: known(src.Fetched), Source: src.Origin, File: src.Path, SHA256: src.SHA256,
	}))
	return out.Addr().Interface()
}

// valueOf returns what a row has in a column, a nil pointer where it has none,
// and then the reason.
func valueOf(c report.Column, r *report.Row) (value reflect.Value, absent *string) {
	switch c.Kind {
	case report.BoolKind:
		b := c.Bool(r)
		if is := b.IsTrue(); is || b.IsFalse() {
			return reflect.ValueOf(&is), nil
		}
		return reflect.ValueOf((*bool)(nil)), absence(b.Absence())
	case report.TimeKind:
		t, absent := timeOf(c.Time(r))
		return reflect.ValueOf(t), absent
	default:
		t := c.Text(r)
		if text, ok := t.Value(); ok {
			return reflect.ValueOf(&text), nil
		}
		return reflect.ValueOf((*string)(nil)), absence(t.Absence())
	}
}
