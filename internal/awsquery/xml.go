package awsquery

import (
	"unicode/utf8"
)

// appendText appends s as the text of an element. Quotes stay unchanged, as in
// AWS's recorded messages (Value at 'userName'). Line ends become character
// references, because a parser would change them. Characters that XML 1.0 does
// not allow become U+FFFD. A tab stays unchanged.
func appendText(b []byte, s string) []byte {
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '&' && c != '<' && c != '>' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		escape := ""
		switch {
		case r == '&':
			escape = "&amp;"
		case r == '<':
			escape = "&lt;"
		case r == '>':
			escape = "&gt;"
		case r == '\n':
			escape = "&#xA;"
		case r == '\r':
			escape = "&#xD;"
		case r < ' ', r == 0xFFFE, r == 0xFFFF, r == utf8.RuneError && size == 1:
			escape = "\uFFFD"
		default:
			i += size
			continue
		}
		b = append(append(b, s[plain:i]...), escape...)
		i += size
		plain = i
	}
	return append(b, s[plain:]...)
}

func appendIndent(b []byte, depth int) []byte {
	for range depth {
		b = append(b, "  "...)
	}
	return b
}

func appendOpen(b []byte, depth int, name string) []byte {
	b = append(appendIndent(b, depth), '<')
	return append(append(b, name...), '>')
}

func appendClose(b []byte, name string) []byte {
	b = append(append(b, "</"...), name...)
	return append(b, ">\n"...)
}

// appendEmpty writes an element without content, <Tags/>. AWS is recorded to
// write empty lists in this way (and, we assume, everything empty).
func appendEmpty(b []byte, depth int, name string) []byte {
	b = append(appendIndent(b, depth), '<')
	return append(append(b, name...), "/>\n"...)
}

// appendElement writes an element that only contains text.
func appendElement(b []byte, depth int, name, value string) []byte {
	if value == "" {
		return appendEmpty(b, depth, name)
	}
	return appendClose(appendText(appendOpen(b, depth, name), value), name)
}
