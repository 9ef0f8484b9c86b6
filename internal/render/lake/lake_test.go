package lake

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"rollcall/internal/audit"
	"rollcall/internal/render"
	"rollcall/report"
)

const csv = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed," +
	"password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date," +
	"access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated," +
	"access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active," +
	"cert_1_last_rotated,cert_2_active,cert_2_last_rotated,flavour\n" +
	"<root_account>,arn:aws:iam::000011112222:root,2020-01-01T00:00:00Z,not_supported,2026-11-22T10:15:00Z," +
	"not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,sweet\n" +
	"Bob,arn:aws:iam::000011112222:user/team/Bob,2024-03-01T08:00:00Z,true,no_information,2024-03-01T08:00:00Z,N/A," +
	"false,true,2026-01-01T00:00:00Z,2026-11-01T00:00:00Z,eu-west-1,s3,true,2026-11-20T00:00:00Z,N/A,N/A,N/A,false," +
	"N/A,maybe,N/A,sour"

var generated = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)

// audited writes the result of a real audit to a lake and returns its folder.
func audited(t *testing.T, dir string, csv string, generated time.Time, benchmark audit.Standard) string {
	t.Helper()
	b, ok := audit.FindBenchmark(benchmark)
	if !ok {
		t.Fatal(benchmark)
	}
	auditor, err := audit.New(audit.Options{Benchmark: b, EveryRow: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Create(dir, render.Options{Benchmark: b, Now: generated.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	src := audit.Source{Generated: generated, Fetched: generated, Origin: "generated", Path: "r.csv", SHA256: "ab"}
	if err := l.Report(src); err != nil {
		t.Fatal(err)
	}
	out, err := auditor.Audit(context.Background(), strings.NewReader(csv), src, nil, l.Row)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.End(out), l.Close(auditor.Summary())); err != nil {
		t.Fatal(err)
	}
	return dir
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func mustRead[T any](t *testing.T, file string) []T {
	t.Helper()
	rows, err := parquet.ReadFile[T](file)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// wantRow is a row of the table reports as users query it. Its names and types
// must not change.
type wantRow struct {
	User      string `parquet:"user"`
	ARN       string `parquet:"arn"`
	Path      string `parquet:"path,dict"` // of the user, "" for root
	IsRoot    bool   `parquet:"is_root"`
	Class     string `parquet:"class,dict"`
	Partition string `parquet:"aws_partition,dict"`
	Line      int32  `parquet:"line"`

	Created                     *time.Time `parquet:"user_creation_time,timestamp(millisecond)"`
	CreatedAbsence              *string    `parquet:"user_creation_time_absence,dict"`
	PasswordEnabled             *bool      `parquet:"password_enabled"`
	PasswordEnabledAbsence      *string    `parquet:"password_enabled_absence,dict"`
	PasswordLastUsed            *time.Time `parquet:"password_last_used,timestamp(millisecond)"`
	PasswordLastUsedAbsence     *string    `parquet:"password_last_used_absence,dict"`
	PasswordLastChanged         *time.Time `parquet:"password_last_changed,timestamp(millisecond)"`
	PasswordLastChangedAbsence  *string    `parquet:"password_last_changed_absence,dict"`
	PasswordNextRotation        *time.Time `parquet:"password_next_rotation,timestamp(millisecond)"`
	PasswordNextRotationAbsence *string    `parquet:"password_next_rotation_absence,dict"`
	MFAActive                   *bool      `parquet:"mfa_active"`
	MFAActiveAbsence            *string    `parquet:"mfa_active_absence,dict"`

	Key1Active             *bool      `parquet:"access_key_1_active"`
	Key1ActiveAbsence      *string    `parquet:"access_key_1_active_absence,dict"`
	Key1LastRotated        *time.Time `parquet:"access_key_1_last_rotated,timestamp(millisecond)"`
	Key1LastRotatedAbsence *string    `parquet:"access_key_1_last_rotated_absence,dict"`
	Key1LastUsed           *time.Time `parquet:"access_key_1_last_used_date,timestamp(millisecond)"`
	Key1LastUsedAbsence    *string    `parquet:"access_key_1_last_used_date_absence,dict"`
	Key1Region             *string    `parquet:"access_key_1_last_used_region,dict"`
	Key1RegionAbsence      *string    `parquet:"access_key_1_last_used_region_absence,dict"`
	Key1Service            *string    `parquet:"access_key_1_last_used_service,dict"`
	Key1ServiceAbsence     *string    `parquet:"access_key_1_last_used_service_absence,dict"`

	Key2Active             *bool      `parquet:"access_key_2_active"`
	Key2ActiveAbsence      *string    `parquet:"access_key_2_active_absence,dict"`
	Key2LastRotated        *time.Time `parquet:"access_key_2_last_rotated,timestamp(millisecond)"`
	Key2LastRotatedAbsence *string    `parquet:"access_key_2_last_rotated_absence,dict"`
	Key2LastUsed           *time.Time `parquet:"access_key_2_last_used_date,timestamp(millisecond)"`
	Key2LastUsedAbsence    *string    `parquet:"access_key_2_last_used_date_absence,dict"`
	Key2Region             *string    `parquet:"access_key_2_last_used_region,dict"`
	Key2RegionAbsence      *string    `parquet:"access_key_2_last_used_region_absence,dict"`
	Key2Service            *string    `parquet:"access_key_2_last_used_service,dict"`
	Key2ServiceAbsence     *string    `parquet:"access_key_2_last_used_service_absence,dict"`

	Cert1Active             *bool      `parquet:"cert_1_active"`
	Cert1ActiveAbsence      *string    `parquet:"cert_1_active_absence,dict"`
	Cert1LastRotated        *time.Time `parquet:"cert_1_last_rotated,timestamp(millisecond)"`
	Cert1LastRotatedAbsence *string    `parquet:"cert_1_last_rotated_absence,dict"`
	Cert2Active             *bool      `parquet:"cert_2_active"`
	Cert2ActiveAbsence      *string    `parquet:"cert_2_active_absence,dict"`
	Cert2LastRotated        *time.Time `parquet:"cert_2_last_rotated,timestamp(millisecond)"`
	Cert2LastRotatedAbsence *string    `parquet:"cert_2_last_rotated_absence,dict"`

	Additional        *string `parquet:"additional_credentials_info,dict"`
	AdditionalAbsence *string `parquet:"additional_credentials_info_absence,dict"`
	// Extra holds the unknown columns. Unreadable holds the texts of malformed
	// ones. Both are JSON objects, null if there are none.
	Extra      *string `parquet:"extra,dict"`
	Unreadable *string `parquet:"unreadable,dict"`

	Generated *time.Time `parquet:"generated_at,timestamp(millisecond)"`
	Fetched   *time.Time `parquet:"fetched_at,timestamp(millisecond)"`
	Source    string     `parquet:"source,dict"`
	File      string     `parquet:"file,dict"`
	SHA256    string     `parquet:"sha256,dict"`
}

// wantFinding is a row of the table findings as users query it. Its names and types
// must not change.
type wantFinding struct {
	Fingerprint string `parquet:"fingerprint"`
	Benchmark   string `parquet:"benchmark,dict"`
	Control     string `parquet:"control,dict"`
	Name        string `parquet:"control_name,dict"`
	Title       string `parquet:"title,dict"`
	// Requirements are the benchmark's names of the control.
	Requirements []string `parquet:"requirements,list"`
	Status       string   `parquet:"status,dict"`
	Severity     string   `parquet:"severity,dict"`

	Partition         string     `parquet:"aws_partition,dict"`
	User              *string    `parquet:"user"`
	ARN               *string    `parquet:"arn"`
	UserCreated       *time.Time `parquet:"user_creation_time,timestamp(millisecond)"`
	Class             string     `parquet:"class,dict"`
	Credential        *string    `parquet:"credential"`
	CredentialKind    *string    `parquet:"credential_kind,dict"`
	CredentialCreated *time.Time `parquet:"credential_created,timestamp(millisecond)"`
	Line              int32      `parquet:"line"`

	Reason      string     `parquet:"reason"`
	Columns     []string   `parquet:"columns,list"`
	Since       *time.Time `parquet:"since,timestamp(millisecond)"`
	Age         *int64     `parquet:"age_seconds"`
	Limit       *int64     `parquet:"limit_seconds"`
	Approximate bool       `parquet:"approximate"`

	Suppressed       bool     `parquet:"suppressed"`
	Exception        *string  `parquet:"exception,dict"`
	ExpiredException *string  `parquet:"expired_exception,dict"`
	KeyIDs           []string `parquet:"key_ids,list"`
	Note             *string  `parquet:"note"`

	Generated *time.Time `parquet:"generated_at,timestamp(millisecond)"`
	AsOf      *time.Time `parquet:"as_of,timestamp(millisecond)"`
	// Judged is AsOf, or the time of the run if AsOf is unknown.
	Judged time.Time `parquet:"judged_at,timestamp(millisecond)"`
	File   string    `parquet:"file,dict"`
}

// TestSchema checks that the tables have the known columns in order.
func TestSchema(t *testing.T) {
	if d := cmp.Diff(parquet.SchemaOf(wantRow{}).String(),
		strings.Replace(reportSchema().String(), "message {", "message wantRow {", 1)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(parquet.SchemaOf(wantFinding{}).String(),
		strings.Replace(findingSchema().String(), "message findingRow {", "message wantFinding {", 1)); d != "" {
		t.Error(d)
	}
}

func TestReports(t *testing.T) {
	dir := audited(t, t.TempDir(), csv, generated, audit.CIS70)
	want := []string{
		"athena.sql", "duckdb.sql",
		"findings/dt=2026-11-23/account_id=000011112222/2026-11-23T101500Z-cis-7.0.parquet",
		"reports/dt=2026-11-23/account_id=000011112222/2026-11-23T101500Z.parquet",
	}
	if d := cmp.Diff(want, files(t, dir)); d != "" {
		t.Fatal(d)
	}
	rows := mustRead[wantRow](t, filepath.Join(dir, want[3]))
	if len(rows) != 2 || rows[0].User != report.RootUser || !rows[0].IsRoot ||
		rows[1].Path != "/team/" || rows[1].Line != 3 {
		t.Fatalf("%+v", rows)
	}
	root, bob := rows[0], rows[1]
	for name, pair := range map[string][2]any{
		"root's password":                {value(root.PasswordEnabled), nil},
		"why":                            {value(root.PasswordEnabledAbsence), "not_supported"},
		"root's use":                     {value(root.PasswordLastUsed), generated.Add(-24 * time.Hour)},
		"no reason":                      {value(root.PasswordLastUsedAbsence), nil},
		"root's key":                     {value(root.Key1LastRotatedAbsence), "N/A"},
		"the unused password":            {value(bob.PasswordLastUsed), nil},
		"why it has no date":             {value(bob.PasswordLastUsedAbsence), "no_information"},
		"Bob's MFA":                      {value(bob.MFAActive), false},
		"the service":                    {value(bob.Key1Service), "s3"},
		"the unused key's service":       {value(bob.Key2ServiceAbsence), "N/A"},
		"what is neither true nor false": {value(bob.Cert2ActiveAbsence), "malformed"},
		"its text":                       {value(bob.Unreadable), `{"cert_2_active":"maybe"}`},
		"a column yet unknown":           {value(bob.Extra), `{"flavour":"sour"}`},
		"a column that is not there":     {value(bob.AdditionalAbsence), "missing column"},
		"when":                           {value(bob.Generated), generated},
	} {
		got := pair[0]
		if at, ok := got.(time.Time); ok {
			got = at.UTC()
		}
		if got != pair[1] {
			t.Errorf("%s: got %v, want %v", name, got, pair[1])
		}
	}
}

func TestFindings(t *testing.T) {
	dir := audited(t, t.TempDir(), csv, generated, audit.CIS70)
	found := mustRead[wantFinding](t, filepath.Join(dir, files(t, dir)[2]))
	i := slices.IndexFunc(found, func(f wantFinding) bool {
		return f.Control == string(audit.KeyAge) && f.Status == "FAIL"
	})
	if i < 0 {
		t.Fatalf("no old key in %+v", found)
	}
	f := found[i]
	if *f.User != "Bob" || *f.Credential != "key:2026-01-01T00:00:00Z" ||
		f.Since.UTC() != time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) ||
		*f.Age != int64(generated.Sub(*f.Since)/time.Second) || *f.Limit != 90*86400 || f.Severity != "medium" ||
		f.Benchmark != "cis-7.0" ||
		f.Judged.UTC() != generated || len(f.Columns) == 0 || f.Line != 3 || f.Exception != nil {
		t.Errorf("%+v", f)
	}
}

func TestSameDay(t *testing.T) {
	dir := audited(t, t.TempDir(), csv, generated, audit.CIS70)
	audited(t, dir, csv, generated, audit.CIS70)                  // replaces
	audited(t, dir, csv, generated, audit.FSBP)                   // adds findings
	audited(t, dir, csv, generated.Add(4*time.Hour), audit.CIS70) // adds both
	if n := len(files(t, dir)); n != 2+3+2 {
		t.Errorf("%d files: %q", n, files(t, dir))
	}
}

// TestClean checks that a report without findings has an empty table.
func TestClean(t *testing.T) {
	dir := audited(t, t.TempDir(), csv, generated, audit.CIS70)
	b, _ := audit.FindBenchmark(audit.CIS70)
	l, err := Create(dir, render.Options{Benchmark: b, Now: generated})
	if err != nil {
		t.Fatal(err)
	}
	src := audit.Source{Account: "000011112222", Generated: generated}
	if err := errors.Join(l.Report(src), l.End(&audit.AccountSummary{Source: src})); err != nil {
		t.Fatal(err)
	}
	all := files(t, dir)
	if n := len(mustRead[wantFinding](t, filepath.Join(dir, all[2]))); n != 0 || len(all) != 4 {
		t.Errorf("%d findings, files %q", n, all)
	}
}

func TestAbort(t *testing.T) {
	b, _ := audit.FindBenchmark(audit.CIS70)
	dir := t.TempDir()
	l, err := Create(dir, render.Options{Benchmark: b, Now: generated})
	if err != nil {
		t.Fatal(err)
	}
	c := audit.Controls()[0]
	row := audit.Row{Line: 2, Report: &report.Row{User: "Bob"}, Findings: []audit.Finding{{Control: c, User: "Bob"}}}
	if err := errors.Join(l.Report(audit.Source{}), l.Row(&row)); err != nil {
		t.Fatal(err)
	}
	if n := len(files(t, dir)); n != 2 {
		t.Fatalf("%d files", n)
	}
	l.Abort()
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left %q", left)
	}
}

// TestMissing checks that an account without a report leaves findings of the
// day of the run, and no report. The views still find a table of reports.
func TestMissing(t *testing.T) {
	b, _ := audit.FindBenchmark(audit.CIS70)
	dir := t.TempDir()
	auditor, err := audit.New(audit.Options{Benchmark: b, EveryRow: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Create(dir, render.Options{Benchmark: b, Now: generated})
	if err != nil {
		t.Fatal(err)
	}
	src := audit.Source{Account: "000011112222", Partition: "aws"}
	l.Report(src)
	out, err := auditor.Missing(src, "denied", l.Row)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.End(out), l.Close(auditor.Summary())); err != nil {
		t.Fatal(err)
	}
	all := files(t, dir)
	if len(all) != 4 || !strings.HasPrefix(all[2], "findings/dt=2026-11-23/account_id=000011112222/") ||
		all[3] != "reports/dt=2026-11-23/account_id=unknown/2026-11-23T101500Z.parquet" {
		t.Fatalf("%q", all)
	}
	if rows := mustRead[wantRow](t, filepath.Join(dir, all[3])); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
	audited(t, dir, csv, generated.Add(time.Hour), audit.CIS70)
	if again := files(t, dir); len(again) != 6 {
		t.Errorf("beside a report: %q", again)
	}
	for _, f := range mustRead[wantFinding](t, filepath.Join(dir, all[2])) {
		if f.Status != "NO_DATA" || f.Generated != nil || !f.Judged.Equal(generated) {
			t.Errorf("%+v", f)
		}
	}
}

// TestUnknownAccounts checks that reports whose account and time are unknown do not
// replace each other.
func TestUnknownAccounts(t *testing.T) {
	b, _ := audit.FindBenchmark(audit.CIS70)
	dir := t.TempDir()
	auditor, err := audit.New(audit.Options{Benchmark: b, EveryRow: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Create(dir, render.Options{Benchmark: b, Now: generated})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dev", "test"} {
		src := audit.Source{Name: name}
		l.Report(src)
		out, err := auditor.Missing(src, "denied", l.Row)
		if err = errors.Join(err, l.End(out)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(auditor.Summary()); err != nil {
		t.Fatal(err)
	}
	folder := "findings/dt=2026-11-23/account_id=unknown/2026-11-23T101500Z-cis-7.0"
	all := files(t, dir)
	if !slices.Contains(all, folder+".parquet") || !slices.Contains(all, folder+"-2.parquet") {
		t.Errorf("%q", all)
	}
}

// TestAthenaTypes checks that Athena knows the type of every column.
func TestAthenaTypes(t *testing.T) {
	text := athena()
	for _, line := range []string{
		"  `user` string,", "  `is_root` boolean,", "  `line` int,", "  `user_creation_time` timestamp,",
		"  `password_enabled` boolean,",
		"  `columns` array<string>,", "  `age_seconds` bigint,", "  `judged_at` timestamp,",
		"  `access_key_1_last_used_date_absence` string,",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %q", line)
		}
	}
	if strings.Contains(text, "{{") || strings.Contains(duckDB(), "{{") {
		t.Error("a gap was not filled")
	}
}
