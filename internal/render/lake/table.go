package lake

import (
	"encoding/json"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// reportRow is a row of a report as the table reports has it.
type reportRow struct {
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
	// Extra holds the columns that are unknown here, Unreadable the texts of
	// those that are malformed: JSON objects, null where there are none.
	Extra      *string `parquet:"extra,dict"`
	Unreadable *string `parquet:"unreadable,dict"`

	Generated *time.Time `parquet:"generated_at,timestamp(millisecond)"`
	Fetched   *time.Time `parquet:"fetched_at,timestamp(millisecond)"`
	Source    string     `parquet:"source,dict"`
	File      string     `parquet:"file,dict"`
	SHA256    string     `parquet:"sha256,dict"`
}

// findingRow is a finding as the table findings has it.
type findingRow struct {
	Fingerprint string `parquet:"fingerprint"`
	Benchmark   string `parquet:"benchmark,dict"`
	Control     string `parquet:"control,dict"`
	Name        string `parquet:"control_name,dict"`
	Title       string `parquet:"title,dict"`
	// Requirements are what the benchmark calls the control.
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
	// Judged is AsOf, and the time of the run where that is not known.
	Judged time.Time `parquet:"judged_at,timestamp(millisecond)"`
	File   string    `parquet:"file,dict"`
}

func rowOf(row *audit.Row, src *audit.Source) reportRow {
	r := row.Report
	out := reportRow{
		User: r.User, ARN: r.ARN, Path: r.Path(), IsRoot: r.IsRoot(), Class: row.Class.String(), Partition: r.Partition(), Line: int32(row.Line),
		Extra: object(r.Extra), Unreadable: object(r.Unreadable),
		Generated: known(src.Generated), Fetched: known(src.Fetched), Source: src.Origin, File: src.Path, SHA256: src.SHA256,
	}
	out.Created, out.CreatedAbsence = timeOf(r.Created)
	out.PasswordEnabled, out.PasswordEnabledAbsence = boolOf(r.PasswordEnabled)
	out.PasswordLastUsed, out.PasswordLastUsedAbsence = timeOf(r.PasswordLastUsed)
	out.PasswordLastChanged, out.PasswordLastChangedAbsence = timeOf(r.PasswordLastChanged)
	out.PasswordNextRotation, out.PasswordNextRotationAbsence = timeOf(r.PasswordNextRotation)
	out.MFAActive, out.MFAActiveAbsence = boolOf(r.MFAActive)
	k := &r.Keys[0]
	out.Key1Active, out.Key1ActiveAbsence = boolOf(k.Active)
	out.Key1LastRotated, out.Key1LastRotatedAbsence = timeOf(k.LastRotated)
	out.Key1LastUsed, out.Key1LastUsedAbsence = timeOf(k.LastUsed)
	out.Key1Region, out.Key1RegionAbsence = textOf(k.LastUsedRegion)
	out.Key1Service, out.Key1ServiceAbsence = textOf(k.LastUsedService)
	k = &r.Keys[1]
	out.Key2Active, out.Key2ActiveAbsence = boolOf(k.Active)
	out.Key2LastRotated, out.Key2LastRotatedAbsence = timeOf(k.LastRotated)
	out.Key2LastUsed, out.Key2LastUsedAbsence = timeOf(k.LastUsed)
	out.Key2Region, out.Key2RegionAbsence = textOf(k.LastUsedRegion)
	out.Key2Service, out.Key2ServiceAbsence = textOf(k.LastUsedService)
	out.Cert1Active, out.Cert1ActiveAbsence = boolOf(r.Certificates[0].Active)
	out.Cert1LastRotated, out.Cert1LastRotatedAbsence = timeOf(r.Certificates[0].LastRotated)
	out.Cert2Active, out.Cert2ActiveAbsence = boolOf(r.Certificates[1].Active)
	out.Cert2LastRotated, out.Cert2LastRotatedAbsence = timeOf(r.Certificates[1].LastRotated)
	out.Additional, out.AdditionalAbsence = textOf(r.Additional)
	return out
}

func findingRowOf(f *audit.Finding, src *audit.Source, benchmark audit.Standard, asOf, now time.Time) findingRow {
	out := findingRow{
		Fingerprint: f.Fingerprint(), Benchmark: string(benchmark), Control: string(f.Control.ID), Name: f.Control.Name, Title: f.Control.Title,
		Requirements: f.Control.RequirementIDs(benchmark),
		Status:       f.Status.String(), Severity: f.Severity.String(), Partition: f.Partition, User: some(f.User), ARN: some(f.ARN),
		Class: f.Class.String(), Credential: some(f.Credential.ID()), CredentialKind: some(f.Credential.Kind.String()), Line: int32(f.Line),
		Reason: f.Reason.String(), Columns: f.ColumnNames(), Approximate: f.Approximate,
		Suppressed: f.Suppressed, Exception: some(f.Exception), ExpiredException: some(f.ExpiredException), KeyIDs: f.KeyIDs, Note: some(f.Note),
		Generated: known(src.Generated), AsOf: known(asOf), Judged: asOf, File: src.Path,
	}
	if asOf.IsZero() {
		out.Judged = now
	}
	out.UserCreated, _ = timeOf(f.UserCreated)
	if f.Credential.Kind != audit.NoCredential {
		out.CredentialCreated, _ = timeOf(f.Credential.Created)
	}
	if out.Since, _ = timeOf(f.Since); out.Since != nil {
		age := int64(f.Age / time.Second)
		out.Age = &age
		if f.Limit != 0 {
			limit := int64(f.Limit / time.Second)
			out.Limit = &limit
		}
	}
	return out
}

func timeOf(t report.Time) (*time.Time, *string) {
	if at, ok := t.Value(); ok {
		return &at, nil
	}
	return nil, absence(t.Absence())
}

func boolOf(b report.Bool) (*bool, *string) {
	if is := b.IsTrue(); is || b.IsFalse() {
		return &is, nil
	}
	return nil, absence(b.Absence())
}

func textOf(t report.Text) (*string, *string) {
	if text, ok := t.Value(); ok {
		return &text, nil
	}
	return nil, absence(t.Absence())
}

// words are the absences by their number, so that a row points to them.
var words = func() (all [report.Malformed + 1]string) {
	for a := range all {
		all[a] = report.Absence(a).String()
	}
	return all
}()

func absence(a report.Absence) *string { return &words[a] }

// known is a moment, nil for none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// some is a text, nil for none.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// object is cells as a JSON object in their order, nil for none.
func object(cells []report.Cell) *string {
	if len(cells) == 0 {
		return nil
	}
	var b strings.Builder
	for i, c := range cells {
		b.WriteByte("{,"[min(i, 1)])
		for j, s := range []string{c.Column, c.Text} {
			text, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string
			}
			b.WriteString(strings.Repeat(":", j))
			b.Write(text)
		}
	}
	b.WriteByte('}')
	s := b.String()
	return &s
}
