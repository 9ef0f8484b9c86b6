package report_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"rollcall/report"
)

const arnU = "arn:aws:iam::123456789012:user/u"

func TestReader(t *testing.T) {
	one := []report.Row{{User: "u", ARN: arnU, MFAActive: report.True}}
	two := append(one[:1:1], report.Row{User: "v", ARN: "arn:aws:iam::123456789012:user/v"})
	for name, tt := range map[string]struct {
		file string
		want []report.Row
	}{
		"LF, no newline at the end": {"user,arn,mfa_active\nu," + arnU + ",true", one},
		"newline at the end":        {"user,arn,mfa_active\nu," + arnU + ",true\n", one},
		"CRLF":                      {"user,arn,mfa_active\r\nu," + arnU + ",true\r\n", one},
		"CRLF except at the end":    {"user,arn,mfa_active\r\nu," + arnU + ",true", one},
		"byte order mark":           {"\ufeffuser,arn,mfa_active\nu," + arnU + ",true", one},
		"mark and quotes":           {"\ufeff\"user\",\"arn\",\"mfa_active\"\n\"u\",\"" + arnU + "\",\"true\"", one},
		"other order":               {"mfa_active,arn,user\ntrue," + arnU + ",u", one},
		"blank lines":               {"\n\nuser,arn,mfa_active\n\r\nu," + arnU + ",true\n\n\n", one},
		"quoted and plain rows": {"user,arn,mfa_active\n\"u\"," + arnU +
			",true\nv,arn:aws:iam::123456789012:user/v,\"false\"\n", two},
		"no rows":               {"user,arn,mfa_active", nil},
		"no rows but a newline": {"user,arn,mfa_active\r\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole": strings.NewReader(tt.file), "by bytes": iotest.OneByteReader(strings.NewReader(tt.file)),
				"error with data": iotest.DataErrReader(strings.NewReader(tt.file)),
			} {
				rows, err := report.ReadAll(r)
				must(t, err)
				var got []report.Row // except columns that the file does not have
				for _, row := range rows {
					if row.Created != report.None(report.MissingColumn) ||
						row.Keys[1].Active != report.NoBool(report.MissingColumn) ||
						row.Additional != report.NoText(report.MissingColumn) {
						t.Errorf("%s: missing columns are %v", how, row)
					}
					got = append(got, report.Row{User: row.User, ARN: row.ARN, MFAActive: row.MFAActive})
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
			}
		})
	}
}

func TestReaderUnknownColumns(t *testing.T) {
	const file = "ticket,user,arn,owner\nT-1,u," + arnU + ",\"Ann, Bob\"\n,v,arn:aws:iam::123456789012:user/v,"
	r, err := report.NewReader(strings.NewReader(file))
	must(t, err)
	if diff := cmp.Diff([]string{"ticket", "user", "arn", "owner"}, r.Columns().Names()); diff != "" {
		t.Error(diff)
	}
	var kept []report.Row
	for row, err := range r.All() {
		must(t, err)
		kept = append(kept, *row)
	}
	if diff := cmp.Diff([]report.Cell{{Column: "ticket", Text: "T-1"}, {Column: "owner", Text: "Ann, Bob"}},
		kept[0].Extra); diff != "" {
		t.Errorf("row kept from before: %s", diff)
	}
	if got := write(t, r.Columns(), kept...); got != file {
		t.Errorf("written again: %q", got)
	}
}

func TestReaderMalformedCells(t *testing.T) {
	const file = "user,arn,user_creation_time,mfa_active,access_key_1_last_used_region\n" +
		"u," + arnU + ",yesterday,\"may,be\",\n" +
		"v," + arnU + ",2026-09-11T13:14:52Z,true,N/A"
	r, err := report.NewReader(strings.NewReader(file))
	must(t, err)
	var rows []report.Row
	for row, err := range r.All() {
		must(t, err)
		rows = append(rows, *row)
	}
	bad := rows[0]
	if got := []report.Absence{bad.Created.Absence(), bad.MFAActive.Absence(),
		bad.Keys[0].LastUsedRegion.Absence()}; !cmp.Equal(got,
		[]report.Absence{report.Malformed, report.Malformed, report.Malformed}) {
		t.Errorf("absences %v", got)
	}
	if diff := cmp.Diff([]report.Cell{
		{Column: "user_creation_time", Text: "yesterday"}, {Column: "mfa_active", Text: "may,be"},
		{Column: "access_key_1_last_used_region"},
	}, bad.Unreadable); diff != "" {
		t.Error(diff)
	}
	if rows[1].Unreadable != nil || !rows[1].MFAActive.IsTrue() {
		t.Errorf("row after it: %v", rows[1])
	}
	if got := write(t, r.Columns(), rows...); got != file {
		t.Errorf("written again: %q", got)
	}
}

