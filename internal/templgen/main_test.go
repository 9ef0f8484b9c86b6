package main

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// TestTemplates compares the Go code of every template of the tree with what the
// generator makes of it.
func TestTemplates(t *testing.T) {
	templates, err := find("..", ".templ")
	if err != nil || len(templates) == 0 {
		t.Fatalf("templates %v, %v", templates, err)
	}
	for _, path := range templates {
		want, err := compile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(codeOf(path)); !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go run ./internal/templgen", codeOf(path))
		}
	}
	compiled, err := find("..", "_templ.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range compiled {
		if !slices.ContainsFunc(templates, func(path string) bool { return codeOf(path) == code }) {
			t.Errorf("%s has no template", code)
		}
	}
}
