package awsmodel

import "strings"

// Sensitive reports whether the member of an operation's input or output holds
// a secret, so that no log or trail may show its value: passwords, keys, seeds,
// tokens and one-time codes. path names the member from the outermost
// structure, as messages and the trail do ("password",
// "accessKey.secretAccessKey"). Each name may begin with either case, and
// indexes of lists are skipped ("tags.1.member.key" is "tags.key"). A path that
// the model does not know is sensitive, to be safe.
func Sensitive(op, path string) bool {
	known, ok := Lookup(op)
	if !ok {
		return true
	}
	names := strings.Split(path, ".")
	in, inInput := sensitiveIn(known.Input, names)
	out, inOutput := sensitiveIn(known.Output, names)
	return in || out || !inInput && !inOutput
}

func sensitiveIn(s *Shape, names []string) (sensitive, found bool) {
	if s == nil {
		return false, false
	}
	if s.Sensitive || alsoSensitive[s.Name] {
		return true, true
	}
	switch s.Kind {
	case List:
		return sensitiveIn(s.Elem, withoutIndex(names))
	case Map:
		if len(names) > 0 {
			return sensitiveIn(s.Elem, names[1:])
		}
		return sensitiveIn(s.Elem, nil)
	case Structure:
		if len(names) == 0 {
			return holdsSensitive(s), true
		}
		for _, m := range s.Members {
			if m.label() == lowerFirst(names[0]) {
				return sensitiveIn(m.Shape, names[1:])
			}
		}
		return false, false
	}
	return false, len(names) == 0
}

// withoutIndex drops "1" and "member" from the front.
func withoutIndex(names []string) []string {
	for len(names) > 0 && (names[0] == "member" || strings.Trim(names[0], "0123456789") == "") {
		names = names[1:]
	}
	return names
}

// holdsSensitive reports whether some member of s is sensitive. The shapes of
// the two models have no cycles. A test walks them all.
func holdsSensitive(s *Shape) bool {
	for _, m := range s.Members {
		if hidden, _ := sensitiveIn(m.Shape, nil); hidden {
			return true
		}
	}
	return false
}