// TestReaderUnquotedCommas reads names and paths with unquoted commas, because
// AWS's quoting was never observed.
func TestReaderUnquotedCommas(t *testing.T) {
	for line, want := range map[string][3]string{
		"a,b,arn:aws:iam::123456789012:user/a,b,true":      {"a,b", "arn:aws:iam::123456789012:user/a,b", "true"},
		"b,arn:aws:iam::123456789012:user/x,y,/b,false":    {"b", "arn:aws:iam::123456789012:user/x,y,/b", "false"},
		",,arn:aws:iam::123456789012:user/p,arn:,q/,,true": {",", "arn:aws:iam::123456789012:user/p,arn:,q/,", "true"},
		"a,b,arn:aws:iam::123456789012:user/b,true":        {},
		"a,arn:aws:iam::123456789012:user/a,b,true":        {},
		"a,arn:aws:iam::123456789012:user/a,true,more":     {},
		"a,b,c,d,true": {},
		"a,arn:aws:iam::123456789012:user/x,arn:aws:y/a,true,bad": {},
	} {
		rows, err := report.ReadAll(strings.NewReader("user,arn,mfa_active\n" + line))
		if want == ([3]string{}) {
			if err == nil {
				t.Errorf("%s: read as %v, want an error", line, rows)
			}
			continue
		}
		must(t, err)
		if got := [3]string{rows[0].User, rows[0].ARN, rows[0].MFAActive.String()}; got != want {
			t.Errorf("%s: read %q", line, got)
		}
	}
	if rows, err := report.ReadAll(
		strings.NewReader("mfa_active,user,arn\ntrue,a,b,arn:aws:iam::123456789012:user/a,b")); err == nil {
		t.Errorf("other order: read as %v, want an error", rows)
	}
}

func TestReaderRefuses(t *testing.T) {
	const header = "user,arn,mfa_active\n"
	good := "u," + arnU + ",true\n"
	big := strings.Repeat("x", 64<<10)
	for name, tt := range map[string]struct {
		file   string
		line   int
		column string
		text   string
		is     error
	}{
		"empty file":        {"", 1, "", "this is not a credential report: it is empty", report.ErrNotReport},
		"mark alone":        {"\ufeff", 1, "", "it is empty", report.ErrNotReport},
		"blank lines alone": {"\n\n", 1, "", "it is empty", report.ErrNotReport},
		"no user column":    {"name,arn\nu,v", 1, "user", "column is missing", report.ErrNotReport},
		"no arn column":     {"user,mfa_active\n", 1, "arn", "column is missing", report.ErrNotReport},
		"an error page":     {"<!DOCTYPE html>\n<html>", 1, "user", "column is missing", report.ErrNotReport},
		"semicolons": {strings.ReplaceAll(header, ",", ";"), 1, "user",
			"column is missing", report.ErrNotReport},
		"column twice":            {"user,arn,mfa_active,arn\n", 1, "arn", "occurs twice", nil},
		"unknown column twice":    {"user,arn,x,x\n", 1, "x", "occurs twice", nil},
		"UTF-16 little endian":    {"\xff\xfeu\x00s\x00e\x00r\x00", 1, "", "UTF-16", nil},
		"UTF-16 big endian":       {"\xfe\xff\x00u\x00s\x00e\x00r", 1, "", "UTF-16", nil},
		"NUL in header":           {"user,arn,x\x00\n", 1, "", "header: NUL byte", nil},
		"invalid UTF-8 in header": {"user,arn,\xff\n", 1, "", "header: invalid UTF-8", nil},
		"too many columns":        {"user,arn" + strings.Repeat(",", 999), 1, "", "1001 columns", report.ErrTooLong},
		"too few cells":           {header + good + "v," + arnU, 3, "mfa_active", "2 cells, the header has 3", nil},
		"too many cells": {header + good + good + "v," + arnU + ",true,true\n" + good, 4, "",
			"4 cells, the header has 3", nil},
		"cell missing in quotes": {header + "\"a\nb\"," + arnU + ",true\n\n\"c\"\n", 5, "arn", "1 cells", nil},
		"NUL in user":            {header + "u\x00," + arnU + ",true", 2, "user", "NUL byte", nil},
		"NUL in a boolean":       {header + "u," + arnU + ",tr\x00ue", 2, "mfa_active", "NUL byte", nil},
		"invalid UTF-8 in arn":   {header + good + "u,\xc3\x28,true\n", 3, "arn", "invalid UTF-8", nil},
		"invalid UTF-8, unknown": {"user,arn,x\nu," + arnU + ",\xff", 2, "x", "invalid UTF-8", nil},
		"invalid UTF-8, last": {"user,arn,additional_credentials_info\nu," + arnU + ",\xff", 2,
			"additional_credentials_info", "invalid UTF-8", nil},
		"NUL in region": {"user,arn,access_key_1_last_used_region\nu," + arnU + ",\x00", 2,
			"access_key_1_last_used_region", "NUL byte", nil},
		"cell too long": {header + "u," + arnU + "," + big + "x\n", 2, "mfa_active",
			"65537 bytes", report.ErrTooLong},
		"user too long, quoted": {header + "\"" + big + "x\"," + arnU + ",true\n", 2, "user",
			"65537 bytes", report.ErrTooLong},
		"row too long": {header + good + strings.Repeat(big+",", 20), 3, "",
			"more than 1 MiB", report.ErrTooLong},
		"quote never ends": {header + good + "\"u," + arnU + ",true\nv", 3, "", "without a proper end", nil},
		"quote never ends, long": {header + good + "\"" + strings.Repeat(good, 100_000), 3, "",
			"more than 1 MiB", report.ErrTooLong},
		"text after a quote":  {header + "\"u\"x," + arnU + ",true\n", 2, "", "without a proper end", nil},
		"bare quote":          {header + good + good + "u\"," + arnU + ",true\n", 4, "", "quote within a cell", nil},
		"quote cut in header": {"user,\"arn", 1, "", "without a proper end", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := report.ReadAll(strings.NewReader(tt.file))
			var e *report.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want *report.Error", err)
			}
			if e.Line != tt.line || e.Column != tt.column || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q (line %d, column %q), want line %d, column %q, %q", err, e.Line, e.Column,
					tt.line, tt.column, tt.text)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
			if r, headless := report.NewReader(strings.NewReader(tt.file)); headless == nil {
				var names error
				for names == nil {
					_, _, names = r.ReadNames()
				}
				sameError(t, names, err)
			}
		})
	}
}

