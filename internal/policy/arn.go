package policy

import "strings"

// arnParts is the number of an ARN's parts; the last one keeps its colons.
const arnParts = 6

// splitARN cuts tokens at the first five colons that the policy's author or a
// variable wrote. It returns nil for a text that is not an ARN: it has fewer
// parts, or does not begin with "arn".
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
	if len(parts) < arnParts || !begins(parts[0], "arn") {
		return nil
	}
	return parts
}

// begins reports whether a part without wildcards is a text.
func begins(part []token, text string) bool {
	for _, t := range part {
		rest, ok := strings.CutPrefix(text, t.text)
		if !ok || t.kind != literal {
			return false
		}
		text = rest
	}
	return text == ""
}

// isARN reports whether the value of a request is an ARN.
func isARN(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= arnParts-1
}

// matchARN compares part by part: in ARN conditions no wildcard matches across
// one of the first five colons.
func (e *evaluation) matchARN(parts [][]token, s string) bool {
	for i, tokens := range parts {
		part, rest := s, ""
		if i < arnParts-1 {
			part, rest, _ = strings.Cut(s, ":")
		}
		if !e.matchTokens(tokens, part, false) {
			return false
		}
		s = rest
	}
	return true
}
