package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSchemas checks that the published schemas are those of the types, and that
// docs/formats.md names each.
func TestSchemas(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := makeAll(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, "docs", "schemas", name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/schemas/%s is out of date; run go run ./internal/schemas (%v)", name, err)
		}
	}
	formats, err := os.ReadFile(filepath.Join(root, "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(root, "docs", "schemas"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".json" && !strings.Contains(string(formats), "schemas/"+e.Name()) {
			t.Errorf("docs/formats.md does not name %s", e.Name())
		}
	}
}
