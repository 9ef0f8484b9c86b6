package policy

import "strings"

// parser turns JSON into a Document. It checks which members exist, and the
// types of their values. validate checks the meaning of the values.
type parser struct {
	text string
	kind Kind
	bad  int // the byte at which the refused value begins
	// unread says that a part of this value is unreadable.
	unread bool
}

// refuse notes the position of the value that an error concerns.
func (p *parser) refuse(n node, err error) error {
	p.bad = n.start
	return err
}

// parse reads a document from its JSON, and validates it.
func (p *parser) parse(root node, lenient bool) (*Document, error) {
	d, err := p.document(root)
	if err != nil {
		return nil, err
	}
	if len(d.Statements) == 0 {
		return nil, p.refuse(root, missingField(p.kind, "Statement"))
	}
	if err := validate(d, lenient); err != nil {
		p.bad = -1 // validate knows no positions; see Locate
		return nil, err
	}
	return d, nil
}

func (p *parser) document(root node) (*Document, error) {
	if root.kind != objectNode {
		return nil, p.refuse(root, notJSON(p.kind))
	}
	d := &Document{Kind: p.kind}
	var statements []node
	for i, key := range root.keys {
		value := root.items[i]
		switch key {
		case "Version":
			d.Version = value.text
			if value.kind != stringNode || d.Version != OldVersion && d.Version != NewVersion {
				return nil, p.refuse(value, errSyntax)
			}
		case "Id":
			if d.ID, d.hasID = value.text, true; value.kind != stringNode {
				return nil, p.refuse(value, errSyntax)
			}
		case "Statement":
			statements = value.list()
		default:
			return nil, p.refuse(value, unknownField(p.kind, key))
		}
	}
	for _, n := range statements {
		st, err := p.statement(n)
		if err != nil {
			return nil, err
		}
		d.Statements = append(d.Statements, st)
	}
	return d, nil
}

func (p *parser) statement(n node) (Statement, error) {
	if n.kind != objectNode {
		return Statement{}, p.refuse(n, errSyntax)
	}
	st := Statement{Start: positionAt(p.text, n.start), End: positionAt(p.text, n.end), size: n.end - n.start}
	has := map[string]bool{}
	for i, key := range n.keys {
		has[key] = true
		if err := p.member(&st, key, n.items[i]); err != nil {
			return Statement{}, err
		}
	}
	for _, name := range []string{"Action", "Resource", "Principal"} {
		if has[name] && has["Not"+name] {
			return Statement{}, p.refuse(n, errSyntax)
		}
	}
	if !has["Effect"] {
		return Statement{}, p.refuse(n, missingField(p.kind, "Effect"))
	}
	return st, nil
}

func (p *parser) member(st *Statement, key string, value node) error {
	var ok bool
	switch key {
	case "Sid":
		st.Sid, st.hasSid, ok = value.text, true, value.kind == stringNode
	case "Effect":
		st.Effect = Effect(value.text)
		ok = value.kind == stringNode &&
			(strings.EqualFold(value.text, string(Allow)) || strings.EqualFold(value.text, string(Deny)))
	case "Action":
		st.Actions, ok = value.strings()
	case "NotAction":
		st.NotActions, ok = value.strings()
	case "Resource", "NotResource":
		if p.kind == Trust {
			return p.refuse(value, prohibitedResource(key))
		}
		if key == "Resource" {
			st.Resources, ok = value.strings()
		} else {
			st.NotResources, ok = value.strings()
		}
	case "Principal":
		st.principals, ok = parsePrincipals(value)
	case "NotPrincipal":
		st.notPrincipals, ok = parsePrincipals(value)
	case "Condition":
		st.conditions, ok = parseConditions(value)
	default:
		return p.refuse(value, unknownField(p.kind, key))
	}
	if !ok {
		p.unread = true
		return p.refuse(value, errSyntax)
	}
	return nil
}

// parseConditions reads a Condition element without its values. An operator
// without keys has no effect and is dropped, even an unknown one: CreatePolicy
// accepts it.
func parseConditions(n node) (list []condition, ok bool) {
	if n.kind != objectNode {
		return nil, false
	}
	for i, name := range n.keys {
		block := n.items[i]
		op, set, ifExists, known := parseOperator(name)
		if block.kind != objectNode || !known && len(block.keys) > 0 {
			return nil, false
		}
		for j, key := range block.keys {
			texts, ok := block.items[j].scalars()
			if !ok || key == "" {
				return nil, false
			}
			list = append(list, condition{operator: op, set: set, ifExists: ifExists,
				name: name, key: key, folded: Fold(key), texts: texts})
		}
	}
	return list, true
}
