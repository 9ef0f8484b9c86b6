package policy

import (
	"slices"
	"sort"
)

// Locate returns the position in a text for which Parse refuses it, and the
// error. The error is nil for a text that Parse accepts. It costs more than
// Parse, and is for people who write documents.
func Locate(text string, kind Kind) (Position, error) {
	root, bad, err := readJSON(text)
	if err != nil {
		return positionAt(text, bad), notJSON(kind)
	}
	p := parser{text: text, kind: kind}
	_, err = p.parse(root, kind == Session)
	if err == nil {
		return Position{}, nil
	}
	s := search{kind: kind, text: text, refusal: err.Error()}
	if p.bad < 0 {
		return positionAt(text, s.inDocument(root)), err
	}
	if p.unread {
		p.bad = unreadable(root, p.bad)
	}
	return positionAt(text, p.bad), err
}

// unreadable returns the position of the unreadable part of the value at a
// position: an element of a list, or an operator or a key of a condition. If no
// part is unreadable, it returns the position itself.
func unreadable(root node, at int) int {
	n, found := root.at(at)
	if !found || n.kind != arrayNode && n.kind != objectNode {
		return at
	}
	for _, item := range n.items {
		if n.kind == arrayNode && item.kind != stringNode {
			return item.start
		}
	}
	if n.kind != objectNode {
		return at
	}
	for i, block := range n.items {
		operator := n.only(i)
		if _, ok := parseConditions(operator); ok {
			continue
		}
		for j, values := range block.items {
			if block.kind != objectNode {
				break
			}
			if _, ok := parseConditions(operator.with(0, block.only(j))); !ok {
				return values.start
			}
		}
		return block.start
	}
	return at
}

// at finds the value that begins at a position.
func (n node) at(place int) (node, bool) {
	if n.start == place {
		return n, true
	}
	for _, item := range n.items {
		if item.start <= place && place < item.end {
			return item.at(place)
		}
	}
	return node{}, false
}

// only returns an object or an array with one of its items.
func (n node) only(i int) node {
	n.items = []node{n.items[i]}
	if n.kind == objectNode {
		n.keys = []string{n.keys[i]}
	}
	return n
}

// first returns an object or an array with the first of its items.
func (n node) first(count int) node {
	n.items = n.items[:count]
	if n.kind == objectNode {
		n.keys = n.keys[:count]
	}
	return n
}

// without returns an object without one of its members.
func (n node) without(i int) node {
	n.keys = slices.Delete(slices.Clone(n.keys), i, i+1)
	n.items = slices.Delete(slices.Clone(n.items), i, i+1)
	return n
}

// with returns an object or an array with one item replaced.
func (n node) with(i int, item node) node {
	n.items = slices.Clone(n.items)
	n.items[i] = item
	return n
}

// search finds the part of a document that validate refuses. validate does not
// know the positions of values. Therefore parts of the document are removed or
// replaced until the answer changes, which shows which part it was.
type search struct {
	kind    Kind
	text    string
	refusal string
	tries   int // number of parsed documents
}

// remains says whether a document is refused for the same reason.
func (s *search) remains(root node) bool {
	s.tries++
	p := parser{text: s.text, kind: s.kind}
	_, err := p.parse(root, s.kind == Session)
	return err != nil && err.Error() == s.refusal
}

// inDocument returns the position in a document.
func (s *search) inDocument(root node) int {
	if i := slices.Index(root.keys, "Version"); i >= 0 && s.refusal == errVersion.Error() {
		return root.items[i].start
	}
	i := slices.Index(root.keys, "Statement")
	if i < 0 || s.refusal == errVersion.Error() {
		return root.start
	}
	list := root.items[i].list()
	with := func(some ...node) node { return root.with(i, node{kind: arrayNode, items: some}) }
	// More statements never correct a document: all prefixes from some length
	// on are refused.
	j := sort.Search(len(list), func(j int) bool { return s.remains(with(list[:j+1]...)) })
	if j == len(list) {
		return root.start
	}
	if s.remains(with(list[j])) {
		return s.inStatement(list[j], func(st node) bool { return s.remains(with(st)) })
	}
	// Two are only refused together.
	return s.inStatement(list[j], func(st node) bool {
		return s.remains(with(append(slices.Clone(list[:j]), st)...))
	})
}

// inStatement returns the position in a statement: that of a member whose
// replacement by a harmless one changes the answer, or that of the statement,
// which may lack a member.
func (s *search) inStatement(st node, remains func(node) bool) int {
	for k, value := range st.items {
		other := st.without(k)
		if instead, required := s.harmless(st.keys[k]); required {
			other = st.with(k, instead)
		}
		if !remains(other) {
			return inValue(value, func(part node) bool { return remains(st.with(k, part)) })
		}
	}
	return st.start
}

// harmless returns a valid value of a member that a statement must have.
func (s *search) harmless(key string) (value node, required bool) {
	value.kind = stringNode
	switch key {
	case "Effect":
		value.text = string(Deny)
	case "Action", "NotAction":
		value.text = trustActions[0]
	case "Resource", "NotResource":
		value.text = "*"
	case "Principal":
		account := node{kind: stringNode, text: "123456789012"}
		value = node{kind: objectNode, keys: []string{"AWS"}, items: []node{account}}
		return value, s.kind == Trust || s.kind == Resource
	default:
		return value, false
	}
	return value, true
}

// inValue returns the position of the first item with which a list or an object
// is refused, or of the value.
func inValue(n node, remains func(node) bool) int {
	i := sort.Search(len(n.items), func(i int) bool { return remains(n.first(i + 1)) })
	if i == len(n.items) {
		return n.start
	}
	some := n.first(i + 1)
	return inValue(n.items[i], func(part node) bool { return remains(some.with(i, part)) })
}
