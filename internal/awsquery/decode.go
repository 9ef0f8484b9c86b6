package awsquery

import (
	"encoding/base64"
	"reflect"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/awsmodel"
)

// maxSkip is the number of elements that one index may skip: AWS accepts
// Tags.member.11 as the first element and refuses Tags.member.12.
const maxSkip = 10

// Decode fills the input of an operation from a form. It ignores parameters
// that the operation does not have, as AWS does. Unreadable values are
// MalformedInput. awsmodel.Check decides whether the values are allowed.
//
// The texts about indexes and about structure ("0 is not a valid index", "Start
// of list found where not expected") are recorded (recorded-2026 R4.2); those
// about integers, booleans, dates and maps are ours (G). None repeats a value.
func (op Operation) Decode(f Form, in any) *awsmodel.Error {
	top := reflect.ValueOf(in).Elem()
	d, plan := decoder{}, op.planned()
	for _, p := range f.params {
		if strings.HasSuffix(p.name, ".") {
			continue // it names nothing, and must not count as the name before the dot
		}
		d.param = p
		if err := d.set(plan.in, top, p.name); err != nil {
			return err
		}
	}
	return nil
}

// decoder stores one parameter after the other.
type decoder struct {
	param
	// keys holds the keys of maps by the name of their entry. A key comes
	// before its value, because forms are sorted.
	keys map[string]string
}

// set stores the parameter in v, which may be a pointer. rest is the part of
// the parameter's name below v.
func (d *decoder) set(n *node, v reflect.Value, rest string) *awsmodel.Error {
	if n.pointer {
		if v.IsNil() {
			v.Set(reflect.New(n.typ))
		}
		v = v.Elem()
	}
	switch n.kind {
	case structure, union:
		return d.setMember(n, v, rest)
	case list:
		return d.setElement(n, v, rest)
	case dict:
		return d.setEntry(n, v, rest)
	}
	if rest != "" {
		return malformed("Start of structure or map found where not expected.")
	}
	return d.setScalar(n, v)
}

func (d *decoder) setMember(n *node, v reflect.Value, rest string) *awsmodel.Error {
	if rest == "" && d.name != "" {
		return malformed("Unexpected complex element termination")
	}
	member, rest := cut(rest)
	for i := range n.fields {
		f := &n.fields[i]
		if f.name != member {
			continue
		}
		if f.variant == nil {
			return d.set(f.node, v.Field(f.index), rest)
		}
		if v.IsNil() {
			v.Set(reflect.New(f.variant.Elem()))
		}
		if v.Elem().Type() != f.variant {
			return malformed("More than one member of a union is given at %s.", shorten(d.name))
		}
		return d.set(f.node, v.Elem().Elem().Field(f.index), rest)
	}
	return nil
}

// setElement stores a value in an element of a list, Tags.member.1. A name in
// place of the index, Tags.member.one, is not the name of an element: then a
// list of structures has an empty first element (recorded).
func (d *decoder) setElement(n *node, v reflect.Value, rest string) *awsmodel.Error {
	if rest == "" {
		return d.setEmpty(v, reflect.MakeSlice(n.typ, 0, 0))
	}
	index, rest, err := d.indexed(rest, "member")
	switch {
	case err != nil:
		return err
	case index == 0 && n.elem.kind != structure && n.elem.kind != union:
		return malformed("Start of list found where not expected")
	case index == 0:
		return extend(v, 1)
	}
	if err := extend(v, index); err != nil {
		return err
	}
	return d.set(n.elem, v.Index(index-1), rest)
}

// extend makes a list long enough for an element. Elements come in the order of
// their indexes, so a list grows only by the missing elements, which stay
// empty.
func extend(v reflect.Value, index int) *awsmodel.Error {
	length := v.Len()
	if skip := index - max(length, 1); skip > maxSkip {
		return malformed("Excessively sparse input would skip %s list elements", grouped(skip))
	}
	if index <= length {
		return nil
	}
	if index > v.Cap() {
		v.Grow(index - length)
	}
	v.SetLen(index)
	return nil
}

