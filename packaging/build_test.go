package main

import (
	"slices"
	"testing"
)

// TestBuildFlags checks that a release is built with the flags of
// scripts/build-flags.txt, and with nothing that is a comment there.
func TestBuildFlags(t *testing.T) {
	flags, err := buildFlags("..")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(flags, "-gcflags=github.com/...=-l") {
		t.Errorf("the flags are %q", flags)
	}
	for _, f := range flags {
		if f[0] != '-' {
			t.Errorf("%q is no flag", f)
		}
	}
}
