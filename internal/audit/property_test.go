package audit_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/audit"
)

// This is a second opinion on C5, C7, C8 and C9. It is written from the rules
// alone, reads the text of the cells, and shares no code with the engine.

type naiveRow map[string]string

// truth returns "yes", "no", "word" for the three words, and "?" for everything
// else.
func (r naiveRow) truth(column string) string {
	cell := r[column]
	switch strings.ToLower(cell) {
	case "true":
		return "yes"
	case "false":
		return "no"
	case "n/a", "no_information", "not_supported":
		return "word"
	}
	return "?"
}

// date returns the time in the cell and the kind of cell: "date", "never",
// "not_supported" or "?".
func (r naiveRow) date(column string, asOf time.Time) (time.Time, string) {
	switch strings.ToLower(r[column]) {
	case "n/a", "no_information":
		return time.Time{}, "never"
	case "not_supported":
		return time.Time{}, "not_supported"
	}
	t, err := time.Parse(time.RFC3339, r[column])
	if err != nil || t.After(asOf.Add(time.Hour)) {
		return time.Time{}, "?"
	}
	return t, "date"
}

func naiveC5(r naiveRow) string {
	switch password, mfa := r.truth("password_enabled"), r.truth("mfa_active"); {
	case password == "no":
		return "NOT_APPLICABLE"
	case mfa == "yes":
		return "PASS"
	case password != "yes" || mfa == "?":
		return "NO_DATA"
	default:
		return "FAIL"
	}
}

func naiveC7(r naiveRow, asOf time.Time, unusedDays int) string {
	switch r.truth("password_enabled") {
	case "no":
		return "NOT_APPLICABLE"
	case "word", "?":
		return "NO_DATA"
	}
	t, kind := r.date("password_last_used", asOf)
	if kind == "never" {
		if t, kind = r.date("password_last_changed", asOf); kind == "never" || kind == "not_supported" {
			t, kind = r.date("user_creation_time", asOf)
		}
	}
	if kind != "date" {
		return "NO_DATA"
	}
	if asOf.Sub(t) >= time.Duration(unusedDays)*24*time.Hour {
		return "FAIL"
	}
	return "PASS"
}

func naiveC8(r naiveRow, n int, asOf time.Time, unusedDays int) string {
	t, kind := r.date(fmt.Sprintf("access_key_%d_last_used_date", n), asOf)
	if kind == "never" {
		t, kind = r.date(fmt.Sprintf("access_key_%d_last_rotated", n), asOf)
	}
	if kind != "date" {
		return "NO_DATA"
	}
	if asOf.Sub(t) >= time.Duration(unusedDays)*24*time.Hour {
		return "FAIL"
	}
	return "PASS"
}

func naiveC9(r naiveRow, n int, asOf time.Time, maxDays int) string {
	t, kind := r.date(fmt.Sprintf("access_key_%d_last_rotated", n), asOf)
	if kind != "date" {
		return "NO_DATA"
	}
	if asOf.Sub(t) > time.Duration(maxDays)*24*time.Hour {
		return "FAIL"
	}
	return "PASS"
}

// naive returns "control user slot STATUS" for all users. Slot 0 is the row or
// its password.
func naive(rows []naiveRow, asOf time.Time, unusedDays, maxDays int) []string {
	var out []string
	for _, r := range rows {
		say := func(control string, slot int, status string) {
			out = append(out, fmt.Sprintf("%s %s %d %s", control, r["user"], slot, status))
		}
		say("C5", 0, naiveC5(r))
		say("C7", 0, naiveC7(r, asOf, unusedDays))
		keys := 0
		for n := 1; n <= 2; n++ {
			switch r.truth(fmt.Sprintf("access_key_%d_active", n)) {
			case "no":
				continue
			case "yes":
				say("C8", n, naiveC8(r, n, asOf, unusedDays))
				say("C9", n, naiveC9(r, n, asOf, maxDays))
			default:
				say("C8", n, "NO_DATA")
				say("C9", n, "NO_DATA")
			}
			keys++
		}
		if keys == 0 {
			say("C8", 0, "NOT_APPLICABLE")
			say("C9", 0, "NOT_APPLICABLE")
		}
	}
	slices.Sort(out)
	return out
}

func TestSecondOpinion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t)
		want := naive(r.rows, r.asOf, r.unused, r.maxAge)
		got := engineVerdicts(t, r.file, r.asOf, r.unused, r.maxAge)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("as of %s, unused %d, max age %d\n%s\n-naive +engine:\n%s", r.asOf, r.unused,
				r.maxAge, r.file, diff)
		}
	})
}

// drawn is a report with thresholds.
type drawn struct {
	file           string
	rows           []naiveRow
	asOf           time.Time
	unused, maxAge int
}

func drawReport(t *rapid.T) (r drawn) {
	columns := []string{
		"user", "arn", "user_creation_time", "password_enabled", "password_last_used",
		"password_last_changed", "mfa_active",
		"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
		"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
	}
	r.asOf = time.Unix(rapid.Int64Range(1_400_000_000, 2_000_000_000).Draw(t, "as of"), 0).UTC()
	r.unused, r.maxAge = rapid.IntRange(1, 120).Draw(t, "unused days"), rapid.IntRange(1, 120).Draw(t, "max age days")
	header := rapid.Permutation(columns).Draw(t, "header")
	header = slices.DeleteFunc(header, func(column string) bool {
		return column != "user" && column != "arn" && rapid.IntRange(0, 30).Draw(t, "drop") == 0
	})
	var file strings.Builder
	w := csv.NewWriter(&file)
	if err := w.Write(header); err != nil {
		t.Fatal(err)
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "rows") {
		row := naiveRow{}
		record := make([]string, len(header))
		for j, column := range header {
			row[column] = drawCell(t, column, i, r.asOf, r.unused, r.maxAge)
			record[j] = row[column]
		}
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
		r.rows = append(r.rows, row)
	}
	w.Flush()
	r.file = file.String()
	return r
}

