package ownfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// making matches the calls that create, replace or move files.
var making = regexp.MustCompile(`\bos\.(Rename|CreateTemp|Create|WriteFile|Mkdir|MkdirAll|Link|Chown|O_CREATE)\b`)

// elsewhere lists the files of the program that create files in other ways,
// each with its reason.
var elsewhere = map[string]string{
	"internal/history/save.go": "links reports so that none is replaced, on temporary files of this package; " +
		"syncs the directory itself",
	"internal/fleet/session.go":     "a cache of credentials, which nobody was promised",
	"internal/reports/side.go":      "a scratch file that ends with the command",
	"cmd/rollcall/backup.go":        "a scratch file without a name",
	"cmd/rollcall/auditoutput.go":   "appends to the summary file of GitHub's runner",
	"internal/awsmodel/gen/main.go": "a generator",
	"internal/schemas/main.go":      "a generator",
	"internal/templgen/main.go":     "a generator",
}

// This package creates every file of the program, so that files are durable and
// belong to the right user.
func TestEveryFileIsMadeHere(t *testing.T) {
	used := map[string]bool{}
	root := filepath.Join("..", "..")
	for _, top := range []string{"cmd", "internal", "report"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, _ := filepath.Rel(root, path)
			name = filepath.ToSlash(name)
			for _, skip := range []string{"internal/ownfile/", "internal/bench/", "internal/storetest/",
				"internal/mutants/", "internal/recipe/", "internal/awscli/", "internal/e2e/",
				"internal/browsertest/"} {
				if strings.HasPrefix(name, skip) {
					return nil
				}
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if found := making.FindAllString(string(text), -1); len(found) > 0 {
				if used[name] = true; elsewhere[name] == "" && !strings.Contains(name, "/gen/") {
					t.Errorf("%s makes files by %s: use ownfile", name, slices.Compact(found))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range elsewhere {
		if !used[name] {
			t.Errorf("%s makes no files any more: take it from the list", name)
		}
	}
}
