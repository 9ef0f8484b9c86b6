package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
)

// TestBackupUnit runs the commands of the unit of deploy/systemd: they make a
// backup with the time in its name, and delete those that are older than thirty
// days.
func TestBackupUnit(t *testing.T) {
	t.Parallel()
	data, state := e2etest.DataDir(t), t.TempDir()
	e2etest.CreateAccount(t, "--data", data)
	for name, age := range map[string]time.Duration{"rollcall-old": 40, "rollcall-young": 20} {
		file := filepath.Join(state, name)
		e2etest.Must(t, os.WriteFile(file, nil, 0o600))
		at := time.Now().Add(-age * 24 * time.Hour)
		e2etest.Must(t, os.Chtimes(file, at, at))
	}
	unit, err := os.ReadFile("../../../deploy/systemd/rollcall-backup.service")
	e2etest.Must(t, err)
	lines := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindAllStringSubmatch(string(unit), -1)
	if len(lines) != 2 {
		t.Fatalf("%d commands", len(lines))
	}
	as := strings.NewReplacer("$$", "$", "%%", "%", "/usr/bin/rollcall", e2etest.Binary, "/var/lib/rollcall-backup", state)
	for _, line := range lines {
		cmd := exec.Command("sh", "-c", as.Replace(line[1]))
		cmd.Env = e2etest.Environment(t, "STATE="+state, "ROLLCALL_DATA="+data)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", line[1], err, out)
		}
	}
	files, err := filepath.Glob(state + "/rollcall-*")
	e2etest.Must(t, err)
	if len(files) != 2 || !regexp.MustCompile(`/rollcall-\d{8}T\d{6}Z$`).MatchString(files[0]) ||
		!strings.HasSuffix(files[1], "/rollcall-young") {
		t.Errorf("files %q", files)
	}
}
