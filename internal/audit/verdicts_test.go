package audit_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
)

const verdictsPage = "../../docs/verdicts.md"

// TestVerdictsPage compares the page with the corpus. go test -update writes
// the page.
func TestVerdictsPage(t *testing.T) {
	page := renderVerdicts(t, readCorpus(t))
	if *update {
		if err := os.WriteFile(verdictsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(verdictsPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), page); diff != "" {
		t.Errorf("docs/verdicts.md is out of date; run go test ./internal/audit -update\n%s", diff)
	}
}

// peerBugs lists errors of other auditors of credential reports, by the numbers
// in the cases of the corpus.
var peerBugs = [21]struct{ tool, wrong, right string }{
	{
		"Prowler", "For the use of root, the first of password, key 1 and key 2 that has a date counts, not " +
			"the latest.",
		"The latest of the three counts: a root key used today fails, whenever the password was used.",
	},
	{
		"Prowler", "The N/A of a root without a password goes into a date parser, which raises; there is no " +
			"finding at all.",
		"N/A is an answer: no use is recorded, PASS.",
	},
	{
		"Prowler", "An active key that was never used always passes.",
		"The age of a key that was never used counts from its creation.",
	},
	{
		"Prowler", "A password that was never used always passes; and a date in UTC is subtracted from the " +
			"auditor's local time.",
		"The age of a password that was never used counts from when it was set or, if that is unknown, from the " +
			"creation of the user. Times are compared with their zones.",
	},
	{
		"Prowler", "Days are rounded down, and the limit is more than 45: a credential fails from day 46.",
		"Ages are exact: 45 days to the second fail, and a second less passes.",
	},
	{
		"Prowler", "Any unused key of a user with a password counts as created at set-up, whenever it was created.",
		"Only a key created within minutes of its user counts.",
	},
	{
		"Prowler", "The 90 days of key age are in the code; root is judged too, where AWS Config does not.",
		"The limit is configured, per class of user; the benchmark says whether root is judged.",
	},
	{
		"Prowler", "Root without password_enabled \"true\" and without an active key gets no verdict: old reports " +
			"say not_supported.",
		"not_supported is taken as a password: without MFA it fails.",
	},
	{
		"Prowler", "CIS 5.0 1.10 is stored as 1.1; unused credentials are mapped to IAM.26 and to CC1.3.",
		"Numbers are texts; unused credentials are IAM.8, and CC6.2 and CC6.3.",
	},
	{
		"Prowler", "There is SARIF for infrastructure code only; OCSF times are in seconds, not milliseconds.",
		"A report is a file with lines: each finding names its own, and carries typed moments.",
	},
	{
		"Powerpipe", "The comparisons for root's keys are inverted: used 100 days ago is an alarm, and used yesterday " +
			"is not.",
		"Less than a day ago fails, less than 90 days ago warns, and anything older passes.",
	},
	{
		"Powerpipe", "If key 1 is inactive, key 2 is never checked; a key created today and not yet used is an alarm.",
		"Each key is judged by itself, and a new one fails only after the limit.",
	},
	{
		"Powerpipe", "A new password that was never used is an alarm on its first day.",
		"Its age counts from when it was set.",
	},
	{
		"Powerpipe", "Keys at set-up: key 1 alone, within 10 seconds, in use or not.",
		"Both keys, within 10 minutes, and never used.",
	},
	{
		"Powerpipe", "Controls of users judge the row of root as well.",
		"Root has its own controls, and those of users do not include it.",
	},
	{
		"Powerpipe", "The table lacks additional_credentials_info, and no report is ever requested.",
		"The audit says what a row cannot show; a missing report is NO_DATA.",
	},
	{
		"ScoutSuite", "Lines are split at commas by hand; after three quick tries the report is empty, and an empty " +
			"report has no findings.",
		"Names may hold commas; an empty report shows nothing and is NO_DATA.",
	},
	{
		"ScoutSuite", "Passwords and keys that were never used pass; only the password counts as a use of root; " +
			"root MFA ignores \"no password\", and exempts aws-us-gov but not aws-cn.",
		"The age then counts from the creation; all three dates of root count; a root without a password needs no MFA; " +
			"aws-cn has no row for root.",
	},
	{
		"Cloud Custodian",
		"N/A and no_information become the same empty value, not_supported stays a text that counts as true, and " +
			"ReportExpired ends the run.",
		"All kinds of absence stay distinct; a missing report is NO_DATA.",
	},
	{
		"Cloud Custodian", "Filters match users, and the action picks keys by age: the wrong ones were deleted.",
		"A finding names the key, by its creation time, and with enrichment by its id.",
	},
	{
		"cnquery", "A report is requested only if there never was one, and is then read five times in a second; the " +
			"row of root made the whole report an error.",
		"Without a report every control is NO_DATA; a row that cannot be read affects only its own verdicts.",
	},
}

const peersRead = "These errors were in their sources in 2026: Prowler 5.40.0, the Powerpipe mod for AWS compliance " +
	"at a1d0b446, ScoutSuite at 7909f2fc, Cloud Custodian at df800e9e, cnquery of March."

func renderVerdicts(t *testing.T, cases []*corpusCase) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(verdictsIntro)
	fmt.Fprintf(&b, "\n## What other auditors get wrong\n\n%s At least one case tests each line.\n\n", peersRead)
	b.WriteString("| | auditor | what it does | what is right | cases |\n|---|---|---|---|---|\n")
	for i, bug := range peerBugs {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", i+1, bug.tool, bug.wrong, bug.right,
			strings.Join(casesOf(t, cases, i+1), ", "))
	}
	renderPeers(t, &b)
	b.WriteString("\n## The controls\n")
	for _, c := range audit.Controls() {
		renderControl(&b, c)
	}
	fmt.Fprintf(&b, "\n## The cases\n\n%d reports, each in a file of `internal/audit/testdata/corpus`.\n", len(cases))
	for _, c := range cases {
		renderCase(&b, c)
	}
	return b.String()
}

