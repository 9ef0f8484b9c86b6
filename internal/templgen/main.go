// Command templgen compiles the templates of pages to Go: NAME.templ becomes
// NAME_templ.go beside it. The templates are in the language of templ, and its
// generator compiles them. Run it in the root of the repository, after each change of
// a template: go run ./internal/templgen.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/a-h/templ/generator"
	"github.com/a-h/templ/parser/v2"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "templgen:", err)
		os.Exit(1)
	}
}

// run writes the Go code of every template below a folder.
func run(root string) error {
	templates, err := find(root, ".templ")
	if err != nil {
		return err
	}
	for _, path := range templates {
		code, err := compile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(codeOf(path), code, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// find returns the files below a folder whose names end with a suffix.
func find(root, suffix string) ([]string, error) {
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, suffix) {
			all = append(all, path)
		}
		return err
	})
	return all, err
}

func codeOf(template string) string { return strings.TrimSuffix(template, ".templ") + "_templ.go" }

// compile returns the Go code of a template.
func compile(path string) ([]byte, error) {
	file, err := parser.Parse(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var code bytes.Buffer
	if _, err := generator.Generate(file, &code, generator.WithFileName(filepath.Base(path))); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return format.Source(code.Bytes())
}
