package e2e

import (
	"debug/elf"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/e2e/e2etest"
)

// maxProgram is the size of the program without its symbols. A release that is
// larger fails too (packaging/build.go).
const maxProgram = 45_000_000

// TestSize checks the size of the program (decision 049), and that it executes no
// template: with one it has every method of every type (decision 046).
func TestSize(t *testing.T) {
	t.Parallel()
	if e2etest.RaceEnabled {
		t.Skip("the race detector makes the program larger")
	}
	program, err := elf.Open(e2etest.Binary)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	var size uint64
	for _, s := range program.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS {
			size += s.Size
		}
	}
	if size < maxProgram/2 || size > maxProgram {
		t.Errorf("the program has %d bytes", size)
	}
	symbols, err := program.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == name })
	}
	if !has("main.main") || has("text/template.(*state).evalField") {
		t.Error("the program executes a template of text/template, which calls methods by their names")
	}
}

// TestBuildFlags checks that 'make build' has the flags of scripts/build-flags.txt, as
// the program of TestSize and a release have.
func TestBuildFlags(t *testing.T) {
	t.Parallel()
	flags, err := e2etest.BuildFlags("../..")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("make", "--no-print-directory", "--dry-run", "build")
	build.Dir = "../.."
	said, err := build.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := " " + strings.Join(flags, " ") + " "; len(flags) == 0 || !strings.Contains(string(said), want) {
		t.Errorf("make build runs %s, want %s", said, want)
	}
}
