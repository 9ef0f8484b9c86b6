//go:build interop

package interop

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"rollcall/internal/e2e/e2etest"
	"rollcall/report"
)

// peersFile holds the verdicts of other auditors on the demonstration's report,
// from which docs/verdicts.md is made.
const peersFile = "../../audit/testdata/peers.txtar"

var recording = flag.Bool("record", false, "write the reports and the verdicts of the other auditors into their files")

// peers are auditors that look at the account of 'rollcall demo'.
type peers struct {
	account
	checks   map[string][]string // by the name of the auditor
	controls []string            // of ours that ask the same
}

// newPeers starts the demonstration: two years of an account whose users are in
// every state that a report can show.
func newPeers(t *testing.T, archive *txtar.Archive) peers {
	p := peers{account: account{dir: t.TempDir()}, checks: map[string][]string{}}
	for line := range strings.Lines(section(t, archive, "checks")) {
		fields := strings.Fields(line)
		p.checks[fields[0]] = append(p.checks[fields[0]], fields[1])
		p.controls = append(p.controls, strings.Split(fields[2], ",")...)
	}
	cmd := exec.Command(e2etest.Binary, "demo", "--listen", "127.0.0.1:0")
	cmd.Env = e2etest.Environment(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	e2etest.Must(t, err)
	defer out.Close()
	cmd.Stdout = out
	e2etest.Launch(t, cmd)
	var said []byte
	e2etest.WaitFor(t, "the demonstration", func() error {
		said, err = os.ReadFile(out.Name())
		if err == nil && !strings.Contains(string(said), "The service runs until Ctrl-C") {
			err = errors.New(string(said))
		}
		return err
	})
	settings := regexp.MustCompile(`(?m)^  export (.*)$`).FindAllStringSubmatch(string(said), -1)
	p.env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC",
		"AWS_EC2_METADATA_DISABLED=true"}
	for _, s := range settings {
		p.env = append(p.env, strings.Fields(s[1])...)
	}
	return p
}

func section(t *testing.T, archive *txtar.Archive, name string) string {
	t.Helper()
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	t.Fatalf("no section %s", name)
	return ""
}

