package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	literal  tokenKind = iota
	star               // any characters, none included
	question           // exactly one character
	variable           // what the context says, taken literally
)

// token is one piece of a pattern. Wildcards are told from literals when the
// document is parsed, so that an asterisk that comes out of a variable is an
// asterisk and can widen nothing.
type token struct {
	kind  tokenKind
	text  string // of a literal; of a variable the folded key
	deflt string // of a variable
	has   bool   // the variable has a default
}

// pattern is a compiled text of a policy. Its zero value matches "".
type pattern struct {
	tokens []token
	vars   bool // some token is a variable
	fold   bool // letters are compared without case
	// first is the character every match begins with, in lower case where fold
	// is set; 0 where there is none or it is not ASCII.
	first byte
}

// match reports whether s matches. An asterisk matches colons and slashes as
// well: IAM lets the last asterisk of an ARN's segment run over the following
// colons, and within the resource part nothing stops one.
//
// A run between two asterisks is looked for once, at its leftmost place, so
// there is no backtracking over asterisks: the cost is linear in s for runs
// that are plain text, and never more than len(s) times the longest run.
func (p *pattern) match(s string, ctx Context) bool {
	if p.first != 0 && !p.mayBegin(s) {
		return false
	}
	if p.vars {
		return p.matchResolved(s, ctx)
	}
	return matchTokens(p.tokens, s, p.fold)
}

// mayBegin looks at one character: most patterns of a policy are of another
// service than the request, and end here.
func (p *pattern) mayBegin(s string) bool {
	if s == "" {
		return false
	}
	c := s[0]
	if p.fold && 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	// A character beyond ASCII can be an ASCII letter in other case: U+212A is a K.
	return c == p.first || p.fold && c >= utf8.RuneSelf
}

// matchResolved is apart so that only patterns with variables pay for the buffer.
func (p *pattern) matchResolved(s string, ctx Context) bool {
	var buffer [16]token
	tokens, ok := resolve(buffer[:0], p.tokens, ctx)
	return ok && matchTokens(tokens, s, p.fold)
}

func matchTokens(tokens []token, s string, fold bool) bool {
	run, tokens := cutRun(tokens)
	n := prefixLen(run, s, fold)
	if n < 0 {
		return false
	}
	s = s[n:]
	if len(tokens) == 0 {
		return s == ""
	}
	for {
		run, tokens = cutRun(tokens[1:]) // tokens[0] is an asterisk
		if len(tokens) == 0 {
			return hasSuffix(run, s, fold)
		}
		if n = indexEnd(run, s, fold); n < 0 {
			return false
		}
		s = s[n:]
	}
}

// cutRun cuts the tokens before the first asterisk.
func cutRun(tokens []token) (run, rest []token) {
	for i := range tokens {
		if tokens[i].kind == star {
			return tokens[:i], tokens[i:]
		}
	}
	return tokens, nil
}

// indexEnd returns the end of the leftmost place in s that run matches, or -1.
func indexEnd(run []token, s string, fold bool) int {
	if len(run) == 0 {
		return 0
	}
	for at := 0; at <= len(s); {
		if !fold && run[0].kind == literal {
			skip := strings.Index(s[at:], run[0].text)
			if skip < 0 {
				return -1
			}
			at += skip
		}
		if n := prefixLen(run, s[at:], fold); n >= 0 {
			return at + n
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += max(size, 1)
	}
	return -1
}

// prefixLen returns how many bytes of s the run takes at its beginning, or -1.
func prefixLen(run []token, s string, fold bool) int {
	at := 0
	for i := range run {
		n := -1
		switch t := &run[i]; {
		case t.kind == question:
			if at < len(s) {
				_, n = utf8.DecodeRuneInString(s[at:])
			}
		case fold:
			n = foldedPrefixLen(s[at:], t.text)
		case strings.HasPrefix(s[at:], t.text):
			n = len(t.text)
		}
		if n < 0 {
			return -1
		}
		at += n
	}
	return at
}

// hasSuffix reports whether s ends with the run.
func hasSuffix(run []token, s string, fold bool) bool {
	for i := len(run) - 1; i >= 0; i-- {
		start := len(s)
		switch t := &run[i]; {
		case t.kind == question:
			if s == "" {
				return false
			}
			_, size := utf8.DecodeLastRuneInString(s)
			start -= size
		case fold:
			// Folding may change the length of a character, not their number.
			for range utf8.RuneCountInString(t.text) {
				_, size := utf8.DecodeLastRuneInString(s[:start])
				start -= size
			}
			if foldedPrefixLen(s[start:], t.text) != len(s)-start {
				return false
			}
		default:
			if !strings.HasSuffix(s, t.text) {
				return false
			}
			start -= len(t.text)
		}
		s = s[:start]
	}
	return true
}

// foldedPrefixLen is how many bytes of s equal prefix without case, or -1.
func foldedPrefixLen(s, prefix string) int {
	at := 0
	for _, want := range prefix {
		if at >= len(s) {
			return -1
		}
		got, size := rune(s[at]), 1
		if got >= utf8.RuneSelf {
			got, size = utf8.DecodeRuneInString(s[at:])
		}
		if got != want && !equalFold(got, want) {
			return -1
		}
		at += size
	}
	return at
}

// equalFold reports whether two different characters differ only in case.
func equalFold(a, b rune) bool {
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		const bit = 'a' - 'A'
		return a|bit == b|bit && 'a' <= a|bit && a|bit <= 'z'
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}

// arnParts is the number of an ARN's parts; the last one keeps its colons.
const arnParts = 6

// splitARN cuts tokens at the first five colons that the policy's author or a
// variable wrote. It returns nil for what has fewer parts: no ARN.
func splitARN(tokens []token) [][]token {
	parts := make([][]token, 1, arnParts)
	for _, t := range tokens {
		for t.kind == literal && len(parts) < arnParts {
			before, after, found := strings.Cut(t.text, ":")
			if !found {
				break
			}
			last := &parts[len(parts)-1]
			*last = append(*last, token{text: before})
			parts = append(parts, nil)
			t.text = after
		}
		last := &parts[len(parts)-1]
		*last = append(*last, t)
	}
	if len(parts) < arnParts {
		return nil
	}
	return parts
}

// matchARN compares part by part: in ARN conditions no wildcard runs over one
// of the first five colons.
func matchARN(parts [][]token, s string) bool {
	if parts == nil {
		return false
	}
	for i, tokens := range parts {
		part, rest, found := s, "", false
		if i < arnParts-1 {
			if part, rest, found = strings.Cut(s, ":"); !found {
				return false
			}
		}
		if !matchTokens(tokens, part, false) {
			return false
		}
		s = rest
	}
	return true
}
