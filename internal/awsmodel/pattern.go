package awsmodel

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"rollcall/internal/lazyregexp"
)

func (s *Shape) setPattern(pattern string) {
	s.Pattern = pattern
	s.matcher = sync.OnceValue(func() func(string) bool { return compile(pattern) })
}

// matches reports whether the whole of text matches the shape's pattern.
func (s *Shape) matches(text string) bool {
	return s.matcher == nil || s.matcher()(text)
}

// aliasPattern is the pattern of account aliases. It is the only one with a
// lookahead, which Go's regular expressions do not support.
const aliasPattern = `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`

// compile returns a function for a pattern of the model. It panics for a
// pattern that Go cannot read. A test compiles them all.
func compile(pattern string) func(string) bool {
	if pattern == aliasPattern {
		// The same set: no two hyphens in a row, no hyphen at either end.
		outline := regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\z`)
		return func(s string) bool { return outline.MatchString(s) && !strings.Contains(s, "--") }
	}
	anchored := `\A(?:` + goSyntax(pattern) + `)\z`
	if match := characterSet(goSyntax(pattern)); match != nil {
		return match
	}
	return regexp.MustCompile(anchored).MatchString
}

var unicodeEscape = lazyregexp.New(`\\u([0-9A-Fa-f]{4,6})`)

// goSyntax rewrites Java's \\u0020 as Go's \\x{0020}. STS's arnType writes
// characters beyond the basic plane with five and six digits.
func goSyntax(pattern string) string {
	return unicodeEscape.ReplaceAllString(pattern, `\x{$1}`)
}

// characterSet returns a function for a pattern that is only one class of
// characters, repeated, as most are. It returns nil for any other. It takes a
// tenth of the time of package regexp, which matters for policy documents of
// 128 KiB.
func characterSet(pattern string) func(string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || re.Op != syntax.OpPlus && re.Op != syntax.OpStar || re.Sub[0].Op != syntax.OpCharClass {
		return nil
	}
	empty, ranges := re.Op == syntax.OpStar, re.Sub[0].Rune
	return func(s string) bool {
		for _, r := range s {
			if !inRanges(ranges, r) {
				return false
			}
		}
		return empty || s != ""
	}
}

// inRanges says whether r is in ordered pairs of first and last character.
func inRanges(ranges []rune, r rune) bool {
	if len(ranges) <= 16 {
		for i := 0; i < len(ranges); i += 2 {
			if ranges[i] <= r && r <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	at, exact := slices.BinarySearch(ranges, r)
	return exact || at%2 == 1
}
