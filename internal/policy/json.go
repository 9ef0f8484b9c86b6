package policy

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// maxDepth exceeds the depth of any policy: document, statements, condition,
// operator, key, values.
const maxDepth = 12

var errJSON = errors.New("invalid JSON")

type nodeKind uint8

const (
	nullNode nodeKind = iota
	stringNode
	otherNode // a number or a boolean; text holds it as written
	arrayNode
	objectNode
)

// node is a JSON value with the order of its members and its position, which
// encoding/json's maps do not keep.
type node struct {
	kind       nodeKind
	text       string
	items      []node
	keys       []string // of an object, next to items
	start, end int      // bytes
}

// parseJSON reads exactly one value. A repeated key is an error, because
// readers disagree which of the two counts, and a policy must have one meaning.
func parseJSON(text string) (node, error) {
	n, _, err := readJSON(text)
	return n, err
}

// readJSON is parseJSON that also returns the position of the first unreadable
// token.
func readJSON(text string) (n node, bad int, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if n, err = readNode(dec, text, 0); err == nil {
		if _, end := dec.Token(); end != io.EOF {
			err = errJSON
		}
	}
	if err != nil {
		return node{}, tokenAfter(text, dec.InputOffset()), err
	}
	return n, 0, nil
}

// tokenAfter returns the position of the token after an offset.
func tokenAfter(text string, offset int64) int {
	i := int(offset)
	for i < len(text) && strings.IndexByte(" \t\r\n,:", text[i]) >= 0 {
		i++
	}
	return i
}

func readNode(dec *json.Decoder, text string, depth int) (node, error) {
	before := dec.InputOffset()
	token, err := dec.Token()
	if err != nil || depth > maxDepth {
		return node{}, errJSON
	}
	n := node{start: tokenAfter(text, before)}
	switch t := token.(type) {
	case string:
		n.kind, n.text = stringNode, t
	case json.Number:
		n.kind, n.text = otherNode, t.String()
	case bool:
		n.kind, n.text = otherNode, "false"
		if t {
			n.text = "true"
		}
	case json.Delim:
		if err := n.readMembers(dec, text, t == '{', depth); err != nil {
			return node{}, err
		}
	}
	n.end = int(dec.InputOffset())
	return n, nil
}

// readMembers reads everything after an opening bracket, including the closing
// one.
func (n *node) readMembers(dec *json.Decoder, text string, object bool, depth int) error {
	n.kind = arrayNode
	var seen map[string]bool
	if object {
		n.kind, seen = objectNode, map[string]bool{}
	}
	for dec.More() {
		if object {
			token, err := dec.Token()
			key, ok := token.(string)
			if err != nil || !ok || seen[key] {
				return errJSON
			}
			seen[key] = true
			n.keys = append(n.keys, key)
		}
		item, err := readNode(dec, text, depth+1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	if _, err := dec.Token(); err != nil {
		return errJSON
	}
	return nil
}

// list returns the items of an array, or the value itself as the only item: IAM
// treats a single value and an array of one alike.
func (n node) list() []node {
	if n.kind == arrayNode {
		return n.items
	}
	return []node{n}
}

// member returns the items of a member of an object; there may be none.
func (n node) member(name string) []node {
	if i := slices.Index(n.keys, name); i >= 0 {
		return n.items[i].list()
	}
	return nil
}

// strings returns a string or an array of strings.
func (n node) strings() ([]string, bool) {
	list := make([]string, 0, 1)
	for _, item := range n.list() {
		if item.kind != stringNode {
			return nil, false
		}
		list = append(list, item.text)
	}
	return list, true
}

// scalars is strings that also accepts numbers and booleans, which the grammar
// allows as the values of a condition.
func (n node) scalars() ([]string, bool) {
	list := make([]string, 0, 1)
	for _, item := range n.list() {
		if item.kind != stringNode && item.kind != otherNode {
			return nil, false
		}
		list = append(list, item.text)
	}
	return list, true
}

// positionAt counts lines and columns, both from 1.
func positionAt(text string, offset int) Position {
	before := text[:offset]
	return Position{
		Line:   1 + strings.Count(before, "\n"),
		Column: offset - strings.LastIndexByte(before, '\n'),
	}
}