// prowlerRows reads the file that Prowler wrote below a directory, and returns its rows
// and the place of a column in them.
func prowlerRows(t *testing.T, dir string) (rows [][]string, column func(string) int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "prowler", "*.csv"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	f, err := os.Open(files[0])
	e2etest.Must(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = ';'
	all, err := r.ReadAll()
	e2etest.Must(t, err)
	return all[1:], func(name string) int { return slices.Index(all[0], name) }
}

// prowler returns the verdicts of Prowler. One of its checks ends without any.
func (p peers) prowler(t *testing.T) (lines []string) {
	bin := filepath.Join(client(t, "prowler"), "bin", "prowler")
	p.run(t, bin, append([]string{"aws", "--region", "us-east-1", "-z", "-M", "csv", "-o", "prowler", "--no-banner",
		"--no-color", "-c"}, p.checks["Prowler"]...)...)
	rows, column := prowlerRows(t, p.dir)
	check, status := column("CHECK_ID"), column("STATUS")
	arn, name := column("RESOURCE_UID"), column("RESOURCE_NAME")
	for _, row := range rows {
		user := path.Base(row[arn])
		if strings.HasPrefix(row[name], report.RootUser) {
			user = report.RootUser
		}
		lines = append(lines, strings.Join([]string{"Prowler", row[check], user, row[status]}, "\t"))
	}
	return lines
}

func (p peers) scoutSuite(t *testing.T) (lines []string) {
	python := p.scout(t)
	out := p.run(t, python, append([]string{file(t, "peers/scout.py"), "scout"}, p.checks["ScoutSuite"]...)...)
	for line := range strings.Lines(out) {
		lines = append(lines, "ScoutSuite\t"+strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// custodian returns a verdict for each user and policy: what a policy finds
// fails.
func (p peers) custodian(t *testing.T, users []string) (lines []string) {
	bin := filepath.Join(client(t, "custodian"), "bin", "custodian")
	p.run(t, bin, "run", "-s", "custodian", "--region", "us-east-1", file(t, "peers/custodian.yml"))
	for _, policy := range p.checks["Custodian"] {
		text, err := os.ReadFile(filepath.Join(p.dir, "custodian", policy, "resources.json"))
		e2etest.Must(t, err)
		var found []struct{ UserName string }
		e2etest.Must(t, json.Unmarshal(text, &found))
		ofRoot := strings.HasPrefix(policy, "root-")
		for _, user := range users {
			name := user
			if ofRoot {
				name = "" // the account has no user name
			}
			if ofRoot != (user == report.RootUser) {
				continue
			}
			verdict := "PASS"
			if slices.Contains(found, struct{ UserName string }{name}) {
				verdict = "FAIL"
			}
			lines = append(lines, strings.Join([]string{"Custodian", policy, user, verdict}, "\t"))
		}
	}
	return lines
}

// worst keeps the worst verdict of each check and user: some checks have one for
// each key.
func worst(lines []string) []string {
	slices.Sort(lines) // FAIL comes before PASS
	return slices.CompactFunc(lines, func(a, b string) bool {
		return a[:strings.LastIndexByte(a, '\t')] == b[:strings.LastIndexByte(b, '\t')]
	})
}

// TestPeers lets other auditors judge the demonstration, and compares what they
// say with what docs/verdicts.md says of them, and our verdicts with those on the
// recorded report.
func TestPeers(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile(peersFile)
	e2etest.Must(t, err)
	p := newPeers(t, archive)
	content := p.run(t, e2etest.Binary, "report", "get", "--raw")
	rows, err := report.ReadAll(strings.NewReader(content))
	e2etest.Must(t, err)
	var users []string
	for i := range rows {
		users = append(users, rows[i].User)
	}
	ours := p.ours(t)
	lines := worst(slices.Concat(p.prowler(t), p.scoutSuite(t), p.custodian(t, users)))
	if *recording {
		write(t, peersFile, archive, map[string]string{
			"report.csv": content + "\n", "verdicts": strings.Join(lines, "\n") + "\n", "ours": ours,
		})
		return
	}
	want := strings.Split(strings.TrimSuffix(section(t, archive, "verdicts"), "\n"), "\n")
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("other verdicts than in %s; if they are right, run this test with -record, "+
			"and go test ./internal/audit -update\n%s", peersFile, diff)
	}
	if diff := cmp.Diff(section(t, archive, "ours"), ours); diff != "" {
		t.Errorf("our verdicts on the live report are not those of the recorded one\n%s", diff)
	}
}

// ours returns our own verdicts on what the others judge: control, user and status.
func (p peers) ours(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(e2etest.Binary, "audit", "--benchmark", "strict", "--status", "all", "-o", "jsonl")
	cmd.Dir, cmd.Env = p.dir, p.env
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() > 3 {
		t.Fatalf("rollcall audit: %v", err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		var f struct{ Control, User, Status string }
		e2etest.Must(t, json.Unmarshal([]byte(line), &f))
		if slices.Contains(p.controls, f.Control) {
			lines = append(lines, strings.Join([]string{f.Control, f.User, f.Status}, "\t"))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// write replaces sections of a file.
func write(t *testing.T, name string, archive *txtar.Archive, sections map[string]string) {
	t.Helper()
	for i := range archive.Files {
		if text, ok := sections[archive.Files[i].Name]; ok {
			archive.Files[i].Data = []byte(text)
		}
	}
	now := "generated: " + time.Now().UTC().Format(time.RFC3339)
	archive.Comment = regexp.MustCompile(`generated: \S+`).ReplaceAll(archive.Comment, []byte(now))
	e2etest.Must(t, os.WriteFile(name, txtar.Format(archive), 0o644))
}
