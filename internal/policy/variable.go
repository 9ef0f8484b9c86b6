package policy

import (
	"strings"
)

// syntax says what a text of a policy may contain.
type syntax struct {
	wild bool // asterisk and question mark are wildcards; otherwise they are characters
	vars bool // ${…} is a variable
	fold bool // case is ignored
}

// compile reads a text into a pattern. It returns false for a variable that has
// no end, no name or an unreadable default.
func compile(text string, s syntax) (pattern, bool) {
	p := pattern{fold: s.fold, units: s.wild && strings.Contains(text, "?")}
	if p.fold && !s.vars {
		text = toLower(text)
	}
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			p.tokens = append(p.tokens, token{kind: literal, text: plain.String()})
			plain.Reset()
		}
	}
	for text != "" {
		if s.vars && strings.HasPrefix(text, "${") {
			t, size, ok := readVariable(text)
			if !ok {
				return pattern{}, false
			}
			if text = text[size:]; t.kind == literal {
				plain.WriteString(t.text)
				continue
			}
			flush()
			p.tokens, p.vars = append(p.tokens, t), true
			continue
		}
		switch c := text[0]; {
		case s.wild && c == '*':
			flush()
			p.tokens = append(p.tokens, token{kind: star})
		case s.wild && c == '?':
			flush()
			p.tokens = append(p.tokens, token{kind: question})
		default:
			plain.WriteByte(c)
		}
		text = text[1:]
	}
	flush()
	p.finish()
	return p, true
}

// finish stores the literals in the form that match compares. If case is
// ignored, literals next to variables stay unchanged, because the character
// next to a letter decides on its lower case.
func (p *pattern) finish() {
	for i := range p.tokens {
		t := &p.tokens[i]
		if t.kind != literal {
			continue
		}
		if p.fold && !p.vars {
			t.text = toLower(t.text)
		}
		if p.units {
			t.text = toUnits(t.text)
		}
	}
	if len(p.tokens) > 0 && p.tokens[0].kind == star {
		p.short = len(p.tokens) == 1
		return
	}
	if len(p.tokens) > 0 && p.tokens[0].kind == literal && isASCII(p.tokens[0].text) {
		text := p.tokens[0].text
		n := min(len(text), headLen)
		p.head, p.mask = headOf(text, p.fold), ^uint64(0)>>(8*(headLen-n))
		p.short = n == len(text) && !strings.Contains(text, "\x00") && len(p.tokens) == 2 && p.tokens[1].kind == star
	}
}

// readVariable reads the variable at the beginning of text: ${key},
// ${key, 'default'}, or one of ${*}, ${?} and ${$}, which are the characters
// themselves. size is its length.
func readVariable(text string) (t token, size int, ok bool) {
	body := text[len("${"):]
	key, _, closed := strings.Cut(body, "}")
	if !closed {
		return token{}, 0, false
	}
	switch key {
	case "*", "?", "$":
		return token{kind: literal, text: key}, len("${}") + len(key), true
	}
	t = token{kind: variable}
	size = len("${}") + len(key)
	if name, rest, found := strings.Cut(body, ","); found && len(name) < len(key) {
		rest = strings.TrimLeft(rest, " ")
		value, after, quoted := strings.Cut(strings.TrimPrefix(rest, "'"), "'")
		after = strings.TrimLeft(after, " ")
		if !quoted || rest[0] != '\'' || !strings.HasPrefix(after, "}") {
			return token{}, 0, false
		}
		key, t.deflt, t.has = name, value, true
		size = len(text) - len(after) + 1
	}
	t.text = Fold(strings.TrimSpace(key))
	if t.text == "" || strings.ContainsAny(t.text, "${'") {
		return token{}, 0, false
	}
	return t, size, true
}

// resolve appends the pattern's tokens to dst with each variable replaced by
// its value. It returns false if a variable has neither value nor default. Such
// a text matches nothing. A key that is a list does not resolve, even with a
// default: recorded.
func (e *evaluation) resolve(dst []token, p *pattern) ([]token, bool) {
	for _, t := range p.tokens {
		if t.kind == variable {
			switch v := e.of(t.text); {
			case v.isList():
				return nil, false
			case len(v.Texts) == 1:
				t = token{kind: literal, text: v.Texts[0]}
			case t.has:
				t = token{kind: literal, text: t.deflt}
			default:
				return nil, false
			}
			if p.units {
				t.text = toUnits(t.text)
			}
			if !e.spend(1 + len(t.text)/16) {
				return nil, false
			}
		}
		dst = append(dst, t)
	}
	return dst, true
}

// text returns a pattern without wildcards as a text.
func (e *evaluation) text(p *pattern) (string, bool) {
	var buffer [16]token
	tokens, ok := e.resolve(buffer[:0], p)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.text)
	}
	return b.String(), true
}
