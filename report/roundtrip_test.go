package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/report"
)

var (
	absences = []report.Absence{report.NotApplicable, report.NoInformation, report.NotSupported}

	genName = rapid.OneOf(
		rapid.SampledFrom([]string{"=1+1", "+1", "-2+3", "@SUM", "a,b", ",", `"`, `""`, `","`, "a\nb", "\n", "\r", " ",
			"'", "é", "日本", report.RootUser, "N/A", "true", "\ufeff"}),
		rapid.StringMatching(`[A-Za-z0-9_+=,.@-]{1,64}`),
		// A CSV reader reads CRLF within a cell as LF, and refuses NUL.
		rapid.Map(rapid.String(), func(s string) string {
			return strings.NewReplacer("\r\n", "", "\x00", "").Replace(s)
		}),
	)
	genPath = rapid.OneOf(rapid.Just("/"), rapid.StringMatching(`/([!-~]{1,20}/){1,3}`))
	genBool = rapid.Custom(func(t *rapid.T) report.Bool {
		if rapid.IntRange(0, 4).Draw(t, "absent") == 0 {
			return report.NoBool(rapid.SampledFrom(absences).Draw(t, "absence"))
		}
		return report.BoolOf(rapid.Bool().Draw(t, "value"))
	})
	genTime = rapid.Custom(func(t *rapid.T) report.Time {
		if rapid.Bool().Draw(t, "absent") {
			return report.None(rapid.SampledFrom(absences).Draw(t, "absence"))
		}
		return report.AtUnix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, "sec"))
	})
	genText = rapid.Custom(func(t *rapid.T) report.Text { return report.TextOf(genName.Draw(t, "text")) })
	genKey  = rapid.Custom(func(t *rapid.T) report.Key {
		return report.Key{
			Active: genBool.Draw(t, "active"), LastRotated: genTime.Draw(t, "rotated"),
			LastUsed:       genTime.Draw(t, "used"),
			LastUsedRegion: genText.Draw(t, "region"), LastUsedService: genText.Draw(t, "service"),
		}
	})
	genCertificate = rapid.Custom(func(t *rapid.T) report.Certificate {
		return report.Certificate{Active: genBool.Draw(t, "active"), LastRotated: genTime.Draw(t, "rotated")}
	})
	genRow = rapid.Custom(func(t *rapid.T) report.Row {
		name := genName.Draw(t, "name")
		return report.Row{
			User: name, ARN: "arn:aws:iam::123456789012:user" + genPath.Draw(t, "path") + name,
			Created: genTime.Draw(t, "created"), PasswordEnabled: genBool.Draw(t, "password"),
			PasswordLastUsed: genTime.Draw(t, "used"), PasswordLastChanged: genTime.Draw(t, "changed"),
			PasswordNextRotation: genTime.Draw(t, "next"), MFAActive: genBool.Draw(t, "mfa"),
			Keys: [2]report.Key{genKey.Draw(t, "key 1"), genKey.Draw(t, "key 2")},
			Certificates: [2]report.Certificate{genCertificate.Draw(t, "certificate 1"),
				genCertificate.Draw(t, "certificate 2")},
			Additional: genText.Draw(t, "additional"),
		}
	})
)

// TestRoundTrip writes rows with hostile names and reads them again.
func TestRoundTrip(t *testing.T) {
	forms := map[string]report.Columns{"16": report.Columns16, "22": report.Columns22, "23": report.Columns23}
	for name, columns := range forms {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				rows := rapid.SliceOfN(genRow, 1, 5).Draw(t, "rows")
				var out bytes.Buffer
				w := report.NewWriter(&out, columns)
				for i := range rows {
					if err := w.WriteRow(&rows[i]); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				got, err := report.ReadAll(bytes.NewReader(out.Bytes()))
				if err != nil {
					t.Fatalf("%v in\n%s", err, out.Bytes())
				}
				for i := range rows { // what the form does not show
					rows[i] = report.Without(columns, rows[i])
				}
				if diff := cmp.Diff(rows, got); diff != "" {
					t.Fatalf("(-want +got):\n%s\nin\n%s", diff, out.Bytes())
				}
				// Any CSV reader finds the same names.
				records, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				for i, record := range records[1:] {
					if record[0] != rows[i].User || record[1] != rows[i].ARN {
						t.Fatalf("encoding/csv reads %q", record[:2])
					}
				}
			})
		})
	}
}

