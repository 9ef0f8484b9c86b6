package policy

import (
	"context"
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

// Missing returns the condition keys that statements about the request ask for
// and that it does not have, each once and sorted, spelled as first written:
// what a simulation was not told. A statement is about a request when it names
// its caller and action, and its resource, or one that a variable completes.
// The error is as Evaluate's.
func Missing(ctx context.Context, req Request, resource string, policies []Policy) ([]string, error) {
	e := begin(ctx, req)
	e.on(resource)
	keys := spelledKeys{}
	for _, p := range policies {
		for i := range p.Document.Statements {
			st := &p.Document.Statements[i]
			if e.concerns(st) && e.spend(st.size) {
				keys.addStatement(p.Document, st)
			}
		}
	}
	for key := range keys {
		if len(e.of(key).Texts) > 0 {
			delete(keys, key)
		}
	}
	return keys.sorted(), e.err
}

// concerns is applies without conditions, and with any value for variables.
func (e *evaluation) concerns(st *Statement) bool {
	if e.matchAny(st.actions, &e.action) == (len(st.NotActions) > 0) || st.names(&e.req.Principal) == notNamed {
		return false
	}
	if len(st.resources) == 0 || slices.ContainsFunc(st.resources, func(p pattern) bool { return p.vars }) {
		return true
	}
	return e.matchAny(st.resources, &e.resource) != (len(st.NotResources) > 0)
}
