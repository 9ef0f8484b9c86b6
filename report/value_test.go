package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/report"
)

// readCell reads a report with one user and one more column.
func readCell(t *testing.T, column, cell string) report.Row {
	t.Helper()
	rows, err := report.ReadAll(
		strings.NewReader("user,arn," + column + "\nu,arn:aws:iam::123456789012:user/u," + cell))
	must(t, err)
	return rows[0]
}

func TestZeroRow(t *testing.T) {
	const want = ",,N/A,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,"
	if got := string(report.Columns23.AppendRow(nil, &report.Row{})); got != want {
		t.Errorf("zero row is\n%s\nwant that of a user without credentials\n%s", got, want)
	}
}

func TestBool(t *testing.T) {
	for cell, want := range map[string]report.Bool{
		"true": report.True, "TRUE": report.True, "True": report.True,
		"false": report.False, "FALSE": report.False,
		"not_supported": report.NoBool(report.NotSupported), "Not_Supported": report.NoBool(report.NotSupported),
		"no_information": report.NoBool(report.NoInformation), "N/A": report.NoBool(report.NotApplicable),
		"": report.NoBool(report.Malformed), "yes": report.NoBool(report.Malformed),
		"1":     report.NoBool(report.Malformed),
		" true": report.NoBool(report.Malformed),
	} {
		t.Run(cell, func(t *testing.T) {
			row := readCell(t, "mfa_active", cell)
			if row.MFAActive != want {
				t.Fatalf("read %v (%v), want %v", row.MFAActive, row.MFAActive.Absence(), want)
			}
			if got, ok := row.Cell("mfa_active"); !ok || !strings.EqualFold(got, cell) {
				t.Errorf("Cell = %q, %t", got, ok)
			}
			if row.PasswordEnabled != report.NoBool(report.MissingColumn) {
				t.Errorf("column that is not there: %v", row.PasswordEnabled.Absence())
			}
		})
	}
	for b, want := range map[report.Bool][2]bool{
		report.True: {true, false}, report.False: {false, true},
		report.NoBool(report.NotApplicable): {}, report.NoBool(report.MissingColumn): {},
		report.NoBool(report.Malformed): {}, report.NoBool(report.NotSupported): {},
	} {
		if got := [2]bool{b.IsTrue(), b.IsFalse()}; got != want {
			t.Errorf("%v (%v): IsTrue, IsFalse = %v, want %v", b, b.Absence(), got, want)
		}
	}
	if report.BoolOf(true) != report.True || report.BoolOf(false) != report.False {
		t.Error("BoolOf")
	}
}

func TestTime(t *testing.T) {
	for cell, want := range map[string]report.Time{
		"2026-09-11T13:14:52Z":        report.AtUnix(1789132492),
		"2014-10-15T16:31:25+00:00":   report.AtUnix(1413390685),
		"2014-10-15T18:31:25+02:00":   report.AtUnix(1413390685),
		"2014-10-15T09:01:25-07:30":   report.AtUnix(1413390685),
		"2014-10-15T16:31:25.999Z":    report.AtUnix(1413390685),
		"2024-02-29T00:00:00Z":        report.AtUnix(1709164800),
		"2000-02-29T00:00:00Z":        report.AtUnix(951782400),
		"1969-12-31T23:59:59Z":        report.AtUnix(-1),
		"N/A":                         report.None(report.NotApplicable),
		"n/a":                         report.None(report.NotApplicable),
		"no_information":              report.None(report.NoInformation),
		"No_Information":              report.None(report.NoInformation),
		"not_supported":               report.None(report.NotSupported),
		"":                            report.None(report.Malformed),
		"never":                       report.None(report.Malformed),
		"2023-02-29T00:00:00Z":        report.None(report.Malformed),
		"1900-02-29T00:00:00Z":        report.None(report.Malformed),
		"2026-04-31T00:00:00Z":        report.None(report.Malformed),
		"2026-00-10T00:00:00Z":        report.None(report.Malformed),
		"2026-13-10T00:00:00Z":        report.None(report.Malformed),
		"2026-01-00T00:00:00Z":        report.None(report.Malformed),
		"2026-01-32T00:00:00Z":        report.None(report.Malformed),
		"2026-01-01T24:00:00Z":        report.None(report.Malformed),
		"2026-01-01T00:60:00Z":        report.None(report.Malformed),
		"2026-01-01T00:00:60Z":        report.None(report.Malformed),
		"2026-01-01 00:00:00Z":        report.None(report.Malformed),
		"2026-01-01T00:00:00":         report.None(report.Malformed),
		"2O26-01-01T00:00:00Z":        report.None(report.Malformed),
		"0000-01-01T00:00:00+01:00":   report.None(report.Malformed), // before year 0 in UTC
		"11/09/2026 13:14":            report.None(report.Malformed),
		"2026-09-11T13:14:52Z garble": report.None(report.Malformed),
	} {
		t.Run(cell, func(t *testing.T) {
			row := readCell(t, "password_last_used", cell)
			if got := row.PasswordLastUsed; got != want {
				t.Fatalf("read %v (%v), want %v (%v)", got, got.Absence(), want, want.Absence())
			}
			text, _ := row.Cell("password_last_used")
			if want.Absence() == report.Malformed && text != cell {
				t.Errorf("text of the malformed cell is %q", text)
			}
			if row.PasswordLastChanged != report.None(report.MissingColumn) {
				t.Errorf("column that is not there: %v", row.PasswordLastChanged.Absence())
			}
		})
	}
}

