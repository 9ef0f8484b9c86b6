package policy

import (
	"strings"
	"unicode/utf8"
)

// Context returns the values of a condition key for the request being decided:
// none for a key the request does not have. The key comes in lower case,
// because names of keys have no case in IAM; that holds for the tag's name in
// aws:PrincipalTag/… too. A nil Context has no keys.
//
// It is called only when a statement needs the key, and may be called several
// times for one decision. The values must not change meanwhile.
type Context func(key string) []string

// NewContext returns a context over a map whose keys may be in any case.
func NewContext(values map[string][]string) Context {
	folded := make(map[string][]string, len(values))
	for key, list := range values {
		folded[strings.ToLower(key)] = list
	}
	return func(key string) []string { return folded[key] }
}

func (c Context) values(key string) []string {
	if c == nil {
		return nil
	}
	return c(key)
}

// syntax is what a text of a policy may contain.
type syntax struct {
	wild bool // asterisk and question mark match; otherwise they are themselves
	vars bool // ${…} is read
	fold bool // letters have no case
}

// compile reads a text into a pattern. It reports false for a variable that
// has no end, no name or an unreadable default.
func compile(text string, s syntax) (pattern, bool) {
	p := pattern{fold: s.fold}
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
	if len(p.tokens) > 0 && p.tokens[0].kind == literal {
		if c := p.tokens[0].text[0]; c < utf8.RuneSelf {
			p.first = c
			if s.fold && 'A' <= c && c <= 'Z' {
				p.first += 'a' - 'A'
			}
		}
	}
	return p, true
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
	t.text = strings.ToLower(strings.TrimSpace(key))
	if t.text == "" || strings.ContainsAny(t.text, "${'") {
		return token{}, 0, false
	}
	return t, size, true
}

// resolve appends tokens to dst with each variable replaced by its value. It
// reports false when one has neither value nor default; such a text matches
// nothing. A key with several values cannot be a variable in IAM, and counts
// as having none.
func resolve(dst, tokens []token, ctx Context) ([]token, bool) {
	for _, t := range tokens {
		if t.kind == variable {
			switch values := ctx.values(t.text); {
			case len(values) == 1:
				t = token{kind: literal, text: values[0]}
			case t.has:
				t = token{kind: literal, text: t.deflt}
			default:
				return nil, false
			}
		}
		dst = append(dst, t)
	}
	return dst, true
}
