package escape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendJSON appends v on one line. Every unprintable character is written as
// \\u, so that the JSON is safe for a terminal too. The standard library does
// not escape DEL, the C1 controls and the marks that change the direction of
// text.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return dst, err
	}
	return appendSafe(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// appendSafe appends JSON with unprintable characters as escapes. Outside
// strings, JSON has only line ends.
func appendSafe(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf && c != 0x7f {
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case strconv.IsGraphic(r):
			dst = append(dst, text[i:i+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
		i += size
	}
	return dst
}

// IndentJSON returns v in the form of AppendJSON, indented like the AWS CLI's
// output.
func IndentJSON(v any) ([]byte, error) {
	line, err := AppendJSON(nil, v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "    "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