// TestTimeAgrees compares both directions with the time package.
func TestTimeAgrees(t *testing.T) {
	first := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	check := func(t interface{ Fatalf(string, ...any) }, secs ...int64) {
		file := new(strings.Builder)
		file.WriteString("user,arn,user_creation_time")
		for _, sec := range secs {
			want, got := time.Unix(sec, 0).UTC(), report.AtUnix(sec)
			if got.String() != want.Format(time.RFC3339) {
				t.Fatalf("%d: wrote %s, want %s", sec, got, want.Format(time.RFC3339))
			}
			if v, ok := got.Value(); !ok || !v.Equal(want) || v.Location() != time.UTC {
				t.Fatalf("%d: value %v, want %v", sec, v, want)
			}
			file.WriteString("\n,," + got.String())
		}
		rows, err := report.ReadAll(strings.NewReader(file.String()))
		if err != nil || len(rows) != len(secs) {
			t.Fatalf("read %d rows of %d, error %v", len(rows), len(secs), err)
		}
		for i, sec := range secs {
			if rows[i].Created != report.AtUnix(sec) {
				t.Fatalf("%d: read back %v", sec, rows[i].Created)
			}
		}
	}
	secs := []int64{last}
	for year := range 10000 { // the days around every end of February and of the year
		for _, month := range []time.Month{time.January, time.March} {
			day := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Unix()
			secs = append(secs, day, max(day-1, first))
		}
	}
	check(t, secs...)
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.Int64Range(first, last).Draw(t, "sec")) })
	for _, sec := range []int64{first - 1, last + 1, -1 << 63, 1<<63 - 1} {
		if got := report.AtUnix(sec); got != report.None(report.Malformed) {
			t.Errorf("AtUnix(%d) = %v, want Malformed", sec, got)
		}
	}
}

func TestAt(t *testing.T) {
	zone := time.FixedZone("", 3600)
	got := report.At(time.Date(2026, 9, 11, 14, 14, 52, 999_999_999, zone))
	if got.String() != "2026-09-11T13:14:52Z" {
		t.Errorf("At = %s", got)
	}
	if sec, ok := got.Unix(); sec != 1789132492 || !ok {
		t.Errorf("Unix = %d, %t", sec, ok)
	}
	if v, ok := report.None(report.NoInformation).Value(); ok || !v.IsZero() {
		t.Errorf("Value of an absence = %v, %t", v, ok)
	}
}

func TestText(t *testing.T) {
	for cell, want := range map[string]report.Text{
		"us-east-1":      report.TextOf("us-east-1"),
		"N/A":            report.NoText(report.NotApplicable),
		"not_supported":  report.NoText(report.NotSupported),
		"no_information": report.NoText(report.NoInformation),
		"":               report.NoText(report.Malformed),
	} {
		t.Run(cell, func(t *testing.T) {
			row := readCell(t, "access_key_2_last_used_region", cell)
			if got := row.Keys[1].LastUsedRegion; got != want {
				t.Errorf("read %v (%v), want %v", got, got.Absence(), want)
			}
			if got := row.Keys[0].LastUsedRegion; got != report.NoText(report.MissingColumn) {
				t.Errorf("column that is not there: %v", got.Absence())
			}
		})
	}
	if got := report.TextOf(""); got != report.NoText(report.NotApplicable) {
		t.Errorf("TextOf of nothing is %v", got.Absence())
	}
	if v, ok := report.TextOf("iam").Value(); v != "iam" || !ok {
		t.Errorf("Value = %q, %t", v, ok)
	}
}

// TestAbsence checks that all reasons stay distinct, and that Present is not
// one.
func TestAbsence(t *testing.T) {
	all := []report.Absence{report.NotApplicable, report.NoInformation, report.NotSupported,
		report.MissingColumn, report.Malformed}
	names := map[string]bool{report.Present.String(): true}
	for _, a := range all {
		names[a.String()] = true
		if report.NoBool(a).Absence() != a || report.None(a).Absence() != a || report.NoText(a).Absence() != a {
			t.Errorf("%v is not kept", a)
		}
		if report.None(a).IsPresent() || report.NoText(a).IsPresent() {
			t.Errorf("%v is present", a)
		}
	}
	if len(names) != len(all)+1 {
		t.Errorf("names are not different: %v", names)
	}
	for _, a := range []report.Absence{report.Present, 200} {
		got := []report.Absence{report.NoBool(a).Absence(), report.None(a).Absence(), report.NoText(a).Absence()}
		want := []report.Absence{report.Malformed, report.Malformed, report.Malformed}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("absence of %v: %s", a, diff)
		}
	}
}