// TestBuiltInsInCEL checks that a custom control with the expression of a
// built-in control gives the same verdicts. For rows to which a control does
// not apply, one has a verdict for the row, and the other has one for each key.
func TestBuiltInsInCEL(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t)
		limits := strings.NewReplacer("{unused_days}", fmt.Sprint(r.unused), "{key_max_age_days}", fmt.Sprint(r.maxAge),
			"{key_max_age_days_machine}", fmt.Sprint(r.maxAge))
		text := "version: 1\ncontrols:\n"
		var builtIn, own []audit.ControlID
		for _, c := range audit.Controls() {
			if c.CEL == "" {
				continue
			}
			id := "X-" + string(c.ID)
			builtIn, own = append(builtIn, c.ID), append(own, audit.ControlID(id))
			text += fmt.Sprintf("  - { id: %s, title: t, severity: low, scope: %s, root: %t, expression: %q, when: %q }\n",
				id, c.Scope, c.ID == audit.KeyAge, limits.Replace(c.CEL), limits.Replace(c.When))
		}
		config, err := audit.ReadConfig(strings.NewReader(text), false)
		if err != nil {
			t.Fatal(err)
		}
		strict, _ := audit.FindBenchmark(audit.Strict)
		verdicts := func(ids []audit.ControlID) []string {
			all := verdictsBy(t, strict.With(config), ids, r)
			for i := range all { // an expression without a condition passes where C5 does not apply
				if strings.Contains(all[i], "C5 ") {
					all[i] = strings.Replace(all[i], "NOT_APPLICABLE", "PASS", 1)
				}
			}
			return slices.DeleteFunc(all, func(v string) bool { return strings.HasSuffix(v, "NOT_APPLICABLE") })
		}
		want := verdicts(builtIn)
		got := verdicts(own)
		for i := range got {
			got[i] = strings.TrimPrefix(got[i], "X-")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("as of %s\n%s\n-built in +CEL:\n%s", r.asOf, r.file, diff)
		}
		if len(builtIn) < 5 {
			t.Fatalf("only %v have an expression", builtIn)
		}
	})
}

func drawCell(t *rapid.T, column string, i int, asOf time.Time, unused, maxAge int) string {
	name := fmt.Sprintf("u%d", i)
	odd := []string{"N/A", "no_information", "not_supported", "No_Information", "n/a", "",
		"odd", "2026-02-30T00:00:00Z"}
	switch {
	case column == "user":
		return name
	case column == "arn":
		return "arn:aws:iam::123456789012:user/" + name
	case strings.HasSuffix(column, "active"), strings.HasSuffix(column, "enabled"):
		return rapid.SampledFrom(
			append([]string{"true", "true", "true", "false", "false", "TRUE", "False"}, odd...)).Draw(t, column)
	case rapid.IntRange(0, 3).Draw(t, column+" is odd") == 0:
		return rapid.SampledFrom(odd).Draw(t, column)
	}
	age := time.Duration(rapid.SampledFrom([]int{0, 1, unused, unused, maxAge, maxAge, 45, 90, 1000}).Draw(t,
		column+" days")) * 24 * time.Hour
	age += time.Duration(
		rapid.SampledFrom([]int{-7200, -3601, -3600, -1, 0, 1, 86399}).Draw(t, column+" seconds")) * time.Second
	at := asOf.Add(-age)
	switch rapid.IntRange(0, 2).Draw(t, column+" form") {
	case 0:
		return at.Format("2006-01-02T15:04:05+00:00")
	case 1:
		return at.In(time.FixedZone("", 2*3600)).Format(time.RFC3339)
	default:
		return at.Format("2006-01-02T15:04:05Z")
	}
}

func engineVerdicts(t *rapid.T, file string, asOf time.Time, unused, maxAge int) []string {
	benchmark, _ := audit.FindBenchmark(audit.Strict)
	return verdictsBy(t, benchmark,
		[]audit.ControlID{audit.ConsoleMFA, audit.PasswordUnused, audit.KeyUnused, audit.KeyAge},
		drawn{file: file, asOf: asOf, unused: unused, maxAge: maxAge})
}

// verdictsBy returns the verdicts of controls on a report, sorted.
func verdictsBy(t *rapid.T, benchmark *audit.Benchmark, controls []audit.ControlID, r drawn) []string {
	params := benchmark.Params
	params.UnusedDays, params.KeyMaxAgeDays, params.KeyMaxAgeDaysMachine = r.unused, r.maxAge, r.maxAge
	a, err := audit.New(audit.Options{
		Benchmark: benchmark, Params: &params, Statuses: audit.AllStatuses, Controls: controls,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	_, err = a.Audit(context.Background(), strings.NewReader(r.file), audit.Source{Generated: r.asOf}, nil,
		func(row *audit.Row) error {
			for _, f := range row.Findings {
				got = append(got, fmt.Sprintf("%s %s %d %s", f.Control.ID, f.User, f.Credential.Slot, f.Status))
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}
