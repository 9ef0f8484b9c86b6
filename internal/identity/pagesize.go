package identity

import (
	"reflect"
	"strings"
	"time"
)

// answerBytes is the approximate size at which a page ends, even if the caller
// wants more items. A thousand trust policies have some 20 MiB. IAM,
// pagination: a page may have fewer items than MaxItems although there are
// more.
const answerBytes = 2 << 20

// elementBytes is the size of the tags around a value of an answer. itemBytes
// is the size of the tags, dates and ids of an item.
const elementBytes, itemBytes = 60, 300

// fitting returns how many of the first items fit into an answer, at least one.
func fitting[T any](items []T) int {
	size := 0
	for i := range items {
		if size += itemBytes + answerLength(reflect.ValueOf(&items[i])); i > 0 && size > answerBytes {
			return i
		}
	}
	return len(items)
}

// answerLength estimates how many bytes of an answer a value takes. The value
// is part of an answer or of the store.
func answerLength(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.String:
		return elementBytes + textLength(v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return answerLength(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return elementBytes
		}
		for i := range v.NumField() {
			n += answerLength(v.Field(i))
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return 2 * v.Len()
		}
		for i := range v.Len() {
			n += elementBytes + answerLength(v.Index(i))
		}
	}
	return n
}

// textLength returns the maximum length of a text in an answer. Answers escape
// special characters, and encode those of documents as %xx. A short text, such
// as a path, may be part of an ARN as well.
func textLength(s string) int {
	const short = 600
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case strings.IndexByte("&<>\"'\r\n\t", c) >= 0:
			n += 5
		case c <= ' ', c > '~', strings.IndexByte("{}[]()*?,;=+$@!#|\\^`", c) >= 0,
			len(s) > short && (c == ':' || c == '/'):
			n += 2
		}
	}
	if len(s) <= short {
		n *= 2
	}
	return n
}
