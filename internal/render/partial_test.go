package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/grid"
	"rollcall/internal/words"
	"rollcall/report"
)

// partial is a report without most columns of keys and without those of
// certificates.
const partial = `user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active
<root_account>,arn:aws:iam::123456789012:root,2020-01-01T00:00:00Z,true,true,true
Ann,arn:aws:iam::123456789012:user/Ann,2026-01-01T00:00:00Z,true,true,true
`

// A missing value is never shown as a value or as nothing.
func TestPartialReport(t *testing.T) {
	rows, err := report.ReadAll(strings.NewReader(partial))
	if err != nil {
		t.Fatal(err)
	}
	for width, untold := range map[int]int{0: 10, 60: 3, 80: 5} {
		var b bytes.Buffer
		if err := Table(&b, rows, TableOptions{Width: width, AsOf: generated}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if strings.Contains(lines[2], grid.Nothing) || strings.Count(lines[2], "?") != untold ||
			!strings.Contains(b.String(), legend) {
			t.Errorf("%d columns:\n%s", width, b.String())
		}
	}
}

// A key or certificate of unknown state is not shown as active.
func TestUntoldState(t *testing.T) {
	const csv = `user,arn,user_creation_time,access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,` +
		`cert_1_last_rotated
Ann,arn:aws:iam::123456789012:user/Ann,2020-01-01T00:00:00Z,2020-01-01T00:00:00Z,perhaps,2020-01-01T00:00:00Z,2020-01-01T00:00:00Z
`
	rows, err := report.ReadAll(strings.NewReader(csv))
	if err != nil {
		t.Fatal(err)
	}
	made, _ := rows[0].Keys[0].LastRotated.Value()
	old := words.ShortAge(generated.Sub(made))
	for width, want := range map[int]int{0: 3, 60: 3, 80: 3, 140: 3} {
		var b bytes.Buffer
		if err := Table(&b, rows, TableOptions{Width: width, AsOf: generated}); err != nil {
			t.Fatal(err)
		}
		if strings.Count(b.String(), "? "+old) != want || !strings.Contains(b.String(), legend) {
			t.Errorf("%d columns:\n%s", width, b.String())
		}
	}
}

func TestPartialAudit(t *testing.T) {
	for _, format := range []string{"table", "md"} {
		f, _ := FindFormat(format)
		auditor, err := audit.New(audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		of, err := auditor.Audit(t.Context(), strings.NewReader(partial), audit.Source{Generated: generated}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if of.Stats.ActiveKeys != 2 || of.Stats.Untold.Keys != 2 || of.Stats.Untold.Unused == 0 {
			t.Errorf("the figures are %+v", of.Stats)
		}
		var b bytes.Buffer
		if err := f.Open(&b, Options{Now: generated,
			Benchmark: auditor.Summary().Benchmark}).Close(auditor.Summary()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"≥ 2", legend, "does not say when it was created"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s has no %q:\n%s", format, want, b.String())
			}
		}
		for _, wrong := range []string{"made .", "made N/A", "made ,"} {
			if strings.Contains(b.String(), wrong) {
				t.Errorf("%s says %q:\n%s", format, wrong, b.String())
			}
		}
	}
}

// UNUSED does not depend on the judged controls.
func TestUnusedMeansOneThing(t *testing.T) {
	const csv = `user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,` +
		`password_next_rotation,mfa_active
<root_account>,arn:aws:iam::123456789012:root,2020-01-01T00:00:00Z,true,2025-01-01T00:00:00Z,2020-01-01T00:00:00Z,not_supported,true
Ann,arn:aws:iam::123456789012:user/Ann,2025-01-01T00:00:00Z,true,2025-02-01T00:00:00Z,2025-01-01T00:00:00Z,N/A,true
`
	for _, controls := range [][]audit.ControlID{nil, {audit.ConsoleMFA}, {audit.KeyUnused}, {audit.PasswordUnused}} {
		auditor, err := audit.New(audit.Options{Controls: controls})
		if err != nil {
			t.Fatal(err)
		}
		of, err := auditor.Audit(t.Context(), strings.NewReader(csv),
			audit.Source{Generated: generated.Add(time.Hour)}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if of.Stats.UnusedCredentials != 1 {
			t.Errorf("with %v it is %d", controls, of.Stats.UnusedCredentials)
		}
	}
}

// TestUntoldRoot leaves columns out of a row of root. Nothing that is missing looks
// like none, nor like a credential.
func TestUntoldRoot(t *testing.T) {
	const columns, cells = "password_enabled,password_last_used,mfa_active,access_key_1_active," +
		"access_key_1_last_rotated," +
		"access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date",
		"true,2026-11-22T10:15:00Z,true,true,2026-01-01T00:00:00Z,2026-11-20T10:15:00Z,false,N/A,N/A"
	for missing, want := range map[string]string{
		"":                    "password+MFA, 1 key, used 1d ago",
		"password_enabled":    "password ?, MFA, 1 key, used 1d ago",
		"mfa_active":          "password, MFA ?, 1 key, used 1d ago",
		"access_key_1_active": "password+MFA, keys ?, used 1d ago",
		"access_key_2_active": "password+MFA, ≥ 1 key, used 1d ago",
		"password_last_used":  "password+MFA, 1 key, used at most 3d ago",
		"access_key":          "password+MFA, keys ?, used at most 1d ago",
		"used":                "password+MFA, 1 key, use ?",
	} {
		names, row := []string{"user", "arn"}, []string{report.RootUser, "arn:aws:iam::123456789012:root"}
		all := strings.Split(cells, ",")
		for i, name := range strings.Split(columns, ",") {
			if missing == "" || !strings.Contains(name, missing) {
				names, row = append(names, name), append(row, all[i])
			}
		}
		auditor, err := audit.New(audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		csv := strings.Join(names, ",") + "\n" + strings.Join(row, ",") + "\n"
		of, err := auditor.Audit(t.Context(), strings.NewReader(csv), audit.Source{Generated: generated}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := rootCell(of).Text; got != want {
			t.Errorf("without %q: %q, want %q", missing, got, want)
		}
		var b bytes.Buffer
		f, _ := FindFormat("prometheus")
		out := f.Open(&b, Options{Now: generated, Benchmark: auditor.Summary().Benchmark})
		if err := out.Close(auditor.Summary()); err != nil {
			t.Fatal(err)
		}
		if told := !strings.Contains(want, "keys ?"); strings.Contains(b.String(), "rollcall_root_active_keys{") != told {
			t.Errorf("without %q, keys of root are told as a metric: %v", missing, !told)
		}
	}
}

// TestLaterTimes shows a report as of a time before its own.
func TestLaterTimes(t *testing.T) {
	rows, err := report.ReadAll(strings.NewReader(partial))
	if err != nil {
		t.Fatal(err)
	}
	made, _ := rows[1].Created.Value()
	for before, want := range map[time.Duration]string{
		49 * time.Hour: "2d later", 61 * time.Minute: "1h later", time.Minute: "0s", -time.Minute: "1m",
	} {
		var b bytes.Buffer
		if err := Table(&b, rows[1:], TableOptions{AsOf: made.Add(-before)}); err != nil {
			t.Fatal(err)
		}
		if cells := strings.Split(strings.Split(b.String(), "\n")[1], "  "); strings.TrimSpace(cells[1]) != want {
			t.Errorf("%s before it was created: %q, want %q", before, cells[1], want)
		}
	}
}
