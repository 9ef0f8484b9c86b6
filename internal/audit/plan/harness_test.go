package plan

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit"
	"rollcall/report"
)

// The reports of the tests are from noon on 2026-11-01. The plans begin on the
// next day.
var (
	generated = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	start     = time.Date(2026, 11, 2, 15, 4, 5, 0, time.UTC)
)

const account = "123456789012"

// atAWS is the service that the reports came from.
var atAWS = Service{Known: true}

// ago returns a time some days before the report.
func ago(days int) report.Time { return report.At(generated.AddDate(0, 0, -days)) }

func user(name string, change ...func(*report.Row)) report.Row {
	r := report.Row{User: name, ARN: "arn:aws:iam::" + account + ":user/" + name, Created: ago(400)}
	for _, c := range change {
		c(&r)
	}
	return r
}

// key adds a key that was created and last used some days ago; 0 is never.
func key(slot, made, used int) func(*report.Row) {
	return func(r *report.Row) {
		r.Keys[slot-1] = report.Key{Active: report.True, LastRotated: ago(made)}
		if used > 0 {
			r.Keys[slot-1].LastUsed = ago(used)
		}
	}
}

func off(slot int) func(*report.Row) {
	return func(r *report.Row) { r.Keys[slot-1].Active = report.False }
}

func password(set, used int) func(*report.Row) {
	return func(r *report.Row) {
		r.PasswordEnabled, r.PasswordLastChanged, r.PasswordLastUsed = report.True, ago(set),
			report.None(report.NoInformation)
		if used > 0 {
			r.PasswordLastUsed = ago(used)
		}
	}
}

func mfa(r *report.Row) { r.MFAActive = report.True }

// planned returns a plan for a report with these rows after a row of a
// compliant root.
func planned(
	t testing.TB, o Options, a audit.Options, facts *audit.Enrichment, columns report.Columns, rows ...report.Row,
) *Plan {
	t.Helper()
	if o.Start.IsZero() {
		o.Start = start
	}
	root := report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: ago(900),
		PasswordEnabled: report.True, PasswordLastUsed: ago(300),
		PasswordLastChanged: ago(900), MFAActive: report.True,
	}
	if len(rows) == 0 || !rows[0].IsRoot() {
		rows = append([]report.Row{root}, rows...)
	}
	var b bytes.Buffer
	w := report.NewWriter(&b, columns)
	for i := range rows {
		must(t, w.WriteRow(&rows[i]))
	}
	must(t, w.Flush())
	p, err := New(o)
	must(t, err)
	if a.Benchmark == nil {
		a.Benchmark, _ = audit.FindBenchmark(audit.Strict)
	}
	a.Statuses = audit.SetOf(audit.Fail, audit.Warn)
	auditor, err := audit.New(a)
	must(t, err)
	src := audit.Source{Generated: generated, Fetched: generated}
	p.Begin(src, atAWS, generated)
	summary, err := auditor.Audit(t.Context(), &b, src, facts, p.Row)
	must(t, err)
	must(t, p.End(summary))
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is the environment of scripts: a substitute for AWS, and a clock.
type world struct {
	t      *testing.T
	dir    string
	script string
	now    string
}

func newWorld(t *testing.T, p *Plan) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: "2026-11-28 10:00 UTC"}
	w.write("account", account+"\n")
	w.write("keys", "")
	w.script = filepath.Join(w.dir, "plan.sh")
	var b bytes.Buffer
	must(t, p.Script(&b, "rollcall test"))
	must(t, os.WriteFile(w.script, b.Bytes(), 0o600))
	return w
}

func (w *world) write(name, content string) {
	w.t.Helper()
	must(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600))
}

func (w *world) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	return string(text)
}

// key adds an access key to the account.
func (w *world) key(user, id string, made report.Time, status string) {
	w.write("keys", w.read("keys")+
		fmt.Sprintf("%s %s %s %s\n", user, id, strings.Replace(made.String(), "Z", "+00:00", 1), status))
}

// bash runs a program with these arguments and returns its output and exit
// code.
func (w *world) bash(args ...string) (out string, code int) {
	w.t.Helper()
	bin, err := filepath.Abs("testdata/bin")
	must(w.t, err)
	c := exec.Command("bash", args...)
	c.Dir = w.dir
	c.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "FAKE=" + w.dir, "FAKE_NOW=" + w.now}
	text, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return string(text), c.ProcessState.ExitCode()
}

// run runs the script and checks its exit code.
func (w *world) run(code int, args ...string) string {
	w.t.Helper()
	out, got := w.bash(append([]string{w.script}, args...)...)
	if got != code {
		w.t.Fatalf("%q ended with %d, want %d:\n%s", args, got, code, out)
	}
	return out
}

// changes returns the calls so far that changed something, and clears the list.
func (w *world) changes() []string {
	w.t.Helper()
	var all []string
	for line := range strings.Lines(w.read("calls")) {
		for _, verb := range []string{"update-", "delete-", "create-", "put-"} {
			if strings.Contains(line, "iam "+verb) {
				all = append(all, strings.TrimSpace(line))
			}
		}
	}
	w.write("calls", "")
	return all
}

func (w *world) want(out string, parts ...string) {
	w.t.Helper()
	for _, part := range parts {
		if !strings.Contains(out, part) {
			w.t.Errorf("%q is not in\n%s", part, out)
		}
	}
}
