package main

import (
	"fmt"
	"go/ast"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// object is a JSON object whose members are written in the order of their names,
// except that members of a schema have their own order; see write.
type object = map[string]any

// generator turns types into schemas.
type generator struct {
	source *source
	tag    string // the tag of fields: json or yaml
	defs   object
	// names are the types of the definitions.
	names map[string]*named
}

// fixed are schemas of types that write themselves, and of types from elsewhere.
var fixed = map[string]object{
	"time.Time":                      {"type": "string", "format": "date-time"},
	"encoding/json.RawMessage":       {},
	module + "/internal/audit.Date":  {"type": "string", "format": "date"},
	module + "/internal/audit.Known": {"enum": []any{"unknown", "no", "yes"}},
	module + "/internal/audit.Matcher": {"type": "string",
		"description": "A pattern of users: password_enabled, no_password, or user, path or arn, then : for a pattern " +
			"with wildcards, or ~ for a regular expression."},
	enriching + ".Kind":               {"enum": []any{"keys", "mfa", "service-credentials", "tags"}},
	module + "/internal/audit.placed": {"type": []any{"string", "boolean", "number"}},
}

// of returns the schema of an expression in the file of a type.
func (g *generator) of(e ast.Expr, in *named) (object, error) {
	switch e := e.(type) {
	case *ast.Ident:
		return g.ident(e.Name, in)
	case *ast.SelectorExpr:
		path := in.imports[e.X.(*ast.Ident).Name]
		return g.named(path, e.Sel.Name)
	case *ast.StarExpr:
		return g.of(e.X, in)
	case *ast.ArrayType:
		return g.array(e, in)
	case *ast.MapType:
		values, err := g.of(e.Value, in)
		if g.tag == "yaml" && values["type"] == "string" { // YAML also reads true and 1 as texts
			values = object{"type": []any{"string", "boolean", "number"}}
		}
		return object{"type": "object", "additionalProperties": values}, err
	case *ast.StructType:
		return g.structure(e, in)
	case *ast.InterfaceType:
		return object{}, nil
	}
	return nil, fmt.Errorf("%s.%s: there is no schema for %T", in.pkg.path, in.name, e)
}

func (g *generator) array(e *ast.ArrayType, in *named) (object, error) {
	if id, ok := e.Elt.(*ast.Ident); ok && id.Name == "byte" {
		return object{"type": "string", "contentEncoding": "base64"}, nil
	}
	items, err := g.of(e.Elt, in)
	out := object{"type": "array", "items": items}
	if n, ok := e.Len.(*ast.BasicLit); ok {
		length, _ := strconv.Atoi(n.Value)
		out["minItems"], out["maxItems"] = length, length
	}
	return out, err
}

func (g *generator) ident(name string, in *named) (object, error) {
	switch {
	case name == "string":
		return object{"type": "string"}, nil
	case name == "bool":
		return object{"type": "boolean"}, nil
	case name == "any":
		return object{}, nil
	case strings.HasPrefix(name, "float"):
		return object{"type": "number"}, nil
	case strings.HasPrefix(name, "uint"):
		return object{"type": "integer", "minimum": 0}, nil
	case strings.HasPrefix(name, "int"):
		return object{"type": "integer"}, nil
	}
	return g.named(in.pkg.path, name)
}

// named returns a schema of a declared type. Structures become definitions.
func (g *generator) named(path, name string) (object, error) {
	if s, ok := fixed[path+"."+name]; ok {
		return s, nil
	}
	t, err := g.source.find(path, name)
	if err != nil {
		return nil, err
	}
	if t.pkg.worded[name] && g.tag == "json" {
		return nil, fmt.Errorf("%s.%s writes itself: add its schema to fixed", path, name)
	}
	if _, ok := t.expr.(*ast.StructType); ok {
		return g.definition(t)
	}
	s, err := g.of(t.expr, t)
	if texts := t.pkg.texts[name]; len(texts) > 1 && s["type"] == "string" && !slices.Contains(open, path+"."+name) {
		s = object{"enum": anys(slices.Compact(slices.Sorted(slices.Values(texts))))}
	}
	return s, err
}

// needed are the members that a structure of a configuration file must have. In other
// files they are those without omitempty.
var needed = map[string][]string{
	auditing + ".Exception":       {"id", "control", "account", "reason", "owner", "ticket", "expires"},
	auditing + ".ownFile":         {"id", "title", "severity", "scope", "expression"},
	auditing + ".requirementFile": {"standard", "id"},
	auditing + ".OwnTest":         {"name"},
	reviewing + ".ownerRule":      {"reviewer"},
}

// open are types of texts that may have other values than their constants.
var open = []string{module + "/internal/audit.ControlID"}

func anys(texts []string) (all []any) {
	for _, t := range texts {
		all = append(all, t)
	}
	return all
}

// definition returns a reference to the definition of a structure.
func (g *generator) definition(t *named) (object, error) {
	name := strings.TrimSuffix(strings.TrimSuffix(t.name, "JSON"), "File")
	name = string(unicode.ToLower(rune(name[0]))) + name[1:]
	if was := g.names[name]; was != nil && was != t {
		name = t.pkg.path[strings.LastIndex(t.pkg.path, "/")+1:] + "_" + name
	}
	ref := object{"$ref": "#/$defs/" + name}
	if g.names[name] == t {
		return ref, nil
	}
	g.names[name] = t
	s, err := g.structure(t.expr.(*ast.StructType), t)
	if doc := sentence(t.doc, t.name, "This"); doc != "" {
		s["description"] = doc
	}
	g.defs[name] = s
	return ref, err
}

// structure returns the schema of an object with the members of a structure and of
// those that it embeds.
func (g *generator) structure(e *ast.StructType, in *named) (object, error) {
	properties, required := object{}, []string{}
	if err := g.members(e, in, properties, &required); err != nil {
		return nil, err
	}
	if g.tag == "yaml" {
		required = append(required, needed[in.pkg.path+"."+in.name]...)
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if slices.Sort(required); len(required) > 0 {
		s["required"] = anys(required)
	}
	return s, nil
}

func (g *generator) members(e *ast.StructType, in *named, properties object, required *[]string) error {
	for _, f := range e.Fields.List {
		tag := ""
		if f.Tag != nil {
			text, _ := strconv.Unquote(f.Tag.Value)
			tag = reflect.StructTag(text).Get(g.tag)
		}
		if len(f.Names) == 0 && tag == "" {
			if err := g.embedded(f.Type, in, properties, required); err != nil {
				return err
			}
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "-" {
			continue
		}
		for _, id := range f.Names {
			if !id.IsExported() {
				continue
			}
			member := name
			if member == "" {
				member = id.Name
			}
			s, err := g.of(f.Type, in)
			if err != nil {
				return err
			}
			properties[member] = g.member(s, f, id.Name, member, options)
			if g.tag == "json" && !strings.Contains(options, "omit") {
				*required = append(*required, member)
			}
		}
	}
	return nil
}

// member adds to the schema of a field what its declaration says.
func (g *generator) member(s object, f *ast.Field, name, member, options string) object {
	out := object{}
	for k, v := range s {
		out[k] = v
	}
	if _, pointer := f.Type.(*ast.StarExpr); pointer && g.tag == "json" && !strings.Contains(options, "omit") {
		if text, ok := out["type"].(string); ok {
			out["type"] = []any{text, "null"}
		} else {
			out = object{"anyOf": []any{out, object{"type": "null"}}}
		}
	}
	doc := f.Doc.Text()
	if doc == "" {
		doc = f.Comment.Text()
	}
	if doc = sentence(doc, name, member); doc != "" {
		out["description"] = doc
	}
	return out
}

// embedded adds the members of an embedded structure.
func (g *generator) embedded(e ast.Expr, in *named, properties object, required *[]string) error {
	path, name := in.pkg.path, ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		path, name = in.imports[e.X.(*ast.Ident).Name], e.Sel.Name
	default:
		return fmt.Errorf("%s.%s embeds %T", in.pkg.path, in.name, e)
	}
	t, err := g.source.find(path, name)
	if err != nil {
		return err
	}
	structure, ok := t.expr.(*ast.StructType)
	if !ok {
		return fmt.Errorf("%s.%s embeds %s, which is no structure", in.pkg.path, in.name, name)
	}
	return g.members(structure, t, properties, required)
}

// linked matches a reference of a comment to another declaration.
var linked = regexp.MustCompile(`\[([A-Z]\w*(?:\.\w+)*)\]`)

// sentence returns a comment in one line, with the name of the member in place of
// that of the field.
func sentence(doc, field, member string) string {
	doc = strings.Join(strings.Fields(linked.ReplaceAllString(doc, "$1")), " ")
	if rest, ok := strings.CutPrefix(doc, field+" "); ok {
		doc = member + " " + rest
	}
	return doc
}
