package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// module is the path of this module.
const module = "rollcall"

// source reads the packages of the module as far as types need them.
type source struct {
	root     string
	packages map[string]*pkg
}

// pkg is a package: its types, and the string constants of each type.
type pkg struct {
	path  string
	types map[string]*named
	texts map[string][]string
	// worded are the types with a method that writes them as a text or as JSON.
	worded map[string]bool
}

// named is a declared type.
type named struct {
	pkg     *pkg
	name    string
	doc     string
	expr    ast.Expr
	imports map[string]string // of its file: paths by name
}

func newSource(root string) *source { return &source{root, map[string]*pkg{}} }

// find returns a type of a package.
func (s *source) find(path, name string) (*named, error) {
	p, err := s.read(path)
	if err != nil {
		return nil, err
	}
	t, ok := p.types[name]
	if !ok {
		return nil, fmt.Errorf("package %s has no type %s", path, name)
	}
	return t, nil
}

func (s *source) read(path string) (*pkg, error) {
	if p, ok := s.packages[path]; ok {
		return p, nil
	}
	dir := filepath.Join(s.root, strings.TrimPrefix(strings.TrimPrefix(path, module), "/"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	p := &pkg{path: path, types: map[string]*named{}, texts: map[string][]string{}, worded: map[string]bool{}}
	s.packages[path] = p
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil,
			parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.add(file)
	}
	return p, nil
}

// add adds the declarations of a file, also those within functions.
func (p *pkg) add(file *ast.File) {
	imports := map[string]string{}
	for _, i := range file.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		name := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = path
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch d := n.(type) {
		case *ast.FuncDecl:
			p.method(d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					doc := spec.Doc.Text()
					if doc == "" {
						doc = d.Doc.Text()
					}
					p.types[spec.Name.Name] = &named{p, spec.Name.Name, doc, spec.Type, imports}
				case *ast.ValueSpec:
					p.constants(d, spec)
				}
			}
		}
		return true
	})
}

// method notes a type that has its own text.
func (p *pkg) method(d *ast.FuncDecl) {
	switch d.Name.Name {
	case "MarshalText", "MarshalJSON", "UnmarshalYAML":
		if d.Recv == nil {
			return
		}
		t := d.Recv.List[0].Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		if id, ok := t.(*ast.Ident); ok {
			p.worded[id.Name] = p.worded[id.Name] || d.Name.Name != "UnmarshalYAML"
		}
	}
}

// constants notes the texts of constants with a declared type.
func (p *pkg) constants(d *ast.GenDecl, spec *ast.ValueSpec) {
	of, ok := spec.Type.(*ast.Ident)
	if d.Tok != token.CONST || !ok {
		return
	}
	for _, v := range spec.Values {
		if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				p.texts[of.Name] = append(p.texts[of.Name], text)
			}
		}
	}
}
