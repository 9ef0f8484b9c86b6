// Command schemas writes the JSON Schemas of docs/schemas: of what the commands of
// Rollcall print as JSON, and of its configuration files.
//
// It makes them of the Go types that are written and read, so a new member of a type
// is also in its schema, with the comment of the field as its description. A test
// fails if a file is out of date, and the sessions of cmd/rollcall check all that the
// commands print.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", ".", "root `folder` of the module")
	flag.Parse()
	files, err := makeAll(*root)
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(*root, "docs", "schemas", name), text, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// makeAll returns the content of each file of the catalogue.
func makeAll(root string) (map[string][]byte, error) {
	in := newSource(root)
	files := map[string][]byte{}
	for _, p := range catalogue {
		text, err := p.schema(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.file, err)
		}
		files[p.file+".schema.json"] = text
	}
	return files, nil
}

func (p *published) schema(in *source) ([]byte, error) {
	g := &generator{source: in, tag: "json", defs: object{}, names: map[string]*named{}}
	if p.yaml {
		g.tag = "yaml"
	}
	s, err := p.content(g)
	if err != nil {
		return nil, err
	}
	if p.list {
		s = object{"type": "array", "items": s}
	}
	if p.yaml {
		delete(s, "description")
		s["required"] = []any{"version"}
		s["properties"].(object)["version"] = object{"const": 1}
	}
	return write(p.title, s, g.defs)
}

// content returns the schema of the type. Its members are not a definition, unless a
// list has them.
func (p *published) content(g *generator) (object, error) {
	switch {
	case p.make != nil:
		return p.make(g)
	case p.list:
		return g.named(p.pkg, p.name)
	}
	t, err := g.source.find(p.pkg, p.name)
	if err != nil {
		return nil, err
	}
	return g.inline(t)
}

// inline returns the schema of a structure, with its description.
func (g *generator) inline(t *named) (object, error) {
	structure, ok := t.expr.(*ast.StructType)
	if !ok {
		return nil, fmt.Errorf("%s is no structure", t.name)
	}
	s, err := g.structure(structure, t)
	if doc := sentence(t.doc, t.name, "This"); doc != "" && err == nil {
		s["description"] = doc
	}
	return s, err
}

// write writes a schema. Its head comes first, and its definitions last.
func write(title string, s, defs object) ([]byte, error) {
	rest := []struct {
		name  string
		value any
	}{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}}
	for _, name := range []string{"description", "type", "const", "oneOf", "items", "properties", "required",
		"additionalProperties"} {
		if v, ok := s[name]; ok {
			rest = append(rest, struct {
				name  string
				value any
			}{name, v})
		}
	}
	if len(defs) > 0 {
		rest = append(rest, struct {
			name  string
			value any
		}{"$defs", defs})
	}
	var b bytes.Buffer
	b.WriteString("{\n")
	for i, m := range rest {
		var value bytes.Buffer
		e := json.NewEncoder(&value)
		e.SetEscapeHTML(false)
		e.SetIndent("  ", "  ")
		if err := e.Encode(m.value); err != nil {
			return nil, err
		}
		end := ",\n"
		if i == len(rest)-1 {
			end = "\n"
		}
		fmt.Fprintf(&b, "  %q: %s%s", m.name, bytes.TrimSpace(value.Bytes()), end)
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}
