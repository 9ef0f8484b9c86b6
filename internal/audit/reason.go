package audit

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/report"
)

// Reason explains a verdict in a sentence: one of a few templates, and its
// values.
type Reason struct {
	// Template contains the names of values in braces.
	Template string
	// Values are the values in the order of their places.
	Values []Value
}

// Value is a value in a template. [TextValue], [TimeValue] and [AgeValue]
// return values.
type Value struct {
	text  string
	time  report.Time
	age   time.Duration
	isAge bool
}

// TextValue returns a text.
func TextValue(s string) Value { return Value{text: s} }

// TimeValue returns a time, or the word that the report has instead.
func TimeValue(t report.Time) Value {
	if !t.IsPresent() {
		return TextValue(t.String())
	}
	return Value{time: t}
}

// AgeValue returns a duration.
func AgeValue(d time.Duration) Value { return Value{age: d, isAge: true} }

// TextReason returns a reason that consists of a text.
func TextReason(text string) Reason {
	return Reason{Template: "{text}", Values: []Value{TextValue(text)}}
}

// Part is a piece of a reason: a number, a time, or a text.
type Part struct {
	Text     string
	Time     report.Time // present if the part is a time
	Number   int64
	IsNumber bool
}

// Parts returns the pieces of the sentence in order.
func (r Reason) Parts() iter.Seq[Part] {
	return func(yield func(Part) bool) {
		values := r.Values
		for rest := r.Template; ; {
			before, after, ok := strings.Cut(rest, "{")
			if before != "" && !yield(Part{Text: before}) || !ok {
				return
			}
			_, rest, _ = strings.Cut(after, "}")
			if len(values) == 0 {
				continue
			}
			if !values[0].parts(yield) {
				return
			}
			values = values[1:]
		}
	}
}

func (v Value) parts(yield func(Part) bool) bool {
	switch {
	case v.isAge:
		return ageParts(v.age, yield)
	case v.time.IsPresent():
		return yield(Part{Time: v.time})
	}
	return v.text == "" || yield(Part{Text: v.text})
}

// String returns the sentence.
func (r Reason) String() string {
	b := make([]byte, 0, 256)
	for p := range r.Parts() {
		switch {
		case p.IsNumber:
			b = strconv.AppendInt(b, p.Number, 10)
		case p.Time.IsPresent():
			b = append(b, p.Time.String()...)
		default:
			b = append(b, p.Text...)
		}
	}
	return string(b)
}

// add appends a sentence.
func (r *Reason) add(template string, values ...Value) {
	r.Template += " " + template
	r.Values = append(r.Values, values...)
}

// reasons makes the reasons of one audit. It remembers what was found out about
// each template, and allocates the values of many reasons together.
type reasons struct {
	// chosen says that the time of the audit is not that of the report.
	chosen bool
	places map[string][]place
	free   []Value
}

// place is a name in the braces of a template.
type place struct {
	name   string
	of     func(v *verdict, asOf report.Time) Value // nil for a column
	column report.Column
	known  bool // the column
}

// of returns the reason why v is as it is. Within the braces of v.why, {age},
// {since} and {limit} are those of the verdict, and everything else is a column
// of the row.
func (r *reasons) of(v *verdict, row *report.Row, asOf report.Time) Reason {
	if v.said != nil {
		return v.said()
	}
	if row == nil {
		return TextReason(v.why)
	}
	if v.why == "" && len(v.columns) > 0 {
		return r.silence(v.columns[0], row, asOf)
	}
	places := r.placesOf(v.why)
	if len(places) == 0 {
		return Reason{Template: v.why}
	}
	values := r.take(len(places))
	for i := range places {
		values = append(values, places[i].value(v, row, asOf))
	}
	return Reason{Template: v.why, Values: values}
}

// take returns an empty slice with room for n values.
func (r *reasons) take(n int) []Value {
	const together = 64
	if n > len(r.free) {
		r.free = make([]Value, max(n, together))
	}
	values := r.free[:0:n]
	r.free = r.free[n:]
	return values
}

