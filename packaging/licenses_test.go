package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLicenses checks that every module of the program for each platform has its
// license in the release, also one that only a directory of a module has.
func TestLicenses(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range platforms {
		r := &release{root: root, work: t.TempDir()}
		if err := os.Mkdir(filepath.Join(r.work, p.String()), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := r.writeLicenses(t.Context(), p); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		text, err := os.ReadFile(r.licenses(p))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"\nGo\n", "The Go Authors", "\ngithub.com/jackc/pgx/v5 v5.", "Copyright (c) 2013-2021 Jack Christensen",
			"\ngithub.com/ncruces/go-sqlite3 v0.", "Apache License", "The Snappy-Go Authors",
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %q in %d bytes", p, want, len(text))
			}
		}
		if strings.Count(string(text), "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION") > 12 {
			t.Errorf("%s: one license comes again and again", p)
		}
	}
}

// TestModuleWithoutLicense checks that a release fails with a module whose license
// nobody has found.
func TestModuleWithoutLicense(t *testing.T) {
	dir := t.TempDir()
	module := &linkedModule{Path: "example.com/m", Version: "v1.0.0", Dir: dir}
	if err := os.WriteFile(filepath.Join(dir, "NOTICE"), []byte("a notice"), 0o600); err != nil {
		t.Fatal(err)
	}
	linked := []linkedPackage{{Dir: dir, Module: module}}
	if text, err := licenseTexts(linked); err == nil {
		t.Errorf("licenseTexts() = %q, want an error", text)
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE.txt"), []byte("terms"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "example.com/m v1.0.0\n\nterms\n"
	if text, err := licenseTexts(linked); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("licenseTexts() = %q, %v", text, err)
	}
}
