package policy

import (
	"context"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	literal  tokenKind = iota
	star               // any characters, or none
	question           // exactly one unit of UTF-16
	variable           // the value from the context, literally
)

// token is one piece of a pattern. Wildcards and literals are distinguished
// when the document is parsed. So an asterisk from a variable is only an
// asterisk and cannot widen the pattern.
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
	fold   bool // case is ignored; the literals are in lower case
	units  bool // some token is a question mark; the literals are in the form of toUnits
	short  bool // the head decides: only an asterisk follows it
	// head holds the first bytes of every match, as headOf returns them; mask
	// has all bits of as many bytes as are known.
	head, mask uint64
}

// headOf returns the first eight bytes of a text. If case is ignored, they are
// in lower case, except those that are not ASCII.
func headOf(s string, fold bool) (head uint64) {
	for i := range min(len(s), headLen) {
		head |= uint64(lowerIf(fold, s[i])) << (8 * i)
	}
	return head
}

const headLen = 8

// match reports whether s matches. An asterisk matches colons and slashes as
// well: IAM lets the last asterisk of an ARN's segment run over the following
// colons, and within the resource part nothing stops one. If fold is set, s is
// ASCII or in lower case.
//
// It looks for a run between two asterisks once, at its leftmost position, so
// there is no backtracking over asterisks. The cost is linear in s for runs
// that are plain text or short, and otherwise len(s) times the run's length by
// 64.
func (e *evaluation) match(p *pattern, s string) bool {
	if !e.spend(1) {
		return false
	}
	if p.units {
		s = toUnits(s)
	}
	if p.vars {
		return e.matchResolved(p, s)
	}
	return e.matchTokens(p.tokens, s, p.fold)
}

// matches is match outside of an evaluation, for short texts of ASCII.
func (p *pattern) matches(s string) bool {
	e := begin(context.Background(), Request{})
	return e.match(p, s)
}

// matchResolved is separate so that only patterns with variables pay for the
// buffer.
func (e *evaluation) matchResolved(p *pattern, s string) bool {
	if p.fold {
		text, ok := e.text(p)
		lower := toLower(text)
		return ok && e.spend(len(lower)) && len(s) == len(lower) && hasPrefix(s, lower, true)
	}
	var buffer [16]token
	tokens, ok := e.resolve(buffer[:0], p)
	return ok && e.matchTokens(tokens, s, false)
}

func (e *evaluation) matchTokens(tokens []token, s string, fold bool) bool {
	run, tokens := cutRun(tokens)
	n := prefixLen(run, s, fold)
	if n < 0 || !e.spend(n/16+len(run)) {
		return false
	}
	s = s[n:]
	if len(tokens) == 0 {
		return s == ""
	}
	for {
		run, tokens = cutRun(tokens[1:]) // tokens[0] is an asterisk
		if len(tokens) == 0 {
			return e.spend(len(run)) && hasSuffix(run, s, fold)
		}
		if n = e.indexEnd(run, s, fold); n < 0 {
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

// indexEnd returns the end of the leftmost position in s that run matches. It
// returns -1 if there is none or the work has reached its limit.
func (e *evaluation) indexEnd(run []token, s string, fold bool) int {
	if len(run) == 0 {
		return 0
	}
	if n := runLen(run); n > longRun && len(s) > longRun && len(run) > 1 && !fold {
		if !e.spend(4 * n) {
			return -1
		}
		if r := newUnitRun(run); r != nil {
			return e.indexUnits(r, s)
		}
	}
	for at := 0; at <= len(s); {
		if !fold && run[0].kind == literal {
			skip := strings.Index(s[at:], run[0].text)
			if skip < 0 {
				e.spend((len(s) - at) / 16)
				return -1
			}
			e.spend(skip / 16)
			at += skip
		}
		n, cost := tryPrefix(run, s[at:], fold)
		if !e.spend(cost) {
			return -1
		}
		if n >= 0 {
			return at + n
		}
		at += max(unitLen(s[at:]), 1)
	}
	return -1
}

// prefixLen returns how many bytes of s the run takes at its beginning, or -1.
func prefixLen(run []token, s string, fold bool) int {
	n, _ := tryPrefix(run, s, fold)
	return n
}

// tryPrefix is prefixLen that also returns the number of its steps.
func tryPrefix(run []token, s string, fold bool) (n, steps int) {
	at := 0
	for i := range run {
		rest := s[at:]
		switch t := &run[i]; {
		case t.kind == question:
			if rest == "" {
				return -1, i + at/16 + 1
			}
			at += unitLen(rest)
		case hasPrefix(rest, t.text, fold):
			at += len(t.text)
		default:
			return -1, i + (at+len(t.text))/16 + 1
		}
	}
	return at, len(run) + at/16
}

// hasSuffix reports whether s ends with the run.
func hasSuffix(run []token, s string, fold bool) bool {
	for i := len(run) - 1; i >= 0; i-- {
		start := len(s)
		switch t := &run[i]; t.kind {
		case question:
			if s == "" {
				return false
			}
			_, size := utf8.DecodeLastRuneInString(s)
			if size == 1 && isSurrogate(s[max(0, len(s)-3):]) {
				size = 3
			}
			start -= size
		default:
			start -= len(t.text)
			if start < 0 || !hasPrefix(s[start:], t.text, fold) {
				return false
			}
		}
		s = s[:start]
	}
	return true
}

// hasPrefix reports whether s begins with a literal. If case is ignored the
// literal is in lower case, and so is s if it is not ASCII.
func hasPrefix(s, text string, fold bool) bool {
	if !fold {
		return strings.HasPrefix(s, text)
	}
	if len(s) < len(text) {
		return false
	}
	for i := range len(text) {
		if lowerIf(true, s[i]) != text[i] {
			return false
		}
	}
	return true
}

func lowerIf(fold bool, c byte) byte {
	if fold && 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
