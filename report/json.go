package report

import "unicode/utf8"

// MarshalJSON returns an object with the names of the columns as its keys, in
// the order of the report. Booleans are JSON booleans and times are strings as
// in the report. An absence is its word, so "N/A", "no_information" and
// "not_supported" stay distinct. A missing column has no key, a Malformed cell
// is its text, and unknown columns come last.
func (r Row) MarshalJSON() ([]byte, error) {
	return r.AppendJSON(make([]byte, 0, 1024)), nil
}

// AppendJSON appends the result of [Row.MarshalJSON], on one line. It is for
// streams of many rows. Unlike an encoding/json encoder it does not escape the
// angle brackets of <root_account>.
func (r *Row) AppendJSON(dst []byte) []byte {
	open := byte('{')
	for f := range fieldUnknown {
		text, ok := r.cellAt(f)
		if !ok {
			continue
		}
		dst = append(dst, open, '"')
		open = ','
		dst = append(dst, f.name()...) // needs no escapes
		dst = append(dst, '"', ':')
		if f.kind() == BoolKind && r.boolAt(f).Absence() == Present {
			dst = append(dst, text...)
		} else {
			dst = appendJSONString(dst, text)
		}
	}
	for i := range r.Extra {
		dst = append(dst, open)
		open = ','
		dst = appendJSONString(dst, r.Extra[i].Column)
		dst = append(dst, ':')
		dst = appendJSONString(dst, r.Extra[i].Text)
	}
	return append(dst, '}')
}

// MarshalJSON returns true or false, or otherwise the same as
// [Time.MarshalJSON].
func (b Bool) MarshalJSON() ([]byte, error) {
	if b.Absence() == Present {
		return []byte(b.String()), nil
	}
	return marshalCell(b.String())
}

// MarshalJSON returns the text of the cell as a string, or null for
// MissingColumn and Malformed. The text of a Malformed cell is only in its
// [Row].
func (t Time) MarshalJSON() ([]byte, error) { return marshalCell(t.String()) }

// MarshalJSON returns the same as [Time.MarshalJSON].
func (t Text) MarshalJSON() ([]byte, error) { return marshalCell(t.String()) }

func marshalCell(text string) ([]byte, error) {
	if text == "" {
		return []byte("null"), nil
	}
	return appendJSONString(nil, text), nil
}

// appendJSONString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD,
// and the two line separators that are special in JavaScript are escaped.
func appendJSONString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				dst = append(dst, '\\', c)
			case c < ' ' || c == 0x7f:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			default:
				dst = append(dst, c)
			}
			i++
			continue
		}
		c, size := utf8.DecodeRuneInString(s[i:])
		if c == '\u2028' || c == '\u2029' {
			dst = append(dst, '\\', 'u', '2', '0', '2', hex[c&15])
		} else {
			dst = utf8.AppendRune(dst, c) // RuneError is U+FFFD
		}
		i += size
	}
	return append(dst, '"')
}
