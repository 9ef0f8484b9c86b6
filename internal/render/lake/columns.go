package lake

import (
	"time"

	"github.com/parquet-go/parquet-go"

	"rollcall/report"
)

// kind is a type of columns.
type kind int

const (
	text   kind = iota // mostly different texts
	word               // texts that repeat, which a dictionary holds
	flag               // true or false
	moment             // a time, in milliseconds
	small              // an integer of 32 bits
	large              // an integer of 64 bits
	texts              // a list of texts
)

func (k kind) node() parquet.Node {
	switch k {
	case text:
		return parquet.String()
	case word:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case flag:
		return parquet.Leaf(parquet.BooleanType)
	case moment:
		return parquet.Timestamp(parquet.Millisecond)
	case small:
		return parquet.Int(32)
	case large:
		return parquet.Int(64)
	default:
		return parquet.List(parquet.String())
	}
}

// table is the root of a schema. It has its columns in their order, where a
// parquet.Group has them in the order of their names.
type table struct {
	parquet.Group
	columns []parquet.Field
}

// Fields returns the columns.
func (t *table) Fields() []parquet.Field { return t.columns }

// columns builds a row, column after column, and with the same calls a schema. With a
// schema from the tags of a structure, the program would have 2 MB more: parquet-go
// then needs all of its types, encodings and compressions, since a tag may name
// any.
type columns struct {
	row   parquet.Row
	next  int    // the number of the column
	table *table // if it is not nil, gets the columns
}

// schemaOf returns the schema of the rows that a function builds.
func schemaOf(name string, build func(*columns)) *parquet.Schema {
	c := columns{table: &table{}}
	build(&c)
	return parquet.NewSchema(name, c.table)
}

func (c *columns) declare(name string, n parquet.Node) {
	c.table.columns = append(c.table.columns, parquet.Group{name: n}.Fields()...)
}

// must adds a value that is always present.
func (c *columns) must(name string, k kind, v parquet.Value) {
	if c.table != nil {
		c.declare(name, k.node())
	}
	c.row = append(c.row, v.Level(0, 0, c.next))
	c.next++
}

// may adds a value that may be null.
func (c *columns) may(name string, k kind, v parquet.Value, is bool) {
	if c.table != nil {
		c.declare(name, parquet.Optional(k.node()))
	}
	if is {
		c.row = append(c.row, v.Level(0, 1, c.next))
	} else {
		c.row = append(c.row, parquet.Value{}.Level(0, 0, c.next))
	}
	c.next++
}

// some adds a text that may be null.
func (c *columns) some(name string, k kind, s string, is bool) {
	var v parquet.Value
	if is {
		v = parquet.ValueOf(s)
	}
	c.may(name, k, v, is)
}

// list adds texts, of which there may be none.
func (c *columns) list(name string, all []string) {
	if c.table != nil {
		c.declare(name, texts.node())
	}
	for i, s := range all {
		c.row = append(c.row, parquet.ValueOf(s).Level(min(i, 1), 1, c.next))
	}
	if len(all) == 0 {
		c.row = append(c.row, parquet.Value{}.Level(0, 0, c.next))
	}
	c.next++
}

func (c *columns) text(name, s string)       { c.must(name, text, parquet.ValueOf(s)) }
func (c *columns) word(name, s string)       { c.must(name, word, parquet.ValueOf(s)) }
func (c *columns) flag(name string, is bool) { c.must(name, flag, parquet.BooleanValue(is)) }
func (c *columns) line(name string, n int)   { c.must(name, small, parquet.Int32Value(int32(n))) }
func (c *columns) someText(name, s string)   { c.some(name, text, s, s != "") }
func (c *columns) someWord(name, s string)   { c.some(name, word, s, s != "") }
func (c *columns) at(name string, t time.Time) {
	c.must(name, moment, parquet.Int64Value(t.UnixMilli()))
}

// known adds a time, null for none.
func (c *columns) known(name string, t time.Time) {
	c.may(name, moment, parquet.Int64Value(t.UnixMilli()), !t.IsZero())
}

// since adds a time of a report, null for an absence.
func (c *columns) since(name string, t report.Time) {
	sec, is := t.Unix()
	c.may(name, moment, parquet.Int64Value(sec*1000), is)
}

// seconds adds a duration.
func (c *columns) seconds(name string, d time.Duration, is bool) {
	c.may(name, large, parquet.Int64Value(int64(d/time.Second)), is)
}