func casesOf(t *testing.T, cases []*corpusCase, bug int) []string {
	t.Helper()
	var links []string
	for _, c := range cases {
		if slices.Contains(c.bugs, fmt.Sprint(bug)) {
			links = append(links, fmt.Sprintf("[%s](#%s)", c.name, c.name))
		}
	}
	if len(links) == 0 {
		t.Errorf("no case is about bug %d", bug)
	}
	return links
}

func renderControl(b *strings.Builder, c *audit.Control) {
	fmt.Fprintf(b, "\n### %s %s\n\n%s. %s\n\n%s\n", c.ID, c.Name, c.Title, c.Description, inCode(c.Rule))
	if len(c.Absent) == 0 {
		return
	}
	b.WriteString("\n| absent | column | verdict |\n|---|---|---|\n")
	for _, a := range c.Absent {
		fmt.Fprintf(b, "| %s | %s | %s |\n", a.Value, a.Column, a.Verdict)
	}
}

// inCode marks thresholds as code.
func inCode(rule string) string { return strings.NewReplacer("{", "`", "}", "`").Replace(rule) }

func renderCase(b *strings.Builder, c *corpusCase) {
	fmt.Fprintf(b, "\n### %s\n\n%s.", c.name, c.title)
	if c.about != "" {
		b.WriteString(" " + c.about)
	}
	var facts []string
	for _, name := range corpusSettings {
		if value := c.settings[name]; value != "" && name != "controls" {
			facts = append(facts, name+" "+value)
		}
	}
	for _, name := range []string{"config.yaml", "enrichment.json"} {
		if _, ok := c.section(name); ok {
			facts = append(facts, "with "+name)
		}
	}
	fmt.Fprintf(b, "\n%s.\n\n```\n", strings.Join(facts, ", "))
	text, _ := c.section("verdicts")
	b.WriteString(text + "```\n")
}

const verdictsIntro = "# Verdicts\n" + `
What Rollcall says of a credential report, and why. This page is made from the corpus of reports that the audit is tested
with, by ` + "`go test ./internal/audit -update`" + `; a test fails where the two differ.

| status | means |
|---|---|
| PASS | the report shows that the rule is kept |
| FAIL | the report shows that it is broken |
| WARN | it is not broken, or not for certain, but a person should look |
| NOT_APPLICABLE | the rule does not concern this row |
| NO_DATA | the report, the row or the cell that would decide is missing or cannot be read; a run with any is incomplete |
| MANUAL | no report can decide it; a person must |

Ages count from the time the report was generated (its GeneratedTime), or from the time of --as-of, in seconds: 90
days are 90 times 24 hours. A date more than an hour after that time does not count as a date. A known failure fails,
whatever else is unknown. An unknown value never passes.

A line of a case is a verdict: control, user, credential, status and reason. A key has its creation time as its name.
Its place follows if two keys were created in the same second, and replaces the time if the report has none.
`
