//go:build interop

package interop

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"

	"rollcall/internal/e2e/e2etest"
)

// accountFile holds the verdicts of other auditors on the judged account, and what
// is true of it. docs/verdicts.md is made from it too.
const accountFile = "../../audit/testdata/peersaccount.txtar"

// rules returns the checks of an auditor in the section of a file, by the two words
// at the beginning of each line.
func rules(t *testing.T, archive *txtar.Archive, of, tool string) (names []string) {
	t.Helper()
	for line := range strings.Lines(section(t, archive, of)) {
		if f := strings.Fields(line); f[0] == tool {
			names = append(names, strings.TrimSuffix(f[1], ":"))
		}
	}
	return names
}

// prowlerOnAccount returns the verdicts of every check of IAM that the credential
// report does not decide.
func (a account) prowlerOnAccount(t *testing.T, ofReport []string) (lines []string) {
	bin := filepath.Join(client(t, "prowler"), "bin", "prowler")
	out := a.run(t, bin, "aws", "--service", "iam", "--region", "us-east-1", "-z", "-M", "csv", "-o", "prowler",
		"--no-banner", "--no-color")
	for _, wrong := range regexp.MustCompile(`Something went wrong in (\w+)`).FindAllStringSubmatch(out, -1) {
		if wrong[1] != "iam_avoid_root_usage" { // see TestProwler
			t.Errorf("Prowler's %s went wrong\n%s", wrong[1], out)
		}
	}
	rows, column := prowlerRows(t, a.dir)
	check, status, arn := column("CHECK_ID"), column("STATUS"), column("RESOURCE_UID")
	name := column("RESOURCE_NAME")
	for _, row := range rows {
		if slices.Contains(ofReport, row[check]) {
			continue
		}
		of := path.Base(row[arn])
		if n := path.Base(row[name]); n != of && n != a.AccountID && !strings.HasPrefix(n, "ASCA") { // an id
			of += " " + n
		}
		lines = append(lines, strings.Join([]string{"Prowler", row[check], of, row[status]}, "\t"))
	}
	return lines
}

// scout runs ScoutSuite with every rule of IAM that it ships.
func (a account) scout(t *testing.T) (python string) {
	bin := filepath.Join(client(t, "scoutsuite"), "bin")
	out := a.run(t, filepath.Join(bin, "scout"), "aws", "--services", "iam", "--regions", "us-east-1", "--no-browser",
		"--ruleset", file(t, "peers/scout_rules.json"), "--report-dir", "scout", "--result-format", "json")
	if regexp.MustCompile(`(?i)failed to|error`).MatchString(out) {
		t.Errorf("ScoutSuite went wrong\n%s", out)
	}
	return filepath.Join(bin, "python")
}

