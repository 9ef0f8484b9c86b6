package html_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/internal/html"
	"rollcall/report"
)

var made = time.Date(2026, 11, 23, 10, 20, 0, 0, time.UTC)

// hostile are names that the page must show as text and never interpret.
var hostile = []string{
	`</script><script>document.title="owned"</script>`,
	`<img src=x onerror=document.title="owned">`,
	`=cmd|' /C calc'!A0`,
	"line\u2028separator",
	"over\u202eride",
	`{"quote\"d":1}&amp;`,
	"\x01 \x02 007 2026-01-01T00:00:00Z",
}

// before is the time when the oldest report was generated. Nothing has happened
// since.
var before = made.Add(-36 * time.Hour)

// person creates rows of users like those of a real account: most are in order,
// and some have been forgotten.
type person struct{ *rand.Rand }

func (p person) ago(from, to int) time.Time {
	return before.Add(-time.Duration(from+p.IntN(to-from+1)) * 24 * time.Hour).Add(
		-time.Duration(p.IntN(86400)) * time.Second)
}

// since returns a random time after t. Recent times are more likely.
func (p person) since(t time.Time) time.Time {
	left := before.Sub(t)
	f := p.Float64()
	return before.Add(-time.Duration(float64(left) * f * f * f))
}

func (p person) key(after time.Time) report.Key {
	created := p.since(after)
	k := report.Key{Active: report.BoolOf(p.IntN(8) > 0), LastRotated: report.At(created)}
	if p.IntN(6) > 0 {
		k.LastUsed = report.At(p.since(created))
		k.LastUsedRegion = report.TextOf(
			[]string{"us-east-1", "eu-central-1", "ap-southeast-2", "eu-west-1"}[p.IntN(4)])
		k.LastUsedService = report.TextOf([]string{"s3", "sts", "ec2", "dynamodb", "lambda"}[p.IntN(5)])
	}
	return k
}

func (p person) row(account string, i int) report.Row {
	first := []string{"ada", "grace", "edsger", "barbara", "ken", "radia", "donald", "frances"}[p.IntN(8)]
	created := p.ago(1, 2200)
	row := report.Row{Created: report.At(created)}
	if p.IntN(3) > 0 {
		row.User = fmt.Sprintf("%s.%04d", first, i)
		row.ARN = "arn:aws:iam::" + account + ":user/people/" + row.User
		row.PasswordEnabled = report.True
		row.PasswordLastChanged = report.At(p.since(created))
		row.PasswordLastUsed = report.None(report.NoInformation)
		if p.IntN(10) > 0 {
			row.PasswordLastUsed = report.At(p.since(created))
		}
		row.MFAActive = report.BoolOf(p.IntN(6) > 0)
	} else {
		row.User = fmt.Sprintf("svc-%s-%04d", []string{"backup", "deploy", "billing", "erp", "ci"}[p.IntN(5)], i)
		row.ARN = "arn:aws:iam::" + account + ":user/" + row.User
		row.PasswordLastUsed = report.None(report.NotApplicable)
	}
	if !row.PasswordEnabled.IsTrue() || p.IntN(2) > 0 {
		row.Keys[0] = p.key(created)
		if p.IntN(3) == 0 {
			row.Keys[1] = p.key(created)
		}
	}
	if p.IntN(40) == 0 {
		row.Certificates[0] = report.Certificate{Active: report.True, LastRotated: report.At(p.since(created))}
	}
	return row
}

func (p person) root(account string) report.Row {
	row := report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: report.At(p.ago(2300, 3000)),
		PasswordEnabled: report.BoolOf(p.IntN(2) > 0), MFAActive: report.BoolOf(p.IntN(4) > 0),
		PasswordNextRotation: report.None(report.NotSupported),
	}
	if row.PasswordEnabled.IsTrue() {
		row.PasswordLastChanged, row.PasswordLastUsed = report.At(p.ago(200, 900)), report.At(p.ago(0, 400))
	}
	if p.IntN(5) == 0 {
		row.Keys[0] = report.Key{Active: report.True, LastRotated: report.At(p.ago(400, 2000)),
			LastUsed: report.At(p.ago(0, 30))}
	}
	return row
}

// csv returns the report of an account.
func (p person) csv(account string, users int, names ...string) []byte {
	var b bytes.Buffer
	w := report.NewWriter(&b, report.Columns22)
	root := p.root(account)
	w.WriteRow(&root)
	for i := range users {
		row := p.row(account, i)
		if i < len(names) {
			row.ARN = "arn:aws:iam::" + account + ":user/" + names[i]
			row.User = names[i]
		}
		w.WriteRow(&row)
	}
	w.Flush()
	return b.Bytes()
}

// newPerson returns the source of the rows of organization.
func newPerson() person { return person{rand.New(rand.NewPCG(1, 2))} }

