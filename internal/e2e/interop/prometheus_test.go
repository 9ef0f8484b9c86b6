//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/e2e/e2etest"
)

const deploy = "../../../deploy"

func promtoolCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(filepath.Join(client(t, "prometheus"), "usr", "bin", "promtool"), args...)
}

// promtool runs a command of promtool in a directory.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := promtoolCommand(t, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// copyInto copies a file into a directory.
func copyInto(t *testing.T, dir, file string) (text string) {
	t.Helper()
	content, err := os.ReadFile(file)
	e2etest.Must(t, err)
	e2etest.Must(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600))
	return string(content)
}

// TestAlerts tests the rules, each of which must have a test.
func TestAlerts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rules := copyInto(t, dir, filepath.Join(deploy, "alerts.yaml"))
	tests := copyInto(t, dir, file(t, "prometheus/alerts_test.yaml"))
	promtool(t, dir, "check", "rules", "alerts.yaml")
	promtool(t, dir, "test", "rules", "alerts_test.yaml")
	for _, rule := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(tests, "alertname: "+rule[1]+"\n") {
			t.Errorf("%s has no test in which it fires", rule[1])
		}
	}
}

// TestMetrics lets promtool judge the metrics of a service that was used, and
// ask it what each panel of the dashboard asks.
func TestMetrics(t *testing.T) {
	t.Parallel()
	flags := []string{"--data", e2etest.DataDir(t)}
	acc := e2etest.CreateAccount(t, flags...)
	node := e2etest.Serve(t, flags...)
	root := node.IAM(acc.Root())
	_, err := root.ListUsers(t.Context(), &iam.ListUsersInput{})
	e2etest.Must(t, err)
	_, err = root.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("nobody")})
	if code := e2etest.CodeOf(err); code != "NoSuchEntity" {
		t.Fatal(code)
	}
	status, text := e2etest.Get(t, node.Admin+"/metrics")
	if status != 200 {
		t.Fatal(status, text)
	}
	checkMetrics(t, text)

	dir := t.TempDir()
	e2etest.Must(t, os.WriteFile(filepath.Join(dir, "dashboard_test.yaml"), []byte(askedByPanels(t, text)), 0o600))
	promtool(t, dir, "test", "rules", "dashboard_test.yaml")
}

// checkMetrics lets promtool read the metrics. It wants texts of help, which the
// library does not write (decision 028), and dislikes names of the library's own.
func checkMetrics(t *testing.T, text string) {
	t.Helper()
	cmd := promtoolCommand(t, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() != 3 { // 3 means that it read all, and dislikes something
		t.Fatalf("promtool check metrics: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "rollcall_") && !strings.HasSuffix(line, " no help text\n") {
			t.Errorf("promtool dislikes %s", line)
		}
	}
}

// askedByPanels returns a test for promtool: the queries of the dashboard, and
// the metrics as two nodes expose them, growing. Each query must find something.
func askedByPanels(t *testing.T, metrics string) string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	text, err := os.ReadFile(filepath.Join(deploy, "grafana.json"))
	e2etest.Must(t, err)
	e2etest.Must(t, json.Unmarshal(text, &dashboard))
	var b strings.Builder
	b.WriteString("tests:\n- interval: 1m\n  input_series:\n")
	series := regexp.MustCompile(`(?m)^(\w+)(\{(.*)\})? \S+$`)
	for _, line := range series.FindAllStringSubmatch(metrics, -1) {
		for _, node := range []string{"a", "b"} {
			labels := strings.TrimPrefix(line[3]+`,instance="`+node+`"`, ",")
			fmt.Fprintf(&b, "  - {series: '%s{%s}', values: '0+60x20'}\n", line[1], labels)
		}
	}
	b.WriteString("  promql_expr_test:\n")
	asked := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			fmt.Fprintf(&b, "  - expr: 'count(%s) > bool 0'\n    eval_time: 20m\n    exp_samples: [{labels: '{}', value: 1}]\n",
				target.Expr)
			asked++
		}
		if len(panel.Targets) == 0 {
			t.Errorf("the panel %q asks nothing", panel.Title)
		}
	}
	if asked < len(dashboard.Panels) || asked == 0 {
		t.Errorf("%d panels ask %d queries", len(dashboard.Panels), asked)
	}
	return b.String()
}
