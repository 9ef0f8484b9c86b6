package review

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/audit/plan"
	"rollcall/internal/enrich"
	"rollcall/internal/words"
	"rollcall/report"
)

// decided is the control of findings that are made from revocations for a plan.
var decided = audit.Control{
	ID: "REVIEW", Name: "access-review", Title: "A reviewer decided to revoke it",
	Remediation: "Revoke it, as the reviewer decided.",
}

// Plan adds the revocations to a plan. service completes the facts about the service
// of a report, and may return an error.
func (r *Review) Plan(ctx context.Context, p *plan.Plan, service func(*plan.Service) error) error {
	decisions, err := r.Decisions()
	if err != nil {
		return err
	}
	if n := len(r.Items) - len(decisions); n > 0 {
		p.Problems = append(p.Problems, words.Count(n, "line")+" of the review not decided yet.")
	}
	for n := range r.Manifest.Accounts {
		a := &r.Manifest.Accounts[n]
		if a.Report == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		from := plan.Service{Known: a.Report.Source != "file" && a.Report.Source != "", Endpoint: a.Report.Endpoint}
		if err := service(&from); err != nil {
			return err
		}
		if err := r.planAccount(p, a, from, decisions); err != nil {
			return err
		}
	}
	return nil
}

func (r *Review) planAccount(p *plan.Plan, a *Account, from plan.Service, decisions map[string]Decision) error {
	content, err := r.frozenReport(a)
	if err != nil {
		return err
	}
	src := audit.Source{Account: a.Account, Name: a.Name, Partition: a.Partition, Generated: a.Report.GeneratedAt,
		Fetched: a.Report.FetchedAt, Origin: a.Report.Source, Path: a.Report.File, SHA256: a.Report.SHA256}
	p.Begin(src, from, src.Generated)
	facts, err := r.frozenFacts(a)
	if err != nil {
		return err
	}
	err = eachRow(content, func(row *report.Row) error {
		var found []audit.Finding
		for _, c := range credentialsOrUser(row) {
			line := lineOf(a.Account, row.ARN, textOf(row.Created), c.ID())
			i, d := r.item(line), decisions[line]
			if i == nil || d.Verb != Revoke {
				continue
			}
			found = append(found, r.revocation(i, row, c.Credential, d, facts))
		}
		if len(found) > 0 {
			p.Revoke(row, found)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", a.Report.File, err)
	}
	return p.End(&audit.AccountSummary{Source: src, AsOf: src.Generated})
}

// credentialsOrUser returns the credentials of a row, or one that is none.
func credentialsOrUser(row *report.Row) []held {
	if all := credentialsOf(row); len(all) > 0 {
		return all
	}
	return []held{{kind: kindUser}}
}

// revocation returns a decision as a finding.
func (r *Review) revocation(i *Item, row *report.Row, c audit.Credential, d Decision,
	facts *audit.Enrichment) audit.Finding {
	text := fmt.Sprintf("%s decided on %s to revoke it, in the review %s", d.By, d.At.Format(time.DateOnly),
		r.Manifest.Name)
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	f := audit.Finding{
		Control: &decided, Status: audit.Fail, Severity: audit.Medium, Account: i.Account, User: row.User, ARN: row.ARN,
		UserCreated: row.Created, Credential: c, Reason: audit.TextReason(words.Sentence(text)),
	}
	if facts != nil {
		if of, ok := facts.Users[row.User]; ok && words.Time(of.Created) == i.UserCreated {
			f.Facts = &of
		}
	}
	return f
}

// frozenReport reads the report of an account, which must not have changed since the
// freeze.
func (r *Review) frozenReport(a *Account) ([]byte, error) {
	content, err := readFile(r.files, a.Report.File, maxReport)
	if err == nil && sumOf(content) != a.Report.SHA256 {
		err = fmt.Errorf("%s is not what was frozen: its SHA-256 differs from that in the manifest", a.Report.File)
	}
	return content, err
}

// frozenFacts reads the facts that were saved with the report, nil for none.
func (r *Review) frozenFacts(a *Account) (*audit.Enrichment, error) {
	if a.Report.Facts == nil {
		return nil, nil
	}
	text, err := readSum(r.files, *a.Report.Facts, factsFile(a.Report.File))
	if err != nil {
		return nil, err
	}
	var saved enrich.Saved
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, fmt.Errorf("%s: %w", a.Report.Facts.File, plainJSON(err))
	}
	return saved.Facts, nil
}

// eachRow calls do for each row of a report. The row is valid during the call.
func eachRow(content []byte, do func(*report.Row) error) error {
	rd, err := report.NewReader(bytes.NewReader(content))
	if err != nil {
		return err
	}
	var row report.Row
	for {
		err := rd.Read(&row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err = cmp.Or(err, do(&row)); err != nil {
			return err
		}
	}
}
