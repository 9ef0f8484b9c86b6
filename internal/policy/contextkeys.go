package policy

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// spelledKeys are condition keys in lower case, each with how it was written
// first.
type spelledKeys map[string]string

func (k spelledKeys) add(name string) {
	if key := Fold(name); k[key] == "" {
		k[key] = name
	}
}

// addStatement adds the keys that a statement asks for.
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

// addVariables adds the keys of the variables in a text. Documents of the old
// version have none.
func (k spelledKeys) addVariables(d *Document, text string) {
	for d.Version == NewVersion {
		i := strings.Index(text, "${")
		if i < 0 {
			return
		}
		text = text[i:]
		t, size, ok := readVariable(text)
		if !ok {
			return
		}
		if t.kind == variable {
			name, _, _ := strings.Cut(text[len("${"):size-1], ",")
			k.add(strings.TrimSpace(name))
		}
		text = text[size:]
	}
}

func (k spelledKeys) sorted() []string {
	names := make([]string, 0, len(k))
	for _, name := range k {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Missing returns the condition keys that the policies ask for, in statements
// about anything, and that the request does not have: what a simulation was not
// told. They are sorted, each once in every spelling. The error is as
// Evaluate's. Recorded.
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
