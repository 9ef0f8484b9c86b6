package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testOrPackage = regexp.MustCompile("`([a-z0-9/_]+)`|\\b((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)\\b")
	function      = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)\(`)
	entryName     = regexp.MustCompile(`[a-z0-9]+(?:-[a-z0-9]+)+`)
)

// Every threat names tests and defences that exist. Beyond the 30 most
// important ones an entry of the list of mutants may be missing, a test not.
func TestThreats(t *testing.T) {
	root := filepath.Join("..", "..")
	list, err := os.ReadFile(filepath.Join(root, "scripts", "mutants.txt"))
	if err != nil {
		t.Fatal(err)
	}
	mutants, err := readList(string(list))
	if err != nil {
		t.Fatal(err)
	}
	known, used := map[string]bool{}, map[string]bool{}
	for _, m := range mutants {
		known[m.name] = true
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "threats.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]bool{}
	rows, defended := 0, 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| threat |") || strings.HasPrefix(line, "| fault |") {
			continue
		}
		rows++
		if len(cells) < 3 {
			t.Errorf("%.60s: %d cells", line, len(cells))
			continue
		}
		checkTests(t, root, tests, cells[2])
		names := entryName.FindAllString(strings.Join(cells[3:], " "), -1)
		for _, name := range names {
			if used[name] = true; !known[name] {
				t.Errorf("%.60s: there is no entry %s", line, name)
			}
		}
		if len(names) > 0 {
			defended++
		}
	}
	if rows < 32+20 || defended < 30 || len(used) < 30 {
		t.Errorf("%d rows, %d with an entry, %d entries", rows, defended, len(used))
	}
}

// TestSecurity checks that the tests in docs/security.md exist.
func TestSecurity(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| threat | defence | test |\n|---|---|---|\n")
	if !found {
		t.Fatal("there is no table")
	}
	tests := map[string]map[string]bool{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 {
			t.Errorf("%.60s: %d cells", line, len(cells))
			continue
		}
		checkTests(t, root, tests, cells[2])
	}
}

// checkTests looks for the tests that a cell names in the packages before them.
func checkTests(t *testing.T, root string, tests map[string]map[string]bool, cell string) {
	t.Helper()
	dir, found := "", 0
	for _, m := range testOrPackage.FindAllStringSubmatch(cell, -1) {
		if m[1] != "" {
			dir = m[1]
			continue
		}
		if tests[dir] == nil {
			tests[dir] = testsOf(t, filepath.Join(root, dir))
		}
		if found++; !tests[dir][m[2]] {
			t.Errorf("%s has no %s", dir, m[2])
		}
	}
	if found == 0 && !strings.HasPrefix(cell, "no test: ") {
		t.Errorf("no test in %q", cell)
	}
}

// testsOf returns the names of a package's tests.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
	}
	return names
}
