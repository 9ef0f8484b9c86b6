package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// accountFile holds what other auditors said of an account whose users, groups,
// roles, policies and other things break every rule that they check, and what is
// true of it. 'make interop' makes the account and runs them again.
const accountFile = "testdata/peersaccount.txtar"

// accountRule is a check of another auditor. The names of the things that break its
// rule were written by hand, from how internal/e2e/interop creates the account.
type accountRule struct {
	tool, check string
	broken      []string
	verdicts    map[string]string // theirs, by the name of the thing
}

func readAccount(t *testing.T) (rules []*accountRule) {
	t.Helper()
	file := readCase(t, accountFile)
	text, _ := file.section("rules")
	for line := range strings.Lines(text) {
		head, names, _ := strings.Cut(strings.TrimSpace(line), ":")
		r := &accountRule{verdicts: map[string]string{}}
		r.tool, r.check, _ = strings.Cut(head, " ")
		if names != "" {
			r.broken = strings.Split(strings.TrimSpace(names), ", ")
		}
		rules = append(rules, r)
	}
	text, _ = file.section("verdicts")
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		i := slices.IndexFunc(rules, func(r *accountRule) bool { return r.tool == f[0] && r.check == f[1] })
		if i < 0 {
			t.Fatalf("%s has no rule for %s %s", accountFile, f[0], f[1])
		}
		rules[i].verdicts[f[2]] = f[3]
	}
	return rules
}

// compare returns the verdicts that are not what is true. Prowler says of each thing
// that it judges whether it passes, and the others name only what they find.
func (r *accountRule) compare() (agree int, differ []differing) {
	things := slices.Clone(r.broken)
	for thing := range r.verdicts {
		if thing != "-" && !slices.Contains(r.broken, thing) {
			things = append(things, thing)
		}
	}
	slices.Sort(things)
	for _, thing := range things {
		theirs, right := r.verdicts[thing], "PASS"
		switch {
		case theirs == "" && r.tool == "Prowler":
			theirs = "none"
		case theirs == "":
			theirs = "PASS"
		}
		if slices.Contains(r.broken, thing) {
			right = "FAIL"
		}
		if theirs == right {
			agree++
			continue
		}
		differ = append(differ, differing{tool: r.tool, check: r.check, thing: thing, theirs: theirs, right: right})
	}
	return agree, differ
}

// TestPeersAreRight compares the verdicts of other auditors with what is true, and
// expects a reason for each that is wrong. Each check must have said something.
func TestPeersAreRight(t *testing.T) {
	var all []differing
	for _, r := range readAccount(t) {
		if len(r.verdicts) == 0 {
			t.Errorf("%s %s has no verdict", r.tool, r.check)
		}
		_, differ := r.compare()
		all = append(all, differ...)
	}
	compareAnchors(t, accountFile, all)
}

const accountIntro = `
<a id="same-account"></a>

## Other auditors on the same account

Rollcall does not judge policies, groups and roles, which the credential report does not show. Other auditors do, and
their verdicts on Rollcall's service must be true. So they judged an account with something good and something bad for
their rules: every check of IAM that Prowler has, every rule of IAM that ScoutSuite ships, enabled or not, and every
filter of Cloud Custodian that the service can answer, by the policies in
` + "`internal/e2e/interop/testdata/peers/custodian_policies.yml`" + `. What breaks a rule was written by hand. The names
say what is right or wrong with a thing; ` + "`internal/e2e/interop/judgedaccount_test.go`" + ` creates them all.
` + "`make interop`" + ` runs the three auditors again, and fails where a verdict is not the one that is recorded, or where
an auditor has a check that is not in this table.

| auditor | check | what breaks the rule, or matches the filter | same | different |
|---|---|---|---|---|
`

func renderAccount(t *testing.T, b *strings.Builder) {
	t.Helper()
	b.WriteString(accountIntro)
	anchors := anchorsOf(t, accountFile)
	for _, r := range readAccount(t) {
		agree, differ := r.compare()
		broken := "nothing"
		if len(r.broken) > 0 {
			broken = "`" + strings.Join(r.broken, "`, `") + "`"
		}
		fmt.Fprintf(b, "| %s | `%s` | %s | %d | %s |\n", r.tool, r.check, broken, agree, anchors.links(differ))
	}
}
