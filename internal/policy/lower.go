package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Fold returns the form in which names of condition keys, and so the keys of
// tags in them, are compared: without case.
func Fold(name string) string { return toLower(name) }

// lastOfBasicPlane is the last character that is one unit of UTF-16.
const lastOfBasicPlane = '\uFFFF'

// toLower returns the lower case by which IAM compares without case, which is
// Java's of no particular language. It works character by character, except for
// a dotted capital I, which becomes two, and a sigma that ends a word. Unlike
// folding it distinguishes letters that differ in more than case: a long s is
// not an s. Characters beyond U+FFFF keep their case, though they count as
// letters with case next to a sigma. Recorded.
func toLower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		switch {
		case r == 'Σ' && hasCased(runes, i, -1) && !hasCased(runes, i, +1):
			r = 'ς'
		case r == 'İ':
			b.WriteByte('i')
			r = '\u0307' // a dot above
		case r <= lastOfBasicPlane:
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

var cased = []*unicode.RangeTable{
	unicode.Upper, unicode.Lower, unicode.Title, unicode.Other_Lowercase, unicode.Other_Uppercase,
}

// hasCased reports whether a letter with case is in the same word before or
// after a position. A word consists of letters, digits and marks. A dash, a
// quote or a full stop between two letters belongs to it.
// java.lang.ConditionalSpecialCasing, whose words are those of its
// BreakIterator.
func hasCased(runes []rune, at, step int) bool {
	for i := at + step; 0 <= i && i < len(runes); i += step {
		r := runes[i]
		switch {
		case unicode.In(r, cased...):
			return true
		case unicode.In(r, unicode.L, unicode.N, unicode.Mn, unicode.Me, unicode.Mc, unicode.Cf):
		case unicode.Is(unicode.Pd, r) || strings.ContainsRune("\"'.\u2027", r):
			if i == 0 || i+1 == len(runes) || !unicode.IsLetter(runes[i-1]) || !unicode.IsLetter(runes[i+1]) {
				return false
			}
		default:
			return false
		}
	}
	return false
}
