package audit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/report"
)

// expressions draws expressions that are true or false. Some of their parts are
// left to CEL.
type expressions struct {
	*rapid.T
	key string // the variable of the innermost macro, or key
}

func (e expressions) pick(from ...string) string { return rapid.SampledFrom(from).Draw(e.T, "part") }

func (e expressions) test(depth int) string {
	compared := []string{" < ", " <= ", " > ", " >= ", " == ", " != "}
	switch form := rapid.IntRange(0, 15).Draw(e.T, "form"); {
	case depth > 0 && form < 4:
		return "(" + e.test(depth-1) + e.pick(" && ", " || ") + e.test(depth-1) + ")"
	case depth > 0 && form == 4:
		return "!" + e.test(depth-1)
	case depth > 0 && form == 5:
		return "(" + e.test(depth-1) + " ? " + e.test(depth-1) + " : " + e.test(depth-1) + ")"
	case depth > 0 && form == 6:
		within := expressions{e.T, e.pick("k", "l", "key", "user")}
		return e.list(depth-1) + e.pick(".exists(", ".all(", ".exists_one(") + within.key + ", " + within.test(depth-1) + ")"
	case form == 14:
		return e.time() + e.pick(compared...) + e.time()
	case form == 15:
		return e.time() + " - " + e.time() + e.pick(compared...) + e.pick("duration('0s')", "duration('720h')",
			"duration('-1.5s')", "duration('2562047h')", "duration('bad')", "user.created - user.created")
	case form < 9:
		return e.number(depth) + e.pick(compared...) + e.number(depth)
	case form == 9:
		return e.text(depth) + e.pick(" == ", " != ", " < ") + e.text(depth)
	case form == 10:
		return e.text(depth) + e.pick(".startsWith(", ".endsWith(", ".contains(", ".matches(") + e.text(depth) + ")"
	case form == 11:
		return e.text(depth) + e.pick(" in ['a', 'machine', 'us-east-1']", " in ['s3', '']", " in []", " in [user.name]",
			" in user.tags")
	case form == 12:
		return e.number(depth) + e.pick(" in [1, 2]", " in [0.0, 1.5]", " in [9007199254740993]")
	}
	return e.pick("user.mfa", "user.is_root", "password.enabled", "password.used", e.key+".active", e.key+".used", "true",
		"false", "has("+e.key+".last_used)", "has(user.age_days)", "has(user.tags.team)", "has(user.tags)",
		"user.mfa == password.used", "user.mfa != true")
}

// list returns an expression for some keys.
func (e expressions) list(depth int) string {
	if depth > 0 && rapid.IntRange(0, 2).Draw(e.T, "filtered") == 0 {
		within := expressions{e.T, "m"}
		return "user.keys.filter(m, " + within.test(depth-1) + ")"
	}
	return "user.keys"
}

func (e expressions) number(depth int) string {
	switch form := rapid.IntRange(0, 9).Draw(e.T, "number"); {
	case depth > 0 && form == 0:
		return "(" + e.number(depth-1) + e.pick(" + ", " - ", " * ", " / ") + e.number(depth-1) + ")"
	case depth > 0 && form == 1:
		return "(" + e.test(depth-1) + " ? " + e.number(depth-1) + " : " + e.number(depth-1) + ")"
	case depth > 0 && form == 2:
		return e.list(depth-1) + ".size()"
	case depth > 0 && form == 3:
		return e.pick("size(", "double(size(") + e.text(depth-1) + ")" + e.pick("", ")")
	case form < 7:
		return e.pick(e.key+".age_days", e.key+".idle_days", e.key+".last_used_days", "user.age_days", "password.idle_days",
			e.key+".slot", "account.users", "-"+e.key+".age_days")
	}
	return e.pick("30", "90.0", "0", "-1", "1e9", "1.5", "0.0", "9007199254740993", "9007199254740991", "1e308", "2")
}