// FuzzReader reads any data. The reader must not panic, its errors must have a
// position, it must agree with encoding/csv about the cells, and rows that it
// writes must read as the same rows.
func FuzzReader(f *testing.F) {
	files, err := filepath.Glob("testdata/*.csv")
	must(f, err)
	for _, name := range files {
		file, err := os.ReadFile(name)
		must(f, err)
		f.Add(file)
		f.Add(bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")))
		f.Add(file[:len(file)-20])
	}
	for _, file := range []string{
		"", "\ufeffuser,arn\n", "user,arn,x\n\n\"a\nb\",\"\"\"\",\r\n\rc,d,e\r",
		"user,arn\na,b,arn:aws:iam::1:user/a,b",
		"arn,user,mfa_active,mfa_active\n", "user,arn,cert_1_active\n\x00,,\xff\n", "user,arn\n\"",
		"\xff\xfe", "user,arn,\n,,\n",
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := report.NewReader(bytes.NewReader(file))
		if err != nil {
			checkError(t, err)
			return
		}
		names, err := report.NewReader(bytes.NewReader(file))
		must(t, err)
		var rows []report.Row
		for row, err := range r.All() {
			user, arn, again := names.ReadNames()
			if err != nil {
				checkError(t, err)
				sameError(t, again, err)
				break
			}
			must(t, again)
			if user != row.User || arn != row.ARN || names.Line() != r.Line() {
				t.Errorf("ReadNames gives %q and %q of line %d, Read %q and %q of line %d", user, arn,
					names.Line(), row.User, row.ARN, r.Line())
			}
			row.AppendJSON(nil)
			rows = append(rows, *row)
		}
		plain := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
		plain.FieldsPerRecord = -1
		header, err := plain.Read()
		must(t, err)
		for _, row := range rows {
			cells, err := plain.Read()
			must(t, err)
			if len(cells) != len(header) {
				cells = append([]string{row.User, row.ARN}, cells[len(cells)-len(header)+2:]...) // commas without quotes
			}
			checkCells(t, &row, header, cells)
		}
		again, err := report.ReadAll(strings.NewReader(write(t, r.Columns(), rows...)))
		must(t, err)
		if diff := cmp.Diff(rows, again); diff != "" {
			t.Errorf("read, written and read (-first +second):\n%s", diff)
		}
	})
}

// sameError expects ReadNames to return the same error as Read.
func sameError(t *testing.T, got, want error) {
	t.Helper()
	if got == nil || got.Error() != want.Error() {
		t.Errorf("ReadNames fails with %v, Read with %v", got, want)
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var e *report.Error
	if !errors.As(err, &e) || e.Line < 1 || errors.Is(err, io.EOF) {
		t.Errorf("error without a place: %v", err)
	}
}

// checkCells compares a row with its original cells. Booleans, dates and
// absences may have been changed to today's form.
func checkCells(t *testing.T, row *report.Row, names, cells []string) {
	t.Helper()
	for i, name := range names {
		got, ok := row.Cell(name)
		date := strings.HasPrefix(name, "password_") || strings.HasSuffix(name, "_time") ||
			strings.HasSuffix(name, "_rotated") || strings.HasSuffix(name, "_date")
		noted := name == "additional_credentials_info" && got == "" && strings.EqualFold(cells[i], "N/A")
		if !ok || !noted && !date && !strings.EqualFold(got, cells[i]) {
			t.Errorf("column %q: %q, %t, want %q", name, got, ok, cells[i])
		}
	}
}
