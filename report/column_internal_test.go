package report

import (
	"fmt"
	"reflect"
	"testing"
)

// TestKnown checks that every column is declared once and has its own cell.
func TestKnown(t *testing.T) {
	var row Row
	at := map[string]string{}
	for f := range fieldUnknown {
		c := known[f]
		if c.Name == "" || c.field != f || fieldOf(c.Name) != f {
			t.Errorf("field %d is called %q", f, c.Name)
		}
		var places []string
		if c.nameAt != nil {
			places = append(places, fmt.Sprintf("%v%p", NameKind, c.nameAt(&row)))
		}
		if c.boolAt != nil {
			places = append(places, fmt.Sprintf("%v%p", BoolKind, c.boolAt(&row)))
		}
		if c.timeAt != nil {
			places = append(places, fmt.Sprintf("%v%p", TimeKind, c.timeAt(&row)))
		}
		if c.textAt != nil {
			places = append(places, fmt.Sprintf("%v%p", TextKind, c.textAt(&row)))
		}
		if len(places) != 1 || places[0][0] != fmt.Sprint(min(c.Kind, TextKind))[0] {
			t.Errorf("%s of kind %v is kept at %q", c.Name, c.Kind, places)
			continue
		}
		if other, ok := at[places[0]]; ok {
			t.Errorf("%s and %s are one cell", c.Name, other)
		}
		at[places[0]] = c.Name
		if c.Credential == KeyCredential || c.Credential == CertificateCredential {
			if c.Slot != 1 && c.Slot != 2 {
				t.Errorf("%s mentions place %d", c.Name, c.Slot)
			}
		} else if c.Slot != 0 {
			t.Errorf("%s has a place, %d", c.Name, c.Slot)
		}
	}
}

// TestEveryFieldIsAColumn checks that every value of this package's types in a
// Row is a column, so that it is read, written and reported as missing.
func TestEveryFieldIsAColumn(t *testing.T) {
	var row Row
	at := map[string]bool{}
	for f := range fieldUnknown {
		switch c := &known[f]; {
		case c.boolAt != nil:
			at[fmt.Sprintf("%p", c.boolAt(&row))] = true
		case c.timeAt != nil:
			at[fmt.Sprintf("%p", c.timeAt(&row))] = true
		case c.textAt != nil:
			at[fmt.Sprintf("%p", c.textAt(&row))] = true
		}
	}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch v.Interface().(type) {
		case Bool, Time, Text:
			if !at[fmt.Sprintf("%p", v.Addr().Interface())] {
				t.Errorf("%s is not a column", path)
			}
			return
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Array:
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			}
		}
	}
	walk("Row", reflect.ValueOf(&row).Elem())
}