func (e expressions) text(depth int) string {
	switch form := rapid.IntRange(0, 9).Draw(e.T, "text"); {
	case depth > 0 && form == 0:
		return "(" + e.text(depth-1) + " + " + e.text(depth-1) + ")"
	case depth > 0 && form == 1:
		return "(" + e.test(depth-1) + " ? " + e.text(depth-1) + " : " + e.text(depth-1) + ")"
	case form == 2:
		return e.pick("user.tags.team", "user.tags['team']", "user.tags['none']")
	case form < 7:
		return e.pick("user.name", "user.path", "user.class", "user.arn", "account.id", e.key+".last_used_region")
	}
	return e.pick("'machine'", "'a'", "'/'", "'/a/'", "''", "'us-east-1'", "'^a+$'", "'['", "'team'", "'größe'")
}

func (e expressions) time() string {
	return e.pick("user.created", "password.next_rotation", e.key+".created", e.key+".last_used",
		"timestamp('2025-11-01T00:00:00Z')", "timestamp('2026-01-01T00:00:00.5Z')", "timestamp('2026-01-01T01:00:00+01:00')",
		"timestamp('0001-01-01T00:00:00Z')", "timestamp('bad')")
}

// drawRow returns a row of which every cell may be silent in any way.
func drawRow(t *rapid.T) *report.Row {
	cells := []string{"N/A", "no_information", "not_supported", "", "odd", "true", "false", "2025-11-01T00:00:00Z",
		"2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "us-east-1", "s3"}
	header := report.Columns22.Names()
	record := rapid.SliceOfN(rapid.SampledFrom(cells), len(header), len(header)).Draw(t, "cells")
	record[0] = rapid.SampledFrom([]string{"a", "b", report.RootUser}).Draw(t, "user")
	record[1] = rapid.SampledFrom([]string{"arn:aws:iam::123456789012:user/", "arn:aws:iam::123456789012:user/a/", "",
		"a"}).Draw(t, "arn") + record[0]
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
	decided := 0
	rapid.Check(t, func(t *rapid.T) {
		text := expressions{t, "key"}.test(3)
		e, err := compile(ScopeAccessKey, text, types.BoolType)
		if err != nil || e.direct == nil {
			return
		}
		asOf := report.None(report.MissingColumn)
		if rapid.Bool().Draw(t, "dated") {
			asOf = report.AtUnix(1_767_225_600)
		}
		s := &sight{credentials: blank, row: drawRow(t), asOf: asOf, class: ClassMachine, account: &Enrichment{}}
		s.accountID = rapid.SampledFrom([]string{"", "123456789012"}).Draw(t, "account")
		if rapid.Bool().Draw(t, "enriched") {
			s.facts = &UserFacts{Tags: rapid.MapOf(rapid.SampledFrom([]string{"team", "a"}),
				rapid.SampledFrom([]string{"a", ""})).Draw(t, "tags")}
		}
		s.credentials.see(s.row)
		o := s.objects(nil)
		o[keyObject].at = rapid.IntRange(1, 2).Draw(t, "key")
		is, unknown := e.direct(o)
		if unknown == indirect {
			return
		}
		decided++
		value, celErr := e.program.eval(o)
		got, want := decision(types.Bool(is), nil), decision(value, celErr)
		if unknown != nil {
			got = decision(nil, unknown)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s of %+v: -CEL +direct\n%s", text, s.row, diff)
		}
	})
	if decided < 20 {
		t.Errorf("only %d expressions were decided without CEL", decided)
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

// If one side is unknown and only CEL can decide the other, CEL decides both.
func TestCELDecidesBesideAnUnknownValue(t *testing.T) {
	unknown := func(*objects) (bool, *absent) { return false, &absent{columnMFA} }
	left := func(*objects) (bool, *absent) { return false, indirect }
	for _, sides := range [][2]testOf{{unknown, left}, {left, unknown}} {
		if _, got := either(sides[0], sides[1], true)(nil); got != indirect {
			t.Errorf("decided without CEL: %v", got)
		}
	}
}
