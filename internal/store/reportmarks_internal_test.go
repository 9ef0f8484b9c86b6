package store

import (
	"regexp"
	"strings"
	"testing"
)

var scanned = regexp.MustCompile(`SELECT ([a-z_, ]+) FROM (\w+)`)

// Every table and every column that a report is read from has triggers that mark
// the user, on every engine. The ids of credentials never change.
func TestWhatReportsReadIsMarked(t *testing.T) {
	t.Parallel()
	for _, engine := range []dialect{sqliteDialect, postgresDialect} {
		text, err := migrations.ReadFile("migrations/00014_report_patches." + engine.name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range scanSQL {
			found := scanned.FindStringSubmatch(sql)
			if found == nil {
				t.Fatalf("which table is it? %s", sql)
			}
			columns, table := found[1], found[2]
			triggers := regexp.MustCompile(`(?m)^CREATE TRIGGER .* ON `+table+`$`).FindAllString(string(text), -1)
			all := strings.Join(triggers, " ") + " "
			for _, event := range []string{"INSERT", "DELETE", "UPDATE OF"} {
				if !strings.Contains(all, event) {
					t.Errorf("%s: no trigger marks users on %s of %s", engine.name, event, table)
				}
			}
			_, updates, _ := strings.Cut(all, "UPDATE OF ")
			updates, _, _ = strings.Cut(updates, " ON ")
			for column := range strings.SplitSeq(columns, ", ") {
				if column != "key_id" && !strings.Contains(", "+updates+",", ", "+column+",") {
					t.Errorf("%s: a change of %s.%s marks nobody", engine.name, table, column)
				}
			}
		}
	}
}
