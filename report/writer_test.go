package report_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/report"
)

func write(t testing.TB, columns report.Columns, rows ...report.Row) string {
	t.Helper()
	var out strings.Builder
	w := report.NewWriter(&out, columns)
	for i := range rows {
		must(t, w.WriteRow(&rows[i]))
	}
	must(t, w.Flush())
	return out.String()
}

func mustColumns(t testing.TB, names ...string) report.Columns {
	t.Helper()
	c, err := report.NewColumns(names...)
	must(t, err)
	return c
}

func TestWriter(t *testing.T) {
	t.Run("header alone without newline", func(t *testing.T) {
		if got := write(t, mustColumns(t, "user", "arn")); got != "user,arn" {
			t.Errorf("wrote %q", got)
		}
	})
	t.Run("zero columns are those of today", func(t *testing.T) {
		if got := write(t, report.Columns{}); got != strings.Join(report.Columns22.Names(), ",") {
			t.Errorf("wrote %q", got)
		}
	})
	t.Run("LF between rows and none at the end", func(t *testing.T) {
		got := write(t, mustColumns(t, "user", "mfa_active"), report.Row{User: "a"},
			report.Row{User: "b", MFAActive: report.True})
		if got != "user,mfa_active\na,false\nb,true" {
			t.Errorf("wrote %q", got)
		}
	})
	t.Run("continues after Flush", func(t *testing.T) {
		var out strings.Builder
		w := report.NewWriter(&out, mustColumns(t, "user"))
		must(t, w.Flush())
		must(t, w.Flush())
		must(t, w.WriteRow(&report.Row{User: "a"}))
		must(t, w.Flush())
		if out.String() != "user\na" {
			t.Errorf("wrote %q", out.String())
		}
	})
	t.Run("large reports are written in pieces", func(t *testing.T) {
		var out strings.Builder
		w := report.NewWriter(&out, report.Columns22)
		rows := benchRows(1000)
		for i := range rows {
			must(t, w.WriteRow(&rows[i]))
		}
		if out.Len() == 0 {
			t.Error("a quarter of a megabyte was held back")
		}
		must(t, w.Flush())
		again, err := report.ReadAll(strings.NewReader(out.String()))
		must(t, err)
		for i := range rows {
			rows[i] = report.Without(report.Columns22, rows[i])
		}
		if diff := cmp.Diff(rows, again); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWriterQuotes(t *testing.T) {
	for name, want := range map[string]string{
		"plain": "plain", "a,b": `"a,b"`, `"`: `""""`, `say "hi"`: `"say ""hi"""`,
		"two\nlines": "\"two\nlines\"", "a\rb": "\"a\rb\"",
		// These are unchanged, because tools find users by name.
		"=1+1": "=1+1", "+1": "+1", "-2+3": "-2+3", "@SUM": "@SUM", "'x": "'x", "\tx": "\tx",
		" a ": " a ", "naïve": "naïve", "<root_account>": "<root_account>", `\.`: `\.`,
	} {
		row := report.Row{User: name, ARN: name, Keys: [2]report.Key{{LastUsedRegion: report.TextOf(name)}},
			Additional: report.TextOf(name)}
		got := write(t, mustColumns(t, "user", "arn", "access_key_1_last_used_region", "additional_credentials_info"),
			row)
		_, got, _ = strings.Cut(got, "\n")
		if want := strings.Join([]string{want, want, want, want}, ","); got != want {
			t.Errorf("%q: wrote %s, want %s", name, got, want)
		}
	}
}

func TestWriterAbsences(t *testing.T) {
	row := report.Row{
		Created: report.None(report.MissingColumn), PasswordEnabled: report.NoBool(report.NotSupported),
		PasswordLastUsed: report.None(report.NoInformation), PasswordLastChanged: report.None(report.Malformed),
		MFAActive: report.NoBool(report.Malformed), Additional: report.NoText(report.MissingColumn),
		Unreadable: []report.Cell{{Column: "mfa_active", Text: "per,haps"}},
		Extra:      []report.Cell{{Column: "new", Text: "=1"}},
	}
	columns := mustColumns(t, "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
		"password_next_rotation", "mfa_active", "additional_credentials_info", "new", "newer")
	_, got, _ := strings.Cut(write(t, columns, row), "\n")
	if want := `,not_supported,no_information,,N/A,"per,haps",,=1,`; got != want {
		t.Errorf("wrote %s, want %s", got, want)
	}
}

func TestWriterFails(t *testing.T) {
	full := errors.New("disk full")
	for name, tt := range map[string]struct {
		n    int
		err  error
		want error
	}{
		"error":       {0, full, full},
		"short write": {3, nil, io.ErrShortWrite},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			w := report.NewWriter(writerFunc(func(p []byte) (int, error) { calls++; return tt.n, tt.err }),
				report.Columns22)
			must(t, w.WriteRow(&report.Row{}))
			if err := w.Flush(); !errors.Is(err, tt.want) {
				t.Errorf("Flush: %v", err)
			}
			if err := w.WriteRow(&report.Row{}); !errors.Is(err, tt.want) {
				t.Errorf("WriteRow after a failure: %v", err)
			}
			if err := w.Flush(); !errors.Is(err, tt.want) || calls != 1 {
				t.Errorf("Flush after a failure: %v, %d writes", err, calls)
			}
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestWriterAllocations(t *testing.T) {
	rows := append(benchRows(64), golden["users.csv"]...)
	for name, columns := range map[string]report.Columns{
		"16": report.Columns16, "22": report.Columns22, "23": report.Columns23,
		"selection": mustColumns(t, "arn", "user", "user_creation_time", "mfa_active", "access_key_1_last_used_region"),
	} {
		t.Run(name, func(t *testing.T) {
			w, i := report.NewWriter(io.Discard, columns), 0
			if n := testing.AllocsPerRun(2000, func() {
				must(t, w.WriteRow(&rows[i%len(rows)]))
				i++
			}); n != 0 {
				t.Errorf("%g allocations for a row", n)
			}
		})
	}
}
