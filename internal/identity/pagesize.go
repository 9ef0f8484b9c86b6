package identity

import (
	"reflect"
	"strings"
	"time"
)

// answerBytes is about how much a page tells before it ends, however many items
// are wanted: a thousand trust policies are some 20 MiB. IAM, pagination: fewer
// items than MaxItems may come although there are more.
const answerBytes = 2 << 20

// elementBytes are the tags around a value of an answer, itemBytes those of an
// item, with its dates and ids.
const elementBytes, itemBytes = 60, 300

// fitting returns how many of the first items an answer has room for: one at
// least.
func fitting[T any](items []T) int {
	size := 0
	for i := range items {
		if size += itemBytes + answerLength(reflect.ValueOf(&items[i])); i > 0 && size > answerBytes {
			return i
		}
	}
	return len(items)
}

// answerLength is about how many bytes of an answer a value takes, as the
// answer has it or as the store does.
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

// textLength returns how long a text can be in an answer: special characters
// are escaped there, those of documents by %xx. A short text, such as a path,
// may be part of an ARN as well.
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
