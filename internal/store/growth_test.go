package store_test

import (
	"os"
	"strings"
	"testing"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// Every new table must be documented with what removes its rows.
func TestEveryTableHasARemover(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## What grows")
	section, _, _ = strings.Cut(section, "\n## ")
	if section == "" {
		t.Fatal("docs/operations.md does not say what grows")
	}
	named := map[string]bool{}
	for i, word := range strings.Split(section, "`") {
		named[word] = i%2 == 1
	}
	db := storetest.Open(t, storetest.SQLite(t))
	view(t, db, func(tx *store.Tx) error {
		tables, err := tx.Pairs(`SELECT name, type FROM sqlite_master WHERE type = 'table'`)
		for _, table := range tables {
			name := table[0]
			switch {
			case strings.HasPrefix(name, "goose_"), strings.HasPrefix(name, "sqlite_"):
			case strings.HasPrefix(name, "turns_"): // they have no rows
			case !named[name]:
				t.Errorf("docs/operations.md, What grows: what removes the rows of %s?", name)
			}
		}
		return err
	})
}
