package lake

import (
	"encoding/json"
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// rowHead and rowTail are the columns of a row of the table reports before and
// after the columns of the report itself.
type rowHead struct {
	User      string `parquet:"user"`
	ARN       string `parquet:"arn"`
	Path      string `parquet:"path,dict"` // of the user, "" for root
	IsRoot    bool   `parquet:"is_root"`
	Class     string `parquet:"class,dict"`
	Partition string `parquet:"aws_partition,dict"`
	Line      int32  `parquet:"line"`
}

type rowTail struct {
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

// findingRow is a row of the table findings.
type findingRow struct {
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

func findingRowOf(f *audit.Finding, src *audit.Source, benchmark audit.Standard, asOf, now time.Time) findingRow {
	out := findingRow{
		Fingerprint: f.Fingerprint(), Benchmark: string(benchmark), Control: string(f.Control.ID),
		Name: f.Control.Name, Title: f.Control.Title,
		Requirements: f.Control.RequirementIDs(benchmark),
		Status:       f.Status.String(), Severity: f.Severity.String(), Partition: f.Partition,
		User: some(f.User), ARN: some(f.ARN),
		Class: f.Class.String(), Credential: some(f.Credential.ID()),
		CredentialKind: some(f.Credential.Kind.String()), Line: int32(f.Line),
		Reason: f.Reason.String(), Columns: f.ColumnNames(), Approximate: f.Approximate,
		Suppressed: f.Suppressed, Exception: some(f.Exception), ExpiredException: some(f.ExpiredException),
		KeyIDs: f.KeyIDs, Note: some(f.Note),
		Generated: known(src.Generated), AsOf: known(asOf), Judged: asOf, File: src.Path,
	}
	if asOf.IsZero() {
		out.Judged = now
	}
	out.UserCreated = timeOf(f.UserCreated)
	if f.Credential.Kind != audit.NoCredential {
		out.CredentialCreated = timeOf(f.Credential.Created)
	}
	if out.Since = timeOf(f.Since); out.Since != nil {
		age := int64(f.Age / time.Second)
		out.Age = &age
		if f.Limit != 0 {
			limit := int64(f.Limit / time.Second)
			out.Limit = &limit
		}
	}
	return out
}

// timeOf returns the time, nil for an absence.
func timeOf(t report.Time) *time.Time {
	if at, ok := t.Value(); ok {
		return &at
	}
	return nil
}

// known returns a time, nil for none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// some returns a text, nil for none.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// object returns cells as a JSON object in order, nil for none.
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
				panic(err) // it is a string
			}
			b.WriteString(strings.Repeat(":", j))
			b.Write(text)
		}
	}
	b.WriteByte('}')
	s := b.String()
	return &s
}
