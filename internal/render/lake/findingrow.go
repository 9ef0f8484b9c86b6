package lake

import (
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"

	"rollcall/internal/audit"
)

// findingRow is a row of the table findings: a finding, and what is known about the
// report and the run.
type findingRow struct {
	*audit.Finding
	src       *audit.Source
	benchmark audit.Standard
	asOf, now time.Time
}

// findingSchema returns the schema of the table findings, which is created on first
// use.
var findingSchema = sync.OnceValue(func() *parquet.Schema {
	empty := findingRow{Finding: &audit.Finding{Control: &audit.Control{}}, src: &audit.Source{}}
	return schemaOf("findingRow", empty.columns)
})

// append appends the values of the row.
func (f findingRow) append(dst parquet.Row) parquet.Row {
	c := columns{row: dst}
	f.columns(&c)
	return c.row
}

func (f findingRow) columns(c *columns) {
	c.text("fingerprint", f.Fingerprint())
	c.word("benchmark", string(f.benchmark))
	c.word("control", string(f.Control.ID))
	c.word("control_name", f.Control.Name)
	c.word("title", f.Control.Title)
	c.list("requirements", f.Control.RequirementIDs(f.benchmark)) // the benchmark's names of the control
	c.word("status", f.Status.String())
	c.word("severity", f.Severity.String())

	c.word("aws_partition", f.Partition)
	c.someText("user", f.User)
	c.someText("arn", f.ARN)
	c.since("user_creation_time", f.UserCreated)
	c.word("class", f.Class.String())
	c.someText("credential", f.Credential.ID())
	c.someWord("credential_kind", f.Credential.Kind.String())
	created, isTime := f.Credential.Created.Unix()
	c.may("credential_created", moment, parquet.Int64Value(created*1000),
		isTime && f.Credential.Kind != audit.NoCredential)
	c.line("line", f.Line)

	_, aged := f.Since.Unix()
	c.text("reason", f.Reason.String())
	c.list("columns", f.ColumnNames())
	c.since("since", f.Since)
	c.seconds("age_seconds", f.Age, aged)
	c.seconds("limit_seconds", f.Limit, aged && f.Limit != 0)
	c.flag("approximate", f.Approximate)

	c.flag("suppressed", f.Suppressed)
	c.someWord("exception", f.Exception)
	c.someWord("expired_exception", f.ExpiredException)
	c.list("key_ids", f.KeyIDs)
	c.someText("note", f.Note)

	c.known("generated_at", f.src.Generated)
	c.known("as_of", f.asOf)
	judged := f.asOf
	if judged.IsZero() {
		judged = f.now
	}
	c.at("judged_at", judged)
	c.word("file", f.src.Path)
}
