package render

import (
	"strings"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/words"
)

// findingJSON is an audit.Finding for JSON and CSV. Its names do not change,
// and it has everything that is needed to check the verdict.
type findingJSON struct {
	Fingerprint string `json:"fingerprint"`
	Control     string `json:"control"`
	Name        string `json:"control_name"`
	Title       string `json:"title"`
	// Benchmark is the benchmark of the audit. Requirements are its names of
	// the control.
	Benchmark    string   `json:"benchmark"`
	Requirements []string `json:"requirements,omitempty"`
	Status       string   `json:"status"`
	Severity     string   `json:"severity"`

	Account     string          `json:"account,omitempty"`
	AccountName string          `json:"account_name,omitempty"`
	Partition   string          `json:"partition,omitempty"`
	User        string          `json:"user,omitempty"`
	ARN         string          `json:"arn,omitempty"`
	UserCreated string          `json:"user_created,omitempty"`
	Class       string          `json:"class,omitempty"`
	Credential  *credentialJSON `json:"credential,omitempty"`

	Reason      string   `json:"reason"`
	Columns     []string `json:"columns,omitempty"`
	Since       string   `json:"since,omitempty"`
	AgeSeconds  *int64   `json:"age_seconds,omitempty"`
	Limit       int64    `json:"limit_seconds,omitempty"`
	Approximate bool     `json:"approximate,omitempty"`

	Suppressed       bool   `json:"suppressed"`
	Exception        string `json:"exception,omitempty"`
	ExpiredException string `json:"expired_exception,omitempty"`

	KeyIDs []string         `json:"key_ids,omitempty"`
	Note   string           `json:"note,omitempty"`
	Facts  *audit.UserFacts `json:"facts,omitempty"`

	Path      string `json:"path,omitempty"`
	Line      int    `json:"line,omitempty"`
	Generated string `json:"generated_at,omitempty"`
	AsOf      string `json:"as_of,omitempty"`
}

type credentialJSON struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Slot    int    `json:"slot,omitempty"`
	Created string `json:"created,omitempty"`
}

// findingOf returns the finding of a report, judged for a time.
func findingOf(f *audit.Finding, b *audit.Benchmark, src *audit.Source, asOf time.Time) findingJSON {
	out := findingJSON{
		Fingerprint: f.Fingerprint(), Control: string(f.Control.ID), Name: f.Control.Name, Title: f.Control.Title,
		Benchmark: string(b.ID), Requirements: f.Control.RequirementIDs(b.ID),
		Status: f.Status.String(), Severity: f.Severity.String(),
		Account: f.Account, AccountName: src.Name, Partition: f.Partition, User: f.User, ARN: f.ARN,
		UserCreated: words.ReportTime(f.UserCreated),
		Reason:      f.Reason.String(), Columns: f.ColumnNames(), Since: words.ReportTime(f.Since),
		Limit:       int64(f.Limit / time.Second),
		Approximate: f.Approximate,
		Suppressed:  f.Suppressed, Exception: f.Exception, ExpiredException: f.ExpiredException,
		KeyIDs: f.KeyIDs, Note: f.Note, Facts: f.Facts,
		Path: src.Path, Line: f.Line, Generated: words.Time(src.Generated), AsOf: words.Time(asOf),
	}
	if f.User != "" {
		out.Class = f.Class.String()
	}
	if f.Credential.Kind != audit.NoCredential {
		out.Credential = &credentialJSON{f.Credential.ID(), f.Credential.Kind.String(), f.Credential.Slot,
			words.ReportTime(f.Credential.Created)}
	}
	if f.Since.IsPresent() {
		age := int64(f.Age / time.Second)
		out.AgeSeconds = &age
	}
	return out
}

// named returns a control with its name in the benchmark: "C5 (2.10) Title".
func named(c *audit.Control, b *audit.Benchmark) string {
	text := string(c.ID)
	if ids := c.RequirementIDs(b.ID); len(ids) > 0 {
		text += " (" + strings.Join(ids, ", ") + ")"
	}
	return text + " " + c.Title
}

// subject returns the user of a finding and which of the user's credentials it
// concerns.
func subject(f *audit.Finding) string {
	who := f.User
	if who == "" {
		who = "the report"
	}
	if c := credentialName(f); c != "" {
		who += ", " + c
	}
	return who
}

// credentialName returns a name of the credential for people, "" if there is
// none.
func credentialName(f *audit.Finding) string {
	switch c := f.Credential; {
	case len(f.KeyIDs) == 1:
		return f.KeyIDs[0]
	case c.Kind == audit.NoCredential:
		return ""
	case c.Kind == audit.Password:
		return "password"
	case c.Slot == 0:
		return c.Kind.String()
	default:
		return c.Kind.String() + " " + string(rune('0'+c.Slot))
	}
}
