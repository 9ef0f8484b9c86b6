package policy

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// spelledKeys holds condition keys in lower case, each with its first spelling.
type spelledKeys map[string]string

func (k spelledKeys) add(name string) {
	if key := Fold(name); k[key] == "" {
		k[key] = name
	}
}

// addStatement adds the keys that a statement uses.
func (k spelledKeys) addStatement(d *Document, st *Statement) {
	for _, text := range slices.Concat(st.Resources, st.NotResources) {
		k.addVariables(d, text)
	}
	for _, c := range st.conditions {
		k.add(c.key)
		for j, v := range c.values {
			if v.pattern.vars {
				k.addVariables(d, c.texts[j])
			}
		}
	}
}

// addVariables adds the keys of the variables in a text.
func (k spelledKeys) addVariables(d *Document, text string) {
	for _, name := range d.variables(text) {
		k.add(name)
	}
}

// variables returns the names of the variables in a text as they are written,
// including those that mean a character: "*" is one. Recorded. Documents of the
// old version have none.
func (d *Document) variables(text string) (names []string) {
	for d.Version == NewVersion {
		i := strings.Index(text, "${")
		if i < 0 {
			break
		}
		text = text[i:]
		_, size, ok := readVariable(text)
		if !ok {
			break
		}
		name, _, _ := strings.Cut(text[len("${"):size-1], ",")
		names = append(names, strings.TrimSpace(name))
		text = text[size:]
	}
	return names
}

// KeysOf returns the condition keys that a text uses, in conditions and in
// variables, in the order in which they appear, each spelling once. It accepts
// more texts than Parse does: a principal may be given, all elements except the
// effect may be missing, and actions, resources and values may be any text.
// Recorded. The errors are the same as Parse's.
func KeysOf(text string) ([]string, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, errSyntax
	}
	p := parser{text: text, kind: Resource}
	d, err := p.document(root)
	if err != nil {
		return nil, err
	}
	names, have := []string{}, map[string]bool{}
	add := func(list ...string) {
		for _, name := range list {
			if !have[name] {
				have[name] = true
				names = append(names, name)
			}
		}
	}
	for _, st := range root.member("Statement") {
		for i, element := range st.keys {
			switch element {
			case "Resource", "NotResource":
				add(d.variablesIn(st.items[i])...)
			case "Condition":
				for _, operator := range st.items[i].items {
					for j, key := range operator.keys {
						add(key)
						add(d.variablesIn(operator.items[j])...)
					}
				}
			}
		}
	}
	return names, nil
}

func (d *Document) variablesIn(texts node) (names []string) {
	for _, n := range texts.list() {
		names = append(names, d.variables(n.text)...)
	}
	return names
}

func (k spelledKeys) sorted() []string {
	names := make([]string, 0, len(k))
	for _, name := range k {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Missing returns the condition keys that the policies use, in any statement,
// and that the request does not have: the input that a simulation lacked. They
// are sorted, each once in every spelling. The error is the same as Evaluate's.
// Recorded.
func Missing(ctx context.Context, req Request, policies []Policy) ([]string, error) {
	e := begin(ctx, req)
	names := map[string]bool{}
	for _, p := range policies {
		for i := range p.Document.Statements {
			st := &p.Document.Statements[i]
			if !e.spend(st.size) {
				return nil, e.err
			}
			keys := spelledKeys{}
			keys.addStatement(p.Document, st)
			for key, name := range keys {
				if len(e.of(key).Texts) == 0 {
					names[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), e.err
}
