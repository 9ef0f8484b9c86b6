package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a module whose one function has a defence, and its tests.
func module(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
	for name, text := range map[string]string{
		"go.mod": "module example\n\ngo 1.26\n",
		"a.go":   "package a\n\nfunc half(n int) int {\n\tif n < 0 {\n\t\treturn 0\n\t}\n\treturn n / 2\n}\n",
		"a_test.go": `package a
import "testing"
func TestNegative(t *testing.T) { if half(-4) != 0 { t.Error("negative") } }
func TestPositive(t *testing.T) { if half(4) != 2 { t.Error("positive") } }
func TestRed(t *testing.T) { t.Error("red") }
`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerdicts(t *testing.T) {
	module(t)
	defence := edit{old: "if n < 0 {", new: "if false {"}
	for _, c := range []struct {
		name, test, want string
		edit             edit
	}{
		{"noticed", "go test -run Negative", killed, defence},
		{"unnoticed", "go test -run Positive", survived, defence},
		{"red", "go test -run Red", "ERROR: is red with its defence", defence},
		{"absent", "go test -run Absent", "ERROR: no such test", defence},
		{"broken", "go test -run Negative", "ERROR: does not compile", edit{old: "if n < 0 {", new: "if m < 0 {"}},
		{"torn", "go test -run Negative", "ERROR: torn: a.go:", edit{old: "if n < 0 {"}},
		{"gone", "go test -run Negative", "ERROR: gone: a.go has no line", edit{old: "if n < 1 {"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runner{dir: t.TempDir(), sound: map[string]error{}}
			got, _ := r.run(context.Background(),
				mutant{name: c.name, file: "a.go", test: c.test, edits: []edit{c.edit}})
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("verdict %q, want %q", got, c.want)
			}
		})
	}
}

func TestReadList(t *testing.T) {
	const good = "name: a\nfile: f\ntest: go test .\nold: x: y\nnew: z\nold: w\nnew:\n"
	list, err := readList("# said to people\n\n" + good)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || len(list[0].edits) != 2 || list[0].edits[0] != (edit{"x: y", "z", true}) ||
		list[0].edits[1] != (edit{old: "w", given: true}) {
		t.Errorf("read %+v", list)
	}
	for name, text := range map[string]string{
		"no old":     "name: a\nfile: f\ntest: go test .\n",
		"no test":    "name: a\nfile: f\nold: x\n",
		"other test": "name: a\nfile: f\ntest: true\nold: x\n",
		"twice":      good + "\n" + good,
		"unknown":    good + "\n\ncolour: red\n",
		"two news":   good + "new: y\n",
		"two files":  "name: a\nfile: f\nfile: g\ntest: go test .\nold: x\n",
		"new first":  "name: a\nnew: x\n",
		"no name":    "file: f\n",
	} {
		if _, err := readList(text); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
}

func TestMutate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("a\n\tb\nc\nc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := mutant{file: file, edits: []edit{{old: "b", new: "B"}, {old: "a"}}}.mutate()
	if err != nil || got != "\nB\nc\nc\n" {
		t.Errorf("mutated to %q, %v", got, err)
	}
	if _, err := (mutant{file: file, edits: []edit{{old: "c"}}}).mutate(); err == nil {
		t.Error("a line that is there twice was replaced")
	}
}