func (r *reasons) placesOf(template string) []place {
	places, ok := r.places[template]
	if ok {
		return places
	}
	for rest := template; ; {
		_, after, more := strings.Cut(rest, "{")
		if !more {
			break
		}
		var name string
		name, rest, _ = strings.Cut(after, "}")
		places = append(places, placeOf(name))
	}
	if r.places == nil {
		r.places = map[string][]place{}
	}
	r.places[template] = places
	return places
}

func placeOf(name string) place {
	p := place{name: name}
	switch name {
	case "age":
		p.of = func(v *verdict, asOf report.Time) Value { return AgeValue(v.age(asOf)) }
	case "since":
		p.of = func(v *verdict, _ report.Time) Value { return TimeValue(v.since) }
	case "limit":
		p.of = func(v *verdict, _ report.Time) Value { return AgeValue(time.Duration(v.limitSec) * time.Second) }
	default:
		p.column, p.known = report.FindColumn(name)
	}
	return p
}

func (p *place) value(v *verdict, row *report.Row, asOf report.Time) Value {
	if p.of != nil {
		return p.of(v, asOf)
	}
	if p.known && p.column.Time(row).IsPresent() {
		return TimeValue(p.column.Time(row))
	}
	text, _ := row.Cell(p.name)
	return TextValue(shorten(text))
}

// cellValue returns the text of a cell.
func cellValue(name string, row *report.Row) Value {
	p := placeOf(name)
	return p.value(nil, row, report.Time{})
}

// age returns the time from v.since to asOf. It is 0 if either is absent. If
// v.since is later, which happens when clocks differ, it is 0 too.
func (v *verdict) age(asOf report.Time) time.Duration {
	now, known := asOf.Unix()
	since, ok := v.since.Unix()
	if !known || !ok {
		return 0
	}
	return time.Duration(max(now-since, 0)) * time.Second
}

// silence says why a column is uninformative.
func (r *reasons) silence(column report.Column, row *report.Row, asOf report.Time) Reason {
	text, ok := row.Cell(column.Name)
	unreadable := slices.ContainsFunc(row.Unreadable, func(c report.Cell) bool { return c.Column == column.Name })
	isTime := column.Time(row).IsPresent()
	name, cell := TextValue(column.Name), cellValue(column.Name, row)
	switch {
	case !ok:
		return Reason{"The report has no column {column}.", []Value{name}}
	case unreadable && text == "":
		return Reason{"{column} is empty.", []Value{name}}
	case unreadable:
		return Reason{"{column} cannot be read: {cell}.", []Value{name, TextValue(strconv.Quote(shorten(text)))}}
	case isTime && !asOf.IsPresent():
		return Reason{"It is not known when the report was generated, so {column} shows no age.", []Value{name}}
	case isTime && r.chosen:
		return Reason{"{column} is {cell}, which is after the time of the audit.", []Value{name, cell}}
	case isTime:
		return Reason{"{column} is {cell}, which is after the report was generated.", []Value{name, cell}}
	}
	return Reason{"{column} is {cell}, which gives no answer.", []Value{name, cell}}
}

// shorten returns the readable beginning of a cell.
func shorten(text string) string {
	const enough = 200
	if len(text) <= enough {
		return text
	}
	return strings.ToValidUTF8(text[:enough], "") + "…"
}

// duration returns an age in words.
func duration(d time.Duration) string {
	return Reason{Template: "{age}", Values: []Value{AgeValue(d)}}.String()
}

// ageParts returns an age in days, with one smaller unit if there is a
// remainder. So an age one second beyond a limit does not look like the limit.
func ageParts(d time.Duration, yield func(Part) bool) bool {
	parts := 0
	for _, u := range units {
		n := d / u.size
		d -= n * u.size
		if n == 0 && (parts > 0 || u.size > time.Second) || parts == 2 {
			continue
		}
		unit := u.many
		if n == 1 {
			unit = u.one
		}
		if parts++; parts == 2 && !yield(Part{Text: " "}) {
			return false
		}
		if !yield(Part{Number: int64(n), IsNumber: true}) || !yield(Part{Text: unit}) {
			return false
		}
	}
	return true
}

var units = [...]struct {
	one, many string
	size      time.Duration
}{
	{" day", " days", 24 * time.Hour}, {" hour", " hours", time.Hour}, {" minute", " minutes", time.Minute},
	{" second", " seconds", time.Second},
}
