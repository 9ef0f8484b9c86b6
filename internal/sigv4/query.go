package sigv4

import (
	"strings"

	"rollcall/internal/awsmodel"
)

// Param is one parameter of a query string, decoded.
type Param struct{ Key, Value string }

// Query holds the parameters of a query string in their original order, with
// duplicates.
type Query []Param

// ParseQuery decodes a raw query string: '&' separates the parts, '+' and %20
// are both a space, ';' is an ordinary character, and a part without '=' is a
// key with an empty value. The signature is checked over the same parts, so
// code that uses a query string should use the result.
//
// A bad escape is MalformedQueryString (check 4).
func ParseQuery(raw string) (Query, error) {
	if raw == "" {
		return nil, nil
	}
	query := make(Query, 0, strings.Count(raw, "&")+1)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		var p Param
		var err error
		if p.Key, err = unescape(key); err != nil {
			return nil, err
		}
		if p.Value, err = unescape(value); err != nil {
			return nil, err
		}
		query = append(query, p)
	}
	return query, nil
}

// get returns the first value of a key in exactly this spelling.
func (q Query) get(key string) (value string, ok bool) {
	for _, p := range q {
		if p.Key == key {
			return p.Value, true
		}
	}
	return "", false
}

func unescape(s string) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", awsmodel.Fail("MalformedQueryString", "Incomplete trailing escape %% sequence")
			}
			hi, ok1 := fromHex(s[i+1])
			lo, ok2 := fromHex(s[i+2])
			if !ok1 || !ok2 {
				return "", awsmodel.Fail("MalformedQueryString", "Illegal hex character in escape %% pattern: %s",
					s[i:i+3])
			}
			out = append(out, hi<<4|lo)
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out), nil
}

func fromHex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