// scoutOnAccount returns what ScoutSuite flags.
func (a account) scoutOnAccount(t *testing.T, ofReport []string) (lines []string) {
	python := a.scout(t)
	for line := range strings.Lines(a.run(t, python, file(t, "peers/scout_policies.py"), "scout")) {
		if check, _, _ := strings.Cut(line, "\t"); !slices.Contains(ofReport, check) {
			lines = append(lines, "ScoutSuite\t"+strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// noTags answers Custodian's question for the tags of policies, which it asks another
// service: that service knows none.
func noTags(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write([]byte(`{"ResourceTagMappingList": []}`))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// custodianOnAccount returns what each policy finds.
func (a account) custodianOnAccount(t *testing.T) (lines []string) {
	bin := filepath.Join(client(t, "custodian"), "bin", "custodian")
	a.env = append(a.env, "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API="+noTags(t))
	policies := file(t, "peers/custodian_policies.yml")
	a.run(t, bin, "run", "-s", "custodian", "--region", "us-east-1", policies)
	text, err := os.ReadFile(policies)
	e2etest.Must(t, err)
	var asked struct {
		Policies []struct{ Name, Resource string }
	}
	e2etest.Must(t, yaml.Unmarshal(text, &asked))
	for _, p := range asked.Policies {
		text, err := os.ReadFile(filepath.Join(a.dir, "custodian", p.Name, "resources.json"))
		e2etest.Must(t, err)
		var found []map[string]any
		e2etest.Must(t, json.Unmarshal(text, &found))
		for _, thing := range found {
			lines = append(lines, strings.Join([]string{"Custodian", p.Name, custodianName(thing), "FAIL"}, "\t"))
		}
		if len(found) == 0 {
			lines = append(lines, "Custodian\t"+p.Name+"\t-\tPASS")
		}
	}
	return lines
}

// custodianName returns the name of what Custodian found. That of an access key is
// its user's.
func custodianName(thing map[string]any) string {
	for _, key := range []string{"UserName", "RoleName", "GroupName", "PolicyName", "InstanceProfileName",
		"ServerCertificateName", "Arn"} {
		if name, ok := thing[key].(string); ok {
			return path.Base(name)
		}
	}
	return "account"
}

// TestPeersOnAccount lets other auditors judge an account that has policies, groups,
// roles and other things of every kind that they judge, and compares their verdicts
// with those recorded, which internal/audit compares with what is true.
func TestPeersOnAccount(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile(accountFile)
	e2etest.Must(t, err)
	report, err := txtar.ParseFile(peersFile)
	e2etest.Must(t, err)
	a := newJudgedAccount(t)
	lines := slices.Concat(a.prowlerOnAccount(t, rules(t, report, "checks", "Prowler")),
		a.scoutOnAccount(t, rules(t, report, "checks", "ScoutSuite")), a.custodianOnAccount(t))
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if *recording {
		write(t, accountFile, archive, map[string]string{"verdicts": strings.Join(lines, "\n") + "\n"})
		return
	}
	want := strings.Split(strings.TrimSuffix(section(t, archive, "verdicts"), "\n"), "\n")
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("other verdicts than in %s; if they are right, run this test with -record, "+
			"and go test ./internal/audit -update\n%s", accountFile, diff)
	}
}

// TestEveryCheckIsHeld looks for checks of the other auditors that have no line in
// the tables.
func TestEveryCheckIsHeld(t *testing.T) {
	t.Parallel()
	report, err := txtar.ParseFile(peersFile)
	e2etest.Must(t, err)
	archive, err := txtar.ParseFile(accountFile)
	e2etest.Must(t, err)
	held := func(tool string) []string {
		return append(rules(t, report, "checks", tool), rules(t, archive, "rules", tool)...)
	}
	t.Run("Prowler", func(t *testing.T) {
		all := shipped(t, "prowler", "prowler/providers/aws/services/iam/iam_*/*.metadata.json", ".metadata.json")
		compareChecks(t, all, held("Prowler"))
	})
	t.Run("ScoutSuite", func(t *testing.T) {
		text, err := os.ReadFile(file(t, "peers/scout_rules.json"))
		e2etest.Must(t, err)
		var ours struct{ Rules map[string]any }
		e2etest.Must(t, json.Unmarshal(text, &ours))
		all := shipped(t, "scoutsuite", "ScoutSuite/providers/aws/rules/findings/iam-*.json", "")
		compareChecks(t, all, slices.Collect(maps.Keys(ours.Rules)))
	})
	t.Run("Custodian", func(t *testing.T) {
		a := account{dir: t.TempDir(), env: e2etest.Environment(t)}
		out := a.run(t, filepath.Join(client(t, "custodian"), "bin", "python"), file(t, "peers/custodian_filters.py"),
			file(t, "peers/custodian.yml"), file(t, "peers/custodian_policies.yml"))
		compareChecks(t, strings.Split(strings.TrimSpace(out), "\n"), foreignFilters)
	})
}

// shipped returns the names of the files that a client installed, without their end.
func shipped(t *testing.T, of, pattern, end string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(client(t, of), "lib/python*/site-packages", pattern))
	e2etest.Must(t, err)
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), end))
	}
	return names
}

// foreignFilters are those of Custodian that ask other services than IAM: Config, an
// event, Security Hub, OpsCenter, the tags of policies, Access Analyzer, and EC2, ECS
// and Lambda for what uses a role.
var foreignFilters = []string{
	"config-compliance", "event", "finding", "ops-item", "iam-policy marked-for-op", "iam-profile unused",
	"iam-profile used", "iam-role iam-analyzer", "iam-role unused", "iam-role used",
}

func compareChecks(t *testing.T, all, held []string) {
	t.Helper()
	slices.Sort(all)
	slices.Sort(held)
	if diff := cmp.Diff(all, slices.Compact(held)); diff != "" {
		t.Errorf("the checks that there are (-) are not those that the tables have (+)\n%s", diff)
	}
}
