package render

import (
	"bufio"
	"encoding/csv"
	"strconv"
	"strings"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
)

// csvColumns are the columns of the CSV. New ones are added at the end.
var csvColumns = []string{
	"status", "severity", "control", "control_name", "title", "account", "account_name",
	"partition", "user", "arn", "class",
	"credential", "reason", "columns", "since", "age_seconds", "limit_seconds", "approximate",
	"suppressed", "exception", "expired_exception", "key_ids", "note", "path", "line", "generated_at", "as_of",
	"fingerprint", "benchmark", "requirements",
}

// csvFindings writes every finding as a row.
type csvFindings struct {
	stream
	w     *csv.Writer
	cells []string
}

func newCSV(b *bufio.Writer, o *Options) Output {
	c := &csvFindings{stream: stream{b: b, o: o}, w: csv.NewWriter(b)}
	c.w.Write(csvColumns)
	return c
}

func (c *csvFindings) Row(row *audit.Row) error {
	for i := range row.Findings {
		f := findingOf(&row.Findings[i], c.o.Benchmark, &c.src, c.asOf())
		credential, age, limit, line := "", "", "", ""
		if f.Credential != nil {
			credential = f.Credential.ID
		}
		if f.AgeSeconds != nil {
			age = strconv.FormatInt(*f.AgeSeconds, 10)
		}
		if f.Limit != 0 {
			limit = strconv.FormatInt(f.Limit, 10)
		}
		if f.Line != 0 {
			line = strconv.Itoa(f.Line)
		}
		c.cells = append(c.cells[:0],
			f.Status, f.Severity, f.Control, f.Name, f.Title, f.Account, f.AccountName,
			f.Partition, f.User, f.ARN, f.Class,
			credential, f.Reason, strings.Join(f.Columns, " "), f.Since, age, limit, strconv.FormatBool(f.Approximate),
			strconv.FormatBool(f.Suppressed), f.Exception, f.ExpiredException, strings.Join(f.KeyIDs, " "), f.Note,
			f.Path, line, f.Generated, f.AsOf, f.Fingerprint, f.Benchmark, strings.Join(f.Requirements, " "))
		for j, cell := range c.cells {
			c.cells[j] = escape.CSVCell(cell)
		}
		if err := c.w.Write(c.cells); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvFindings) Close(*audit.Summary) error {
	if c.w.Flush(); c.w.Error() != nil {
		return c.w.Error()
	}
	return c.b.Flush()
}