// grouped returns a number in AWS's form, 1,499.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// setEntry stores the key or the value of a map's entry, Map.entry.1.key or
// Map.entry.1.value.
func (d *decoder) setEntry(n *node, v reflect.Value, rest string) *awsmodel.Error {
	if rest == "" {
		return d.setEmpty(v, reflect.MakeMap(n.typ))
	}
	index, rest, err := d.indexed(rest, "entry")
	if err != nil {
		return err
	}
	if index == 0 {
		return malformed("%s does not have a valid index.", shorten(d.name))
	}
	half, rest := cut(rest)
	entry := strings.TrimSuffix(strings.TrimSuffix(d.name, rest), ".")
	entry = strings.TrimSuffix(entry, "."+half)
	entry = entry[:strings.LastIndexByte(entry, '.')+1] + strconv.Itoa(index)
	if v.IsNil() {
		v.Set(reflect.MakeMap(n.typ))
	}
	elem := reflect.New(n.typ.Elem()).Elem()
	switch {
	case half == "key" && rest == "":
		if v.MapIndex(reflect.ValueOf(d.value)).IsValid() {
			return malformed("The key of %s is given more than once.", shorten(d.name))
		}
		if d.keys == nil {
			d.keys = map[string]string{}
		}
		d.keys[entry] = d.value
		v.SetMapIndex(reflect.ValueOf(d.value), elem)
		return nil
	case half != "value":
		return nil // an unknown member of the entry
	}
	key, ok := d.keys[entry]
	if !ok {
		return malformed("%s has no key.", shorten(d.name))
	}
	elem.Set(v.MapIndex(reflect.ValueOf(key)))
	if err := d.set(n.elem, elem, rest); err != nil {
		return err
	}
	v.SetMapIndex(reflect.ValueOf(key), elem)
	return nil
}

// setEmpty handles the name of a list or map with an empty value, Tags=, by
// which clients send an empty one.
func (d *decoder) setEmpty(v, empty reflect.Value) *awsmodel.Error {
	if d.value != "" {
		return malformed("Unexpected list element termination")
	}
	v.Set(empty)
	return nil
}

// indexed removes the keyword and an index from the front of rest. The index is
// 0 if there is no number in its place.
func (d *decoder) indexed(rest, keyword string) (index int, left string, err *awsmodel.Error) {
	word, rest := cut(rest)
	if word != keyword {
		return 0, "", malformed("Start of structure or map found where not expected.")
	}
	word, rest = cut(rest)
	number, ok := digits(word)
	switch {
	case word == "":
		return 0, "", malformed("%s does not have a valid list index.", shorten(d.name))
	case word[0] == '-':
		return 0, "", malformed("Key %s may not have a leading '-'", shorten(word))
	case !ok:
		return 0, rest, nil
	case number == "":
		return 0, "", malformed("0 is not a valid index")
	case len(number) > maxIndexDigits:
		return 0, "", malformed("Index %s is illegal", shorten(word)) // G
	}
	if next, _ := cut(rest); next != "" {
		if _, twice := digits(next); twice {
			return 0, "", malformed("Two index elements may not occur back to back")
		}
	}
	index, _ = strconv.Atoi(number)
	return index, rest, nil
}

// maxIndexDigits limits the length of an index. All longer ones are far too
// large and refused.
const maxIndexDigits = 9

func (d *decoder) setScalar(n *node, v reflect.Value) *awsmodel.Error {
	switch n.kind {
	case text:
		// AWS refuses an empty value of an enumerated member. The SDK's type
		// does not distinguish empty from absent.
		if n.enum && d.value == "" {
			v.SetString(awsmodel.EmptyEnum)
		} else {
			v.SetString(d.value)
		}
	case integer:
		// An optional sign, leading zeros, nothing else. A value beyond the
		// type's range is malformed; awsmodel.Check handles one beyond the
		// model's.
		number, err := strconv.ParseInt(d.value, 10, n.bits)
		if err != nil {
			return malformed("%s must be an integer.", shorten(d.name))
		}
		v.SetInt(number)
	case boolean:
		switch d.value {
		case "true", "1":
			v.SetBool(true)
		case "false", "0":
			v.SetBool(false)
		default:
			return malformed("%s must be true or false.", shorten(d.name))
		}
	case timestamp:
		t, err := time.Parse(time.RFC3339, d.value)
		if err != nil {
			return malformed("%s must be a timestamp.", shorten(d.name))
		}
		v.Set(reflect.ValueOf(t.UTC()))
	case blob:
		data, err := base64.StdEncoding.DecodeString(d.value)
		if err != nil {
			return malformed("%s must be encoded with Base64.", shorten(d.name))
		}
		v.SetBytes(data)
	}
	return nil
}

func cut(s string) (part, rest string) {
	part, rest, _ = strings.Cut(s, ".")
	return part, rest
}
