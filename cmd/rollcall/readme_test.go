package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The first table in the README is the one that the demonstration prints. The
// two keys of a user may be swapped, uses age by the second, and a time in the
// future may lack a second.
func TestReadmeTable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	env := func(name string) string { return map[string]string{"COLUMNS": "118"}[name] }
	p := &process{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, env: env}
	if code := run(t.Context(), p, []string{"demo", "--once"}); code != 0 {
		t.Fatalf("code %d: %s", code, stderr.String())
	}
	_, table, _ := strings.Cut(string(readme), "\nUSER ")
	table, _, _ = strings.Cut(table, "\n```")
	var printed []string
	for line := range strings.Lines(stdout.String()) {
		printed = append(printed, rowOf(line))
	}
	for line := range strings.Lines("USER " + table) {
		if !slices.Contains(printed, rowOf(line)) {
			t.Errorf("the demonstration does not print %q", line)
		}
	}
}

// rowOf returns the cells of a line of a table, in an order that does not
// depend on the places of keys.
func rowOf(line string) string {
	line = regexp.MustCompile(`\b\d+s\b`).ReplaceAllString(strings.TrimSpace(line), "0s")
	line = regexp.MustCompile(`\bin \d+d\b`).ReplaceAllString(line, "in 0d")
	cells := regexp.MustCompile(`  +`).Split(line, -1)
	slices.Sort(cells)
	return strings.Join(cells, " | ")
}
