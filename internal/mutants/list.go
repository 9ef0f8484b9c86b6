package main

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// mutant is one defence and the test that must notice its absence.
type mutant struct {
	name, file, test string
	postgres         bool // the test needs PostgreSQL
	edits            []edit
	line             int // of the list, where its block begins
}

// edit replaces one line of the file. An empty new removes the line.
type edit struct {
	old, new string
	given    bool // new is in the list
}

// readList reads blocks of "key: value" lines. A name begins a block. Lines
// that begin with # are comments.
func readList(text string) ([]mutant, error) {
	var list []mutant
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "name:") {
			list = append(list, mutant{line: i + 1})
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("line %d: no name before it", i+1)
		}
		if err := list[len(list)-1].set(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return list, complete(list)
}

func (m *mutant) set(line string) error {
	key, value, found := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch {
	case !found:
		return fmt.Errorf("no key before a colon in %q", line)
	case key == "name":
		m.name = value
	case key == "file" && m.file == "":
		m.file = value
	case key == "test" && m.test == "":
		m.test = value
	case key == "postgres":
		m.postgres = value == "yes"
	case key == "old":
		m.edits = append(m.edits, edit{old: value})
	case key == "new" && len(m.edits) > 0 && !m.edits[len(m.edits)-1].given:
		m.edits[len(m.edits)-1].new, m.edits[len(m.edits)-1].given = value, true
	default:
		return fmt.Errorf("unknown or repeated key %q, or a new without an old before it", key)
	}
	return nil
}

// complete returns an error that names incomplete blocks and repeated names.
func complete(list []mutant) error {
	var errs []error
	seen := map[string]bool{}
	for _, m := range list {
		if m.name == "" || m.file == "" || len(m.edits) == 0 || !strings.HasPrefix(m.test, "go test ") {
			errs = append(errs,
				fmt.Errorf("line %d: %q needs a name, a file, a test that begins with 'go test', and an old", m.line,
					m.name))
		}
		if seen[m.name] {
			errs = append(errs, fmt.Errorf("line %d: the name %q comes twice", m.line, m.name))
		}
		seen[m.name] = true
	}
	return errors.Join(errs...)
}

// mutate returns the file's text without its defence. Each old line must occur
// exactly once, so that the list cannot outlive the code. A Go file must still be
// one without the defence.
func (m mutant) mutate() (string, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.name, err)
	}
	lines := strings.Split(string(text), "\n")
	for _, e := range m.edits {
		at := -1
		for i, line := range lines {
			if strings.TrimSpace(line) != e.old {
				continue
			}
			if at >= 0 {
				return "", fmt.Errorf("%s: %s has the line %q more than once", m.name, m.file, e.old)
			}
			at = i
		}
		if at < 0 {
			return "", fmt.Errorf("%s: %s has no line %q", m.name, m.file, e.old)
		}
		lines[at] = e.new
	}
	without := strings.Join(lines, "\n")
	if filepath.Ext(m.file) == ".go" {
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, without, parser.SkipObjectResolution); err != nil {
			return "", fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return without, nil
}