func TestReaderAtTheLimits(t *testing.T) {
	cell := strings.Repeat("x", 64<<10)
	file := "user,arn,a,b,c,d,e,f,g,h,i,j,k,l\n\"" + cell + "\",\"" + arnU + "\"" + strings.Repeat(","+cell, 12) +
		"\nv," + arnU + strings.Repeat(",", 12) + "\n"
	rows, err := report.ReadAll(strings.NewReader(file))
	must(t, err)
	if len(rows) != 2 || rows[0].User != cell || rows[0].Extra[11].Text != cell || rows[1].User != "v" {
		t.Error("cells of 64 KiB were not read as they are")
	}
	names := []string{"user", "arn"}
	for i := range 998 {
		names = append(names, strings.Repeat("n", i+1))
	}
	if _, err := report.NewReader(strings.NewReader(strings.Join(names, ","))); err != nil {
		t.Errorf("1000 columns: %v", err)
	}
}

// TestReaderMemory reads gigabytes without an end of row.
func TestReaderMemory(t *testing.T) {
	for name, body := range map[string]string{
		"no newline": "x", "no newline, many cells": "x,", "open quote": "\"a\n" + strings.Repeat("b\n", 100),
		"blank lines": "\n", "many quotes": `""`,
	} {
		for place, start := range map[string]string{"header": "", "row": "user,arn\n"} {
			t.Run(name+" in "+place, func(t *testing.T) {
				stream := &counter{r: io.LimitReader(&cycle{data: bytes.Repeat([]byte(body), 4096)}, 10<<30)}
				if name == "open quote" {
					stream.r = io.MultiReader(strings.NewReader("\""),
						&cycle{data: []byte(strings.Repeat("b\n", 4096))})
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, err := report.ReadAll(io.MultiReader(strings.NewReader(start), stream))
				runtime.ReadMemStats(&after)
				if !errors.Is(err, report.ErrTooLong) {
					t.Errorf("error %v", err)
				}
				if stream.n > 2<<20 {
					t.Errorf("took %d bytes", stream.n)
				}
				if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 { // in all, growing as it goes
					t.Errorf("allocated %d bytes", used)
				}
			})
		}
	}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func TestReaderSourceFails(t *testing.T) {
	broken := errors.New("connection reset")
	for name, file := range map[string]string{
		"at once": "", "in the header": "user,a", "after the header": "user,arn\n", "in a row": "user,arn\nu,ar",
		"in a quoted cell": "user,arn\n\"u", "after a quote": "user,arn\n\"u\"", "after a row": "user,arn\nu,v\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := report.ReadAll(io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken)))
			if !errors.Is(err, broken) {
				t.Errorf("error %v, want %v", err, broken)
			}
		})
	}
}

