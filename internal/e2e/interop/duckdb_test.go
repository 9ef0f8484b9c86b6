//go:build interop

package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"rollcall/internal/e2e/e2etest"
)

// TestDuckDB runs the shipped duckdb.sql on the files of 'rollcall audit -o
// parquet=DIR' and of '-o csv', and compares the rows of every view. The case has
// two reports of one account and one of another, whose number begins with zeros.
func TestDuckDB(t *testing.T) {
	t.Parallel()
	dir := client(t, "duckdb")
	archive, err := txtar.ParseFile(file(t, "duckdb/lake.txtar"))
	e2etest.Must(t, err)
	a := account{dir: t.TempDir(), env: e2etest.Environment(t)}
	args := []string{"audit", "--benchmark", "cis-7.0", "--status", "all", "-o", "parquet=lake",
		"-o", "csv=lake/findings.csv"}
	want := ""
	for _, f := range archive.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		// A report is in the form of 'aws iam get-credential-report': it has its time.
		generated := strings.TrimSuffix(filepath.Base(f.Name), ".csv")
		text, err := json.Marshal(map[string]any{
			"Content": f.Data, "ReportFormat": "text/csv", "GeneratedTime": generated,
		})
		e2etest.Must(t, err)
		name := strings.ReplaceAll(f.Name, "/", "-") + ".json"
		e2etest.Must(t, os.WriteFile(filepath.Join(a.dir, name), text, 0o600))
		args = append(args, name)
	}
	cmd := exec.Command(e2etest.Binary, args...)
	cmd.Dir, cmd.Env = a.dir, a.env
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("rollcall audit: %v\n%s", err, out)
	}
	a.dir = filepath.Join(a.dir, "lake")
	got := a.run(t, filepath.Join(dir, "bin", "python"), file(t, "duckdb/client.py"))
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("DuckDB gives other rows\n%s", diff)
	}
}
