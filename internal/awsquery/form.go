package awsquery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"rollcall/internal/awsmodel"
)

// MaxParameters is the number of parameters a form may hold. The largest
// request a client makes, a policy simulation, needs some hundreds.
const MaxParameters = 10_000

// Form is a request's parameters: each name once, in the order of their names
// with list indexes compared as numbers.
type Form struct {
	params []param
}

type param struct {
	name, value string
}

// ParseForm reads an application/x-www-form-urlencoded body or query string,
// strictly. Errors:
//
//   - MalformedQueryString: a percent sign without two hexadecimal digits
//   - MalformedInput: bytes that are not UTF-8, a parameter given twice, more
//     parameters than MaxParameters
//
// Only "&" separates parameters; a semicolon is an ordinary character.
func ParseForm(raw string) (Form, *awsmodel.Error) {
	if raw == "" {
		return Form{}, nil
	}
	count := strings.Count(raw, "&") + 1
	if count > MaxParameters {
		return Form{}, malformed("Too many parameters: at most %d are accepted.", MaxParameters)
	}
	params := make([]param, 0, count)
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return Form{}, err
		}
		if value, err = unescape(value); err != nil {
			return Form{}, err
		}
		params = append(params, param{name, value})
	}
	slices.SortFunc(params, func(a, b param) int { return compareNames(a.name, b.name) })
	for i := 1; i < len(params); i++ {
		if compareNames(params[i-1].name, params[i].name) == 0 {
			// AWS's text is not known (G). A request that two readers could
			// understand differently is refused.
			return Form{}, malformed("Parameter %s is given more than once.", shorten(params[i].name))
		}
	}
	return Form{params}, nil
}

// Get returns a parameter's value, empty if it is absent.
func (f Form) Get(name string) string {
	value, _ := f.Lookup(name)
	return value
}

// Lookup returns a parameter's value and whether it is present.
func (f Form) Lookup(name string) (string, bool) {
	i, found := slices.BinarySearchFunc(f.params, name, func(p param, name string) int {
		return compareNames(p.name, name)
	})
	if !found {
		return "", false
	}
	return f.params[i].value, true
}

// Len returns the number of parameters.
func (f Form) Len() int { return len(f.params) }

// All yields names and values.
func (f Form) All() func(yield func(name, value string) bool) {
	return func(yield func(string, string) bool) {
		for _, p := range f.params {
			if !yield(p.name, p.value) {
				return
			}
		}
	}
}

// Action returns the Action parameter.
func (f Form) Action() string { return f.Get("Action") }

// Version returns the Version parameter.
func (f Form) Version() string { return f.Get("Version") }

func malformed(format string, args ...any) *awsmodel.Error {
	return awsmodel.Fail("MalformedInput", format, args...)
}

// shorten cuts a name that a client invented to the length that an answer may
// repeat.
func shorten(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "..."
}

// unescape decodes percent escapes and plus signs. The texts of its errors are
// AWS's (spec: order of checks, row 4).
func unescape(s string) (string, *awsmodel.Error) {
	if !strings.ContainsAny(s, "%+") {
		return checkUTF8(s)
	}
	plain := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			plain = append(plain, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", awsmodel.Fail("MalformedQueryString", "Incomplete trailing escape %% sequence")
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high > 15 || low > 15 {
				return "", awsmodel.Fail("MalformedQueryString", "Illegal hex character in escape %% pattern: %s",
					printable(s[i:i+3]))
			}
			plain = append(plain, high<<4|low)
			i += 2
		default:
			plain = append(plain, c)
		}
	}
	return checkUTF8(string(plain))
}

func checkUTF8(s string) (string, *awsmodel.Error) {
	if !utf8.ValidString(s) {
		return "", malformed("Parameters must be encoded as UTF-8.")
	}
	return s, nil
}

func printable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.Trim(fmt.Sprintf("%+q", s), `"`)
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// compareNames orders parameter names part by part. Parts that are numbers are
// compared by value, so that member.2 comes before member.10 and member.01 is
// member.1. Two names for which it returns 0 are one parameter.
func compareNames(a, b string) int {
	for {
		partA, restA, moreA := strings.Cut(a, ".")
		partB, restB, moreB := strings.Cut(b, ".")
		if order := compareParts(partA, partB); order != 0 {
			return order
		}
		if !moreA || !moreB {
			return cmp.Compare(boolInt(moreA), boolInt(moreB))
		}
		a, b = restA, restB
	}
}

func compareParts(a, b string) int {
	numberA, isA := digits(a)
	numberB, isB := digits(b)
	switch {
	case isA && isB:
		if order := cmp.Compare(len(numberA), len(numberB)); order != 0 {
			return order
		}
		return strings.Compare(numberA, numberB)
	case isA:
		return -1
	case isB:
		return 1
	}
	return strings.Compare(a, b)
}

// digits returns a number without its leading zeros. ok says whether s is a
// number.
func digits(s string) (string, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", false
		}
	}
	return strings.TrimLeft(s, "0"), s != ""
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