func TestReaderEnds(t *testing.T) {
	t.Run("EOF for good", func(t *testing.T) {
		r, err := report.NewReader(strings.NewReader("user,arn\nu,v"))
		must(t, err)
		var row report.Row
		must(t, r.Read(&row))
		for range 3 {
			if err := r.Read(&row); err != io.EOF {
				t.Errorf("error %v, want io.EOF itself", err)
			}
		}
	})
	t.Run("same error for good", func(t *testing.T) {
		r, err := report.NewReader(strings.NewReader("user,arn\nu\nv,w\n"))
		must(t, err)
		var row report.Row
		first := r.Read(&row)
		if second := r.Read(&row); first == nil || second != first {
			t.Errorf("errors %v, %v", first, second)
		}
		for row, err := range r.All() {
			if row != nil || err != first {
				t.Errorf("All gives %v, %v", row, err)
			}
		}
	})
	t.Run("All stopped continues", func(t *testing.T) {
		r, err := report.NewReader(strings.NewReader("user,arn\nu,v\nw,x"))
		must(t, err)
		for range r.All() {
			break
		}
		var row report.Row
		must(t, r.Read(&row))
		if row.User != "w" {
			t.Errorf("next user is %q", row.User)
		}
	})
}

func TestReaderLine(t *testing.T) {
	r, err := report.NewReader(
		strings.NewReader("user,arn\na,v\n\n\"b\nb\",v\nc,v\n\"d\",\"v\n\nv\"\n\n\r\ne,v\nf,\"v\""))
	must(t, err)
	if r.Line() != 1 {
		t.Errorf("header on line %d", r.Line())
	}
	got := make(map[string]int)
	for row, err := range r.All() {
		must(t, err)
		got[row.User] = r.Line()
	}
	if diff := cmp.Diff(map[string]int{"a": 2, "b\nb": 4, "c": 6, "d": 7, "e": 12, "f": 13}, got); diff != "" {
		t.Error(diff)
	}
}

// TestCutOff cuts a report within its last cell.
func TestCutOff(t *testing.T) {
	read := func(t *testing.T, file string) error {
		t.Helper()
		_, err := report.ReadAll(strings.NewReader(file))
		if r, headless := report.NewReader(strings.NewReader(file)); headless == nil {
			var names error
			for names == nil {
				_, _, names = r.ReadNames()
			}
			if err == nil {
				sameError(t, names, io.EOF)
			} else {
				sameError(t, names, err)
			}
		}
		return err
	}
	for column, cells := range map[string][]string{
		"mfa_active":          {"true", "false", "FALSE", "N/A", "not_supported"},
		"cert_2_last_rotated": {"N/A", "no_information", "2026-08-28T20:22:36Z", "2014-10-15T16:31:25+00:00"},
	} {
		for _, cell := range cells {
			file := "user,arn," + column + "\nu," + arnU + "," + cells[0] + "\nv," + arnU + "," + cell
			if err := read(t, file); err != nil {
				t.Errorf("%s: %v", cell, err)
			}
			for cut := range len(cell) - 1 {
				short := file[:len(file)-cut-1]
				if n := len(cell) - cut - 1; len(cell) >= 20 && (n == 10 || n == 16 || n == 19) {
					continue // it may be whole
				}
				err := read(t, short)
				var e *report.Error
				if !errors.As(err, &e) || e.Line != 3 || e.Column != column ||
					!strings.Contains(err.Error(), "the file was cut off in the middle of a cell") {
					t.Errorf("%q: %v", cell[:len(cell)-cut-1], err)
				}
				// A newline shows that the writer of the file meant the cell as it is.
				if err := read(t, short+"\n"); err != nil {
					t.Errorf("%q with a newline: %v", cell[:len(cell)-cut-1], err)
				}
			}
		}
	}
	for name, file := range map[string]string{
		"a date of a spreadsheet": "user,arn,cert_2_last_rotated\nv," + arnU + ",11/23/2026 20:22",
		"a day":                   "user,arn,cert_2_last_rotated\nv," + arnU + ",2026-08-28",
		"a minute":                "user,arn,cert_2_last_rotated\nv," + arnU + ",2026-08-28T20:22",
		"no zone":                 "user,arn,cert_2_last_rotated\nv," + arnU + ",2026-08-28T20:22:36",
		"an empty cell":           "user,arn,cert_2_last_rotated\nv," + arnU + ",",
		"a region":                "user,arn,access_key_1_last_used_region\nv," + arnU + ",us-ea",
		"a column of others":      "user,arn,cost\nv," + arnU + ",2026-0",
	} {
		if err := read(t, file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
