package audit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/report"
)

// drawTest returns an expression that is true or false. Some of its parts are
// left to CEL.
func drawTest(t *rapid.T, depth int) string {
	tests := []string{"user.mfa", "user.is_root", "password.enabled", "password.used", "key.active", "key.used", "true",
		"false", "has(key.last_used)", "user.keys.exists(key, key.active)", "key.slot == 1", "1 < 2", "1 == 1"}
	numbers := []string{"key.age_days", "key.idle_days", "key.last_used_days", "user.age_days", "password.idle_days"}
	constants := []string{"30", "90.0", "0", "-1", "1e9", "(key.active ? 30 : 365)", "(user.mfa ? 1.5 : user.age_days)",
		"user.age_days"}
	texts := []string{"user.name", "user.path", "user.class", "user.arn", "account.id", "key.last_used_region",
		"'machine'", "'a'", "'/'", "''", "'us-east-1'"}
	pick := func(from []string) string { return rapid.SampledFrom(from).Draw(t, "part") }
	switch form := rapid.IntRange(0, 9).Draw(t, "form"); {
	case depth > 0 && form < 5:
		join := pick([]string{" && ", " || "})
		return "(" + drawTest(t, depth-1) + join + drawTest(t, depth-1) + ")"
	case depth > 0 && form == 5:
		return "!" + drawTest(t, depth-1)
	case form < 8:
		return pick(numbers) + pick([]string{" < ", " <= ", " > ", " >= ", " == ", " != "}) + pick(constants)
	case form == 8:
		return pick(texts) + pick([]string{" == ", " != ", " < "}) + pick(texts)
	case rapid.Bool().Draw(t, "method"):
		return pick(texts) + pick([]string{".startsWith(", ".endsWith(", ".contains("}) + pick(texts) + ")"
	}
	return pick(tests)
}

// drawRow returns a row of which every cell may be silent in any way.
func drawRow(t *rapid.T) *report.Row {
	cells := []string{"N/A", "no_information", "not_supported", "", "odd", "true", "false", "2025-11-01T00:00:00Z",
		"2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "us-east-1", "s3"}
	header := report.Columns22.Names()
	record := rapid.SliceOfN(rapid.SampledFrom(cells), len(header), len(header)).Draw(t, "cells")
	record[0] = rapid.SampledFrom([]string{"a", "b", report.RootUser}).Draw(t, "user")
	record[1] = "arn:aws:iam::123456789012:user/" + record[0]
	keep := len(header) - rapid.IntRange(0, 12).Draw(t, "missing columns")
	rows, err := report.ReadAll(strings.NewReader(
		strings.Join(header[:keep], ",") + "\n" + strings.Join(record[:keep], ",") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &rows[0]
}

// TestDirect checks that expressions decide the same without CEL's interpreter,
// and blame the same columns.
func TestDirect(t *testing.T) {
	direct := 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawTest(t, 3)
		e, err := compile(ScopeAccessKey, text, cel.BoolType)
		if err != nil || e.direct == nil {
			return
		}
		direct++
		asOf := report.None(report.MissingColumn)
		if rapid.Bool().Draw(t, "dated") {
			asOf = report.AtUnix(1_767_225_600)
		}
		s := &sight{credentials: blank, row: drawRow(t), asOf: asOf, class: ClassMachine, account: &Enrichment{}}
		s.accountID = rapid.SampledFrom([]string{"", "123456789012"}).Draw(t, "account")
		s.credentials.see(s.row)
		o := s.objects(nil)
		o.key.at = rapid.IntRange(1, 2).Draw(t, "key")
		is, err := e.direct(o)
		value, _, celErr := e.program.Eval(o)
		got, want := decision(types.Bool(is), err), decision(value, celErr)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s of %+v: -CEL +direct\n%s", text, s.row, diff)
		}
	})
	if direct < 20 {
		t.Errorf("only %d expressions were decided without CEL", direct)
	}
}

// decision returns a value, or the columns whose absence prevents it.
func decision(value any, err error) string {
	var unknown *absent
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprint("unknown ", columnNames(unknown.columns))
	case err != nil:
		return "error " + err.Error()
	}
	return fmt.Sprint(value)
}