// organization audits accounts with a given number of users each, and gathers a
// page. The last two accounts have no report.
func organization(t testing.TB, o html.Options, users ...int) (*html.Builder, *audit.Summary) {
	t.Helper()
	p := newPerson()
	auditor, err := audit.New(audit.Options{
		EveryRow: true, Now: made,
		Exceptions: []audit.Exception{
			{ID: "EX-2026-014", Control: "C9", Account: "111122223301", User: "svc-deploy-0050",
				Reason: "vendor cannot rotate before release 7",
				Owner:  "erp-team@example.com", Ticket: "SEC-4711", Expires: audit.Date{Year: 2027, Month: 1, Day: 31}},
			{ID: "EX-2026-002", Control: "C5", Account: "111122223301", User: "ada.0001", Reason: "token on order",
				Owner: "it@example.com", Ticket: "SEC-4002", Expires: audit.Date{Year: 2026, Month: 10, Day: 31}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := html.New(o)
	names := []string{"production", "staging", "payments", "data-lake", "sandbox",
		"shared services", "security", "archive"}
	for i, n := range users {
		src := audit.Source{
			Account: fmt.Sprintf("1111222233%02d", i), Name: names[i%len(names)], Partition: "aws",
			Generated: made.Add(-time.Duration(1+i*i) * 41 * time.Minute), Fetched: made.Add(-time.Minute),
			Path: fmt.Sprintf("reports/1111222233%02d.csv", i),
		}
		var some []string
		if i == 0 {
			some = hostile
		}
		r := b.Report()
		s, err := auditor.Audit(context.Background(), bytes.NewReader(p.csv(src.Account, n, some...)), src, nil, r.Row)
		if err != nil {
			t.Fatal(err)
		}
		r.End(s)
	}
	for i, why := range []string{"AccessDenied: not authorized to perform sts:AssumeRole on role/audit",
		"Throttling: Rate exceeded"} {
		r := b.Report()
		s, err := auditor.Missing(
			audit.Source{Account: fmt.Sprintf("9999888877%02d", i), Name: []string{"acquired-corp", ""}[i],
				Partition: "aws"}, why, r.Row)
		if err != nil {
			t.Fatal(err)
		}
		r.End(s)
	}
	return b, auditor.Summary()
}

// past gives an account a history of reports that are a week apart.
func past(account *audit.AccountSummary, reports int) html.History {
	p := person{rand.New(rand.NewPCG(3, 4))}
	h := html.History{Account: account.Source.Account, Partition: account.Source.Partition}
	last := html.SnapshotOf(account)
	for i := range reports {
		s := last
		s.Generated = last.Generated.Add(-time.Duration(reports-1-i) * 7 * 24 * time.Hour)
		s.Findings[audit.Fail] = max(0, last.Findings[audit.Fail]-(reports-1-i)*2+p.IntN(5))
		h.Snapshots = append(h.Snapshots, s)
		if i == 0 {
			continue
		}
		before := h.Snapshots[i-1].Generated
		change := func(kind audit.EventKind, severity audit.Severity, control audit.ControlID,
			user, credential, text string) {
			h.Changes = append(h.Changes, html.Change{At: s.Generated, Since: before, Kind: kind, Severity: severity,
				Control: control, User: user, Credential: credential, Text: text})
		}
		for _, use := range []audit.EventKind{audit.PasswordUsed, audit.KeyFirstUsed, audit.PasswordUsed,
			audit.PasswordUsed, audit.PasswordUsed, audit.PasswordUsed} {
			name := map[audit.EventKind]string{audit.PasswordUsed: "password used",
				audit.KeyFirstUsed: "key used for the first time"}[use]
			h.Changes = append(h.Changes, html.Change{At: s.Generated, Since: before, Kind: use, Usual: name})
		}
		change(html.NewlyFailing, audit.Medium, audit.KeyAge, fmt.Sprintf("svc-erp-%04d", i),
			"key:2026-08-25T10:00:00Z",
			"The access key is 90 days 1 hour old, created 2026-08-25T10:00:00Z; the limit is 90 days.")
		if i%2 == 0 {
			change(html.Fixed, audit.High, audit.ConsoleMFA, fmt.Sprintf("ada.%04d", i),
				"password", "The user has MFA.")
			change(audit.UserAdded, audit.Info, "", fmt.Sprintf("ken.%04d", i), "",
				"The user was created 2026-11-20T08:00:00Z.")
		}
		if i%3 == 0 {
			change(audit.KeyAdded, audit.Medium, "", "svc-ci-0003", "key:2026-11-20T08:00:00Z",
				"A key was created 2026-11-20T08:00:00Z.")
			change(audit.KeyRemoved, audit.Info, "", "svc-ci-0003", "key:2025-11-20T08:00:00Z",
				"The key of 2025-11-20T08:00:00Z is gone.")
			change(audit.RootUseSeen, audit.High, "", report.RootUser, "", "Root was used 2026-11-21T23:59:00Z.")
		}
		if i == reports-1 {
			change(audit.MFALost, audit.High, "", hostile[0], "", "The user had MFA, and has none.")
		}
	}
	return h
}
