package report_test

import (
	"testing"

	"rollcall/report"
)

func TestColumn(t *testing.T) {
	row := user("Bob", func(r *report.Row) {
		r.PasswordEnabled = report.True
		r.Keys[1].LastUsed, r.Keys[1].LastUsedRegion = at("2026-01-02T03:04:05Z"), text("eu-west-1")
	})
	for _, name := range report.Columns23.Names() {
		c, ok := report.FindColumn(name)
		if !ok || c.Name != name {
			t.Fatalf("%s: %+v", name, c)
		}
		want, _ := row.Cell(name)
		got := map[report.Kind]string{
			report.BoolKind: c.Bool(&row).String(), report.TimeKind: c.Time(&row).String(),
			report.TextKind: c.Text(&row).String(), report.AdditionalKind: c.Text(&row).String(), report.NameKind: want,
		}
		for kind, text := range got {
			if kind == report.NameKind || kind == c.Kind || min(kind, report.TextKind) == min(c.Kind, report.TextKind) {
				continue
			}
			if text != "" {
				t.Errorf("%s: as kind %d it is %q", name, kind, text)
			}
		}
		if got[c.Kind] != want {
			t.Errorf("%s: got %q, want %q", name, got[c.Kind], want)
		}
	}
	c, _ := report.FindColumn("access_key_2_last_used_region")
	if c.Credential != report.KeyCredential || c.Slot != 2 || c.Fact != report.WhereFact || c.Kind != report.TextKind {
		t.Errorf("%+v", c)
	}
	if _, ok := report.FindColumn("flavour"); ok {
		t.Error("a column is known that is not")
	}
	for i, name := range report.Columns23.Names() {
		if report.KnownColumns()[i].Name != name {
			t.Errorf("column %d is %s and not %s", i, report.KnownColumns()[i].Name, name)
		}
	}
}
