package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// goFile is a Go file while it is read.
type goFile struct {
	path  string
	fset  *token.FileSet
	found []finding
}

// readGo reads the comments, strings and lines of a Go file.
func readGo(path, text string) ([]finding, error) {
	g := &goFile{path: path, fset: token.NewFileSet()}
	file, err := parser.ParseFile(g.fset, path, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	for _, group := range file.Comments {
		g.comment(group)
	}
	if !strings.HasSuffix(path, "_test.go") {
		for _, decl := range file.Decls {
			g.declaration(decl)
		}
	}
	ast.Inspect(file, g.literal)
	raw := g.rawLines(file)
	for i, line := range strings.Split(text, "\n") {
		if !raw[i+1] {
			g.found = append(g.found, widthOf(path, i+1, line)...)
		}
	}
	return g.found, nil
}

func (g *goFile) line(pos token.Pos) int { return g.fset.Position(pos).Line }

func (g *goFile) note(pos token.Pos, pattern, what string) {
	g.found = append(g.found, finding{g.path, g.line(pos), pattern, what, ""})
}

// comment reads a group of comments as one passage.
func (g *goFile) comment(group *ast.CommentGroup) {
	var p passage
	for _, c := range group.List {
		words := strings.TrimSpace(strings.TrimPrefix(strings.Trim(c.Text, "/*"), "//"))
		p.add(g.line(c.Pos()), words)
	}
	g.found = append(g.found, p.phrases(g.path)...)
	if words := opensBadly(p.text.String()); words != "" {
		g.note(group.Pos(), opening, words)
	}
}

// literal reads a string.
func (g *goFile) literal(n ast.Node) bool {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return true
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return true
	}
	var p passage
	if lit.Value[0] != '`' {
		p.add(g.line(lit.Pos()), text)
	} else {
		for i, line := range strings.Split(text, "\n") {
			p.add(g.line(lit.Pos())+i, line)
		}
	}
	g.found = append(g.found, p.phrases(g.path)...)
	return true
}

// rawLines returns the lines that are data: those that begin inside a raw
// string, and the expected output of examples.
func (g *goFile) rawLines(file *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		if strings.HasPrefix(group.Text(), "Output:") {
			for _, c := range group.List {
				lines[g.line(c.Pos())] = true
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && strings.HasPrefix(lit.Value, "`") {
			first := g.line(lit.Pos())
			for i := range strings.Count(lit.Value, "\n") {
				lines[first+i+1] = true
			}
		}
		return true
	})
	return lines
}

// declaration checks that the comment of an exported name starts with the name.
func (g *goFile) declaration(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) {
			g.starts(d.Doc, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				g.starts(docOf(d, s.Doc), s.Name)
			case *ast.ValueSpec:
				if len(s.Names) == 1 {
					g.starts(docOf(d, s.Doc), s.Names[0])
				}
			}
		}
	}
}

// docOf returns the comment of one declaration. That of a group is about all.
func docOf(d *ast.GenDecl, own *ast.CommentGroup) *ast.CommentGroup {
	if own == nil && !d.Lparen.IsValid() {
		return d.Doc
	}
	return own
}

func (g *goFile) starts(doc *ast.CommentGroup, id *ast.Ident) {
	if doc == nil || !id.IsExported() {
		return
	}
	words := strings.Fields(doc.Text())
	if len(words) > 1 && (words[0] == "A" || words[0] == "An" || words[0] == "The") {
		words = words[1:]
	}
	if len(words) == 0 || strings.TrimRight(words[0], ",:") != id.Name {
		g.note(doc.Pos(), name, id.Name)
	}
}

// receiver returns the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}
