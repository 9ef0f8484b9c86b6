package faults

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollcall/internal/e2e/e2etest"
)

// TestDoctorOnDisks examines installations on small file systems that are full,
// have no inode left, or can only be read.
func TestDoctorOnDisks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options, spoil string
		found, do      string
	}{
		"full": {"size=140m", "head -c 200M /dev/zero >%[1]s/ballast 2>/dev/null",
			"0 B of 147 MB are free", "make room"},
		"nearly full": {"size=140m", "head -c 60M /dev/zero >%[1]s/ballast", " of 147 MB are free", "make room"},
		"without inodes": {"size=2g,nr_inodes=90", "i=0; while touch %[1]s/$i 2>/dev/null; do i=$((i+1)); done",
			"0 of 90 inodes are free", "delete files"},
		"read-only": {"size=2g", "mount -o remount,ro %[1]s", "the file system is read-only", "mount it for writing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			script := fmt.Sprintf("mount -t tmpfs -o mode=0700,"+c.options+" tmpfs %[1]s && "+
				"%[2]s account create --data %[1]s/data --output json >&2 || exit 9\n"+c.spoil+"\n"+
				"exec %[2]s doctor --data %[1]s/data --listen 127.0.0.1:0 --admin-listen off --output json", dir, e2etest.Binary)
			args := []string{"--mount", "sh", "-c", script}
			if syscall.Getuid() != 0 {
				args = append([]string{"--user", "--map-root-user"}, args...)
			}
			cmd := exec.Command("unshare", args...)
			cmd.Env = e2etest.Environment(t)
			var said strings.Builder
			cmd.Stderr = &said
			out, err := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Fatalf("exit code %d, %v\n%s", code, err, said.String())
			}
			var all []struct{ Check, Result, Found, Do string }
			if err := json.Unmarshal(out, &all); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			noted := false
			for _, f := range all {
				if f.Check == "disk of "+filepath.Join(dir, "data") && f.Result == "fault" && strings.Contains(f.Found, c.found) &&
					strings.HasPrefix(f.Do, c.do) {
					noted = true
				} else if f.Result == "fault" && f.Check != "trail" && !strings.HasPrefix(f.Check, "disk of ") {
					t.Errorf("also found: %+v", f)
				}
			}
			if !noted {
				t.Errorf("found %s", out)
			}
		})
	}
}
