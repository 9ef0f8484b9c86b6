// Package automaton matches texts with regular expressions as regexp.MatchString
// does, in about half a nanosecond for a byte. It suits expressions that are
// applied to many short texts.
//
// An expression becomes a deterministic automaton that reads ASCII bytes. A text
// with any other byte is left to package regexp, and so are expressions that would
// become too large.
package automaton

import (
	"math/bits"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Compile returns the function that reports whether a text contains a match of a
// regular expression in the syntax of package regexp. It is safe for concurrent use.
func Compile(expression string) (func(text string) bool, error) {
	whole, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, err
	}
	parsed = parsed.Simplify()
	if match := literal(parsed); match != nil {
		return match, nil
	}
	program, err := syntax.Compile(parsed)
	if err != nil {
		return nil, err
	}
	b := build(program)
	switch {
	case b == nil:
		return whole.MatchString, nil
	case len(b.states) <= maxSmall:
		return newSmall(b, whole).match, nil
	}
	return newLarge(b, whole).match, nil
}

// literal returns the function for an expression that consists of a text in ASCII
// and perhaps the anchors around it, and nil for any other.
func literal(x *syntax.Regexp) func(string) bool {
	parts := []*syntax.Regexp{x}
	if x.Op == syntax.OpConcat {
		parts = x.Sub
	}
	first, last := parts[0].Op == syntax.OpBeginText, parts[len(parts)-1].Op == syntax.OpEndText
	if first {
		parts = parts[1:]
	}
	if last && len(parts) > 0 {
		parts = parts[:len(parts)-1]
	}
	if len(parts) != 1 || parts[0].Op != syntax.OpLiteral || parts[0].Flags&syntax.FoldCase != 0 {
		return nil
	}
	text := string(parts[0].Rune)
	switch {
	case strings.ContainsFunc(text, func(c rune) bool { return c >= beyondASCII }):
		return nil
	case first && last:
		return func(s string) bool { return s == text }
	case first:
		return func(s string) bool { return strings.HasPrefix(s, text) }
	case last:
		return func(s string) bool { return strings.HasSuffix(s, text) }
	}
	return func(s string) bool { return strings.Contains(s, text) }
}

// maxSmall is the maximum number of states of a small automaton.
const maxSmall = 16

// small is an automaton of at most 16 states. A state is four times its number. The
// row of a byte holds the next state of each state, in four bits that the rotation
// by the state brings to bits 2 to 5. So the next state takes no further access to
// memory, which would be slower.
type small struct {
	rows  [256]uint64
	ends  uint16 // the states in which the end of the text completes a match
	whole *regexp.Regexp
}

func newSmall(b *builder, whole *regexp.Regexp) *small {
	m := &small{whole: whole}
	for from := range b.states {
		for c := range m.rows {
			next := uint64(b.next(from, byte(c))) << 2
			m.rows[c] |= bits.RotateLeft64(next, -from<<2)
		}
		if b.states[from].ends {
			m.ends |= 1 << from
		}
	}
	return m
}

func (m *small) match(text string) bool {
	state, s := uint64(start<<2), text
	for ; len(s) >= 8; s = s[8:] {
		state = bits.RotateLeft64(m.rows[s[0]], int(state)) & 60
		state = bits.RotateLeft64(m.rows[s[1]], int(state)) & 60
		state = bits.RotateLeft64(m.rows[s[2]], int(state)) & 60
		state = bits.RotateLeft64(m.rows[s[3]], int(state)) & 60
		state = bits.RotateLeft64(m.rows[s[4]], int(state)) & 60
		state = bits.RotateLeft64(m.rows[s[5]], int(state)) & 60
		state = bits.RotateLeft64(m.rows[s[6]], int(state)) & 60
		state = bits.RotateLeft64(m.rows[s[7]], int(state)) & 60
		if state < start<<2 { // it is never left
			s = ""
			break
		}
	}
	for i := 0; i < len(s); i++ {
		state = bits.RotateLeft64(m.rows[s[i]], int(state)) & 60
	}
	if state == beyond<<2 {
		return m.whole.MatchString(text)
	}
	return m.ends>>(state>>2)&1 != 0
}

// large is an automaton of more states.
type large struct {
	class [256]uint8 // the class of each byte
	next  []uint8    // the next state by the state, in steps of width, and the class
	ends  []bool
	width int
	whole *regexp.Regexp
}

func newLarge(b *builder, whole *regexp.Regexp) *large {
	m := &large{class: b.classes, width: len(b.chars) + 1, whole: whole}
	for from := range b.states {
		m.next = append(m.next, b.states[from].next...)
		m.ends = append(m.ends, b.states[from].ends)
	}
	return m
}

func (m *large) match(text string) bool {
	state := start
	for i := 0; i < len(text) && state >= start; i++ {
		state = int(m.next[state*m.width+int(m.class[text[i]])])
	}
	if state == beyond {
		return m.whole.MatchString(text)
	}
	return m.ends[state]
}
