package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/storetest"
)

// An installation in PostgreSQL is created and backed up to a file. The file is
// restored into SQLite with the same master key.
func TestPostgres(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"DATABASE": storetest.Postgres(t).URL, "ROLLCALL_DATA": filepath.Join(dir, "data")}
	do := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		p := &process{stdin: strings.NewReader(""), stdout: &out, stderr: &out,
			env: func(name string) string { return env[name] }}
		if code := run(t.Context(), p, args); code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, out.String())
		}
		return out.String()
	}
	backup := filepath.Join(dir, "backup")
	do("account", "create", "--id", "123456789012", "--store", "env://DATABASE")
	do("masterkey", "verify", "--store", "env://DATABASE")
	do("backup", backup, "--store", "env://DATABASE")
	do("restore", backup)
	do("masterkey", "verify")
	if out := do("account", "root-key", "list", "123456789012"); !strings.Contains(out, "AKIA") {
		t.Error(out)
	}
	reports := filepath.Join(dir, "reports")
	if out := do("report", "--store", "env://DATABASE", "--into", reports); !strings.Contains(out, "1 account: 1 ok") {
		t.Error(out)
	}
	if out := do("audit", "--store", "env://DATABASE", "--exit-zero"); !strings.Contains(out, "123456789012") {
		t.Error(out)
	}
	// And in the other direction.
	do("account", "create", "--id", "210987654321")
	do("backup", backup, "--force")
	do("restore", backup, "--store", "env://DATABASE", "--force")
	if out := do("account", "list", "--store", "env://DATABASE"); !strings.Contains(out, "210987654321") {
		t.Error(out)
	}
}
