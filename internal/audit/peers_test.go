package audit_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
	"rollcall/report"
)

// peersFile holds what other auditors said of the demonstration's report.
// 'make interop' runs them again and compares.
const peersFile = "testdata/peers.txtar"

// peerCheck is a check of another auditor and the controls that ask the same.
type peerCheck struct {
	tool, name string
	controls   []string
	rows       string // root, users or all
}

// judgement compares the checks with our verdicts on the same report.
type judgement struct {
	t      *testing.T
	of     *corpusCase
	users  []string
	theirs map[[3]string]string       // by tool, check and user
	ours   map[[2]string]audit.Status // the worst, by control and user
}

func newJudgement(t *testing.T) *judgement {
	t.Helper()
	j := &judgement{
		t: t, of: readCase(t, peersFile), theirs: map[[3]string]string{}, ours: map[[2]string]audit.Status{},
	}
	for _, line := range j.lines("verdicts") {
		f := strings.Split(line, "\t")
		j.theirs[[3]string{f[0], f[1], f[2]}] = f[3]
	}
	rank := []audit.Status{audit.NotApplicable, audit.Pass, audit.Manual, audit.Warn, audit.NoData, audit.Fail}
	findings, _ := j.of.run(t)
	for i := range findings {
		f := &findings[i]
		key := [2]string{string(f.Control.ID), f.User}
		if had, ok := j.ours[key]; !ok || slices.Index(rank, f.Status) > slices.Index(rank, had) {
			j.ours[key] = f.Status
		}
	}
	rows, err := report.ReadAll(j.of.report(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		j.users = append(j.users, rows[i].User)
	}
	return j
}

// lines returns the lines of a section. Names of users may hold spaces.
func (j *judgement) lines(section string) []string {
	text, ok := j.of.section(section)
	if !ok {
		j.t.Fatalf("%s has no section %s", peersFile, section)
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func (j *judgement) checks() (all []peerCheck) {
	for _, line := range j.lines("checks") {
		f := strings.Fields(line)
		all = append(all, peerCheck{f[0], f[1], strings.Split(f[2], ","), f[3]})
	}
	return all
}

// compare returns the number of rows on which both agree, and the others.
func (j *judgement) compare(c *peerCheck) (agree int, differ []differing) {
	for _, user := range j.users {
		if root := user == report.RootUser; c.rows != "all" && root != (c.rows == "root") {
			continue
		}
		ours := audit.NotApplicable
		for _, control := range c.controls {
			if s, ok := j.ours[[2]string{control, user}]; ok && (s == audit.Fail || ours != audit.Fail) {
				ours = s
			}
		}
		theirs := j.theirs[[3]string{c.tool, c.name, user}]
		passes := ours == audit.Pass || ours == audit.NotApplicable
		if theirs == "FAIL" && ours == audit.Fail || theirs == "PASS" && passes {
			agree++
			continue
		}
		if theirs == "" {
			theirs = "none"
		}
		differ = append(differ, differing{tool: c.tool, check: c.name, thing: user, theirs: theirs,
			right: strings.Join(c.controls, ", ") + " " + ours.String()})
	}
	return agree, differ
}

// TestPeersAgreed compares our verdicts with those of the recorded run on the
// live account, and expects a reason for each difference from other auditors.
func TestPeersAgreed(t *testing.T) {
	j := newJudgement(t)
	var asked []string
	for _, c := range j.checks() {
		asked = append(asked, c.controls...)
	}
	var ours []string
	findings, _ := j.of.run(t)
	for i := range findings {
		f := &findings[i]
		if slices.Contains(asked, string(f.Control.ID)) {
			ours = append(ours, string(f.Control.ID)+"\t"+f.User+"\t"+f.Status.String())
		}
	}
	slices.Sort(ours)
	if diff := cmp.Diff(j.lines("ours"), ours); diff != "" {
		t.Errorf("our verdicts on the recorded report are not those on the account\n%s", diff)
	}
	compareAnchors(t, peersFile, j.differences())
}

// differences returns all of them.
func (j *judgement) differences() (all []differing) {
	for _, c := range j.checks() {
		_, differ := j.compare(&c)
		all = append(all, differ...)
	}
	return all
}

const peersIntro = `
<a id="same-report"></a>

## Other auditors on the same report

%s were run against Rollcall's service, on the account of
` + "`rollcall demo`" +
	`, whose users are in every state that a report can show. Their verdicts are beside ours under the
benchmark "strict". Cloud Custodian has no checks of its own: its policies are in
` + "`internal/e2e/interop/testdata/peers/custodian.yml`" + `. ` + "`make interop`" +
	` runs all three again, and fails where a verdict
is not the one that is recorded here. A row is a user or root.

| auditor | check | control | same | different |
|---|---|---|---|---|
`

// peerReleases returns the names of the auditors and the releases that 'make
// interop' installs.
func peerReleases(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../../scripts/install-interop")
	if err != nil {
		t.Fatal(err)
	}
	var named []any
	for _, name := range []string{"prowler", "scoutsuite", "c7n"} {
		found := regexp.MustCompile(name + `==(\S+)`).FindSubmatch(script)
		if found == nil {
			t.Fatalf("scripts/install-interop does not install %s", name)
		}
		named = append(named, found[1])
	}
	return fmt.Sprintf("Prowler %s, ScoutSuite %s and Cloud Custodian %s", named...)
}

// renderPeers writes the comparison.
func renderPeers(t *testing.T, b *strings.Builder) {
	t.Helper()
	j := newJudgement(t)
	fmt.Fprintf(b, peersIntro, peerReleases(t))
	anchors := anchorsOf(t, peersFile)
	for _, c := range j.checks() {
		agree, differ := j.compare(&c)
		fmt.Fprintf(b, "| %s | `%s` | %s | %d | %s |\n", c.tool, c.name, strings.Join(c.controls, ", "), agree,
			anchors.links(differ))
	}
	renderAccount(t, b)
	renderDifferences(t, b)
}
